"""How large an export will be: as many rows as come out, and about as many bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from core.curation.recipe import load_recipe
from core.dataset.estimate import Estimate, estimate
from core.dataset.exported import exports_of, remember_export
from core.dataset.options import FORMATS, ExportOptions
from core.dataset.verify import rows_in
from core.dataset.write import export_tweets
from core.errors import WrongUsage
from core.home import Home
from core.workflow.data import stats
from tests.oracles.corpus import sample_authors
from tests.oracles.datasets import export
from tests.unit.test_dataset_files import many

STANDARD = load_recipe("standard")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return sample_authors(tmp_path_factory.mktemp("home"))


def bytes_of(out: Path) -> int:
    files = [out] if out.is_file() else out.rglob("*.parquet")
    return sum(file.stat().st_size for file in files)


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        *((format_, {}) for format_ in FORMATS),
        ("jsonl", {"what": "all"}),
        ("csv", {"what": "all"}),
        ("txt", {"weights": {"orbit_grandmother": 2, "keeper_of_the_light": 1}}),
    ],
)
def test_as_many_rows_and_about_as_many_bytes(
    home: Home, tmp_path: Path, format_: Any, options: dict[str, Any]
) -> None:
    handles = list(options.get("weights", {"orbit_grandmother": 1}))
    chosen = ExportOptions(format_, **options)
    found = estimate(home, stats(home, handles, "standard"), STANDARD, chosen)
    result = export_tweets(home, handles, STANDARD, tmp_path / "out", chosen)
    assert result.rows == pytest.approx(found.rows, abs=2 if options.get("weights") else 0)
    assert bytes_of(tmp_path / "out") == pytest.approx(found.size, rel=0.15)


def test_no_corpus_and_options_that_do_not_go_together(home: Home, tmp_path: Path) -> None:
    counted = stats(home, ["orbit_grandmother"], "standard")
    none = Home.at(tmp_path / "none")
    assert estimate(none, counted, STANDARD, ExportOptions("csv")) == Estimate(counted[0].kept, 0)
    with pytest.raises(WrongUsage):
        estimate(home, counted, STANDARD, ExportOptions("csv", weights={"nobody": 1}))


def test_nothing_to_write_takes_no_bytes_and_no_account_need_have_tweets(home: Home) -> None:
    handles = ["orbit_grandmother", "keeper_of_the_light"]
    counted = stats(home, handles, "standard")
    weighted = ExportOptions("csv", weights=dict.fromkeys(handles, 1.0))
    assert estimate(home, counted[:1], STANDARD.replace(min_characters=999), weighted_by(1)) == (
        Estimate(counted[0].kept, 0)
    ), "the sample has none"
    silent = dataclasses.replace(counted[0], kept=0, kept_chars=0)
    found = estimate(home, [silent, counted[1]], STANDARD, weighted)
    assert found.rows == counted[1].kept
    assert estimate(home, [silent], STANDARD, ExportOptions("csv")) == Estimate(0, 0)


def weighted_by(weight: float) -> ExportOptions:
    return ExportOptions("csv", weights={"orbit_grandmother": weight})


@pytest.mark.parametrize("at_once", [1, 2, 3, 12, 13, 14, 15, 40])
def test_rows_are_counted_whatever_is_read_at_once(
    tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.dataset.verify._CHUNK", at_once)
    mark, path = "<|endoftext|>", tmp_path / "x"
    for written, rows in (
        (f"{mark}one{mark}two < three{mark}", 2),
        (mark, 0),
        (f"{mark}{mark}", 1),
        (f"{mark}one{mark}two", None),
        ("one", None),
        ("", None),
    ):
        path.write_text(written)
        assert rows_in(path, "txt") == rows, written
    path.write_text('id,text\n1,"a\nb ""c"" d"\n2,""\n')
    assert rows_in(path, "csv") == 2
    path.write_text('{"a": 1}\n{"a": 2}\n')
    assert [rows_in(path, one) for one in ("jsonl", "chat", "instruct")] == [2, 2, 2]
    assert [rows_in(path, one) for one in ("parquet", "hf", "xml")] == [None] * 3


@pytest.mark.parametrize(
    ("written", "rows"),
    [
        ("id,text\n1,a\n2,b\n", 2),
        ('id,text\n1,"a\nb ""c"" d"\n2,b\n', 2),
        ("id,text\n", 0),
        ("", None),
        ("id,text", None),
        ('id,text\n1,"a\n', None),
    ],
)
def test_the_rows_of_a_table(tmp_path: Path, written: str, rows: int | None) -> None:
    (tmp_path / "x.csv").write_text(written)
    assert rows_in(tmp_path / "x.csv", "csv") == rows


def test_old_exports_are_forgotten_in_passing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.dataset.exported._MOST", 2)
    home = Home.at(tmp_path / "home")
    lines = []
    for number in range(9):
        remember_export(home, tmp_path / f"{number}.json")
        lines.append(len((home.root / "exports.jsonl").read_text().splitlines()))
    assert lines == [1, 2, 3, 4, 5, 3, 4, 5, 3]


def test_the_newest_exports_are_remembered(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    real = [
        export(many(), tmp_path / name, format="csv", recipe=STANDARD).manifest
        for name in ("first", "last")
    ]
    remember_export(home, real[0])
    for number in range(800):
        remember_export(home, tmp_path / f"gone-{number}.json")
    assert exports_of(home, ["a"]) == [str(real[0])]
    remember_export(home, real[1])
    assert exports_of(home, ["a"]) == [str(real[1])], "of 801 the newest 400 are kept"
    remember_export(home, real[0])
    remember_export(home, real[1])
    assert exports_of(home, ["a"]) == [str(real[1]), str(real[0])], "the last first"
