"""How large an export will be: as many rows as come out, and about as many bytes."""

from __future__ import annotations

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
