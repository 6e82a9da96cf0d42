"""Rows that are sound and left out are told by their line, whichever way the file is read."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.sources.batches import listed, running
from core.sources.detect import open_source
from tests.fixtures.x_archive import archive_files, as_zip, tweet


def places(path: Path) -> list[tuple[str, int]]:
    source = open_source(path)
    for _ in source.batches():
        pass
    return [(place.reason, place.line) for place in source.summary.passed]


@pytest.mark.parametrize("odd", ["", '9,"a ""b"" c" ,ann\n'], ids=["fast", "careful"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_of_a_csv(tmp_path: Path, odd: str, end: str) -> None:
    rows = ["id,text,author"]
    for number in range(1, 200):
        text = "" if number in (3, 150) else f'"two{end}lines {number}"' if number % 7 == 0 else "x"
        rows.append(f"{number},{text},{'' if number == 60 else 'ann'}")
    path = tmp_path / "a.csv"
    path.write_bytes((end.join(rows) + end + odd).encode())
    lines = path.read_text().split("\n") if end == "\n" else path.read_bytes().decode().split(end)
    expected = [
        (reason, next(n for n, line in enumerate(lines, 1) if line.startswith(f"{number},")))
        for reason, number in (("no_handle", 60), ("no_text", 3), ("no_text", 150))
    ]
    assert sorted(places(path)) == sorted(expected)


def test_objects_of_json(tmp_path: Path) -> None:
    items: list[object] = [{"id": str(n), "text": "x", "author": {"username": "ann"}}
                           for n in range(30)]  # fmt: skip
    items[4] = ["no object"]
    items[9] = {"id": "9", "text": " ", "author": {"username": "ann"}}
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, items)))
    assert sorted(places(path)) == [("no_text", 10), ("not_a_tweet", 5)]
    path.write_text(json.dumps(items, indent=1))
    found = dict(places(path))
    lines = path.read_text().split("\n")
    assert lines[found["not_a_tweet"] - 1].strip() == "["
    assert '"9"' in lines[found["no_text"]]


def test_entries_of_an_archive_and_the_import(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "a.zip", dict(archive_files([tweet(1, "a"), tweet(2, "")])))
    (result,) = import_path(Corpus(tmp_path / "c.duckdb"), path)
    assert result.to_json()["skipped_lines"] == [
        {"line": 0, "reason": "no_text", "detail": "entry 2", "file": "tweets.js"}
    ]
    assert result.unlisted == 0


def test_they_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text,author\n0,here,ann\n" + "1,,ann\n" * 3000)
    (result,) = import_path(Corpus(tmp_path / "c.duckdb"), path)
    assert result.skipped == {"no_text": 3000}
    assert (len(result.passed), result.unlisted) == (1000, 2000)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20),
    st.data(),
)
def test_lines_are_counted_as_a_reader_would(
    breaks: list[tuple[int, int]], data: st.DataObject
) -> None:
    frame = pl.DataFrame({"a": ["\n" * a for a, _ in breaks], "b": ["x\n" * b for _, b in breaks]})
    starts = [5 + sum(1 + a + b for a, b in breaks[:row]) for row in range(len(breaks))]
    offset = data.draw(st.integers(0, len(breaks) - 1))
    rows = sorted(data.draw(st.sets(st.integers(0, len(breaks) - 1 - offset))))
    wanted = [starts[offset + row] for row in rows]
    assert running(5, frame, offset)(rows) == wanted
    assert listed(starts[offset:])(rows) == wanted
