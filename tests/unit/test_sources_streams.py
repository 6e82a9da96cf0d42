"""Rows and JSON as streams: both roads through a CSV agree, breaks and encodings are told."""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import core.sources.csv_rows as csv_rows
from core.errors import InputRefused
from core.sources.csv_rows import CsvRows
from core.sources.decoding import guess_encoding
from core.sources.detect import open_source
from core.sources.json_lines import FlatLines, block_lines
from core.sources.json_objects import flat
from core.sources.json_reader import elements, top_keys
from core.sources.opened import Content
from core.sources.source import SourceSummary

ODD = [
    'a"b',
    '"a"b',
    "a\rb",
    "",
    '"',
    '""',
    '"x',
    " ",
    ",",
    "\n",
    "\r\n",
    "\r",
    'a "b" c',
    "é",
    "\x00",
]


def split(data: bytes, width: int, *, careful: bool, block: int = 64) -> tuple[Any, Any]:
    bad: list[tuple[int, str]] = []
    blocks, at = [], 0
    while at < len(data):
        end = data.find(b"\n", at + block) + 1 or len(data)
        blocks.append(data[at:end])
        at = end
    reader = CsvRows(iter(blocks), width, ",", lambda line, reason, _: bad.append((line, reason)))
    frames = [f.rows() for f in reader.frames(careful=careful)]
    return [row for rows in frames for row in rows], bad


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.one_of(st.text(max_size=6), st.sampled_from(ODD)), min_size=1, max_size=4),
        max_size=12,
    ),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, "raw"]),
    ends=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_both_roads_give_the_same_rows(
    rows: list[list[str]], quoting: Any, ends: str, last: bool
) -> None:
    rows = [[cell.encode("utf-8", "replace").decode() for cell in row] for row in rows]
    if sys.version_info < (3, 11):  # whose csv knows no NUL: such a row is told as a bad one
        rows = [[cell.replace("\x00", "\x01") for cell in row] for row in rows]
    if quoting == "raw":
        text = ends.join(",".join(row) for row in rows)
    else:
        buffer = io.StringIO()
        csv.writer(buffer, quoting=quoting, lineterminator=ends).writerows(rows)
        text = buffer.getvalue()
    data = ("a,b,c" + ends + text + (ends if last else "")).encode()
    small = csv_rows._PIECE
    try:
        csv_rows._PIECE = 16  # type: ignore[misc]
        assert split(data, 3, careful=False) == split(data, 3, careful=True)
    finally:
        csv_rows._PIECE = small  # type: ignore[misc]


def test_a_large_file_takes_the_fast_road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    cells = ["plain", "a, b", 'say "hi"', "two\nlines", "tab\t", "été 🐦", ""]
    rows = [[str(n), rng.choice(cells) + str(n), "x"] for n in range(30_000)]
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["id", "text", "author"], *rows])
    careful: list[int] = []
    slow = CsvRows._careful
    monkeypatch.setattr(
        CsvRows, "_careful", lambda self, block: (careful.append(len(block)), slow(self, block))[1]
    )
    frame = pl.concat(list(open_source(path).batches()))
    assert frame["text"].to_list() == [row[1] for row in rows]
    assert careful == []
    data = path.read_bytes().replace(b"\n15000,", b'\n15000,odd "quote,y\n15000,')
    path.write_bytes(data)
    source = open_source(path)
    found = pl.concat(list(source.batches()))
    assert found.height == 30_001
    assert found.filter(pl.col("handle") == "y")["text"].to_list() == ['odd "quote']
    assert 0 < sum(careful) < 600_000  # only the part around it


def test_a_quote_that_never_closes_costs_one_line(tmp_path: Path) -> None:
    lines = [f"{n},text {n},x" for n in range(9000)]
    lines[4000] = '4000,"never closed,x'
    path = tmp_path / "a.csv"
    path.write_text("id,text,author\n" + "\n".join(lines) + "\n")
    source = open_source(path)
    frame = pl.concat(list(source.batches()))
    assert frame.height == 8999
    assert [(b.line, b.reason) for b in source.summary.broken] == [(4002, "open_quote")]
    with suppress(InputRefused):  # and no end of them is no hang
        path.write_text("id,text,author\n" + '1,"a\n' * 30_000)
        list(open_source(path).batches())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_by_the_million_count_as_lines(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.csv"
    lines = ["id,text,author", *[""] * 1_000_000, "1,a,x", *[""] * 500_000, "2,b", "3,c,x"]
    path.write_text(end.join(lines), newline="")
    source = open_source(path)
    assert pl.concat(list(source.batches()))["text"].to_list() == ["a", "c"]
    assert [b.line for b in source.summary.broken] == [1_500_003]


def test_a_header_that_does_not_end_is_refused() -> None:
    rows = CsvRows(iter([b'id,"text,author\n' + b"1,a,x\n" * 30_000]), 3, ",")
    with pytest.raises(InputRefused, match="names the columns"):
        list(rows.frames())


def read(path: Path, **options: Any) -> tuple[pl.DataFrame, SourceSummary]:
    source = open_source(path, **options)
    return pl.concat(list(source.batches())), source.summary


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("cp1252", "Windows-1252"),
        ("mac_roman", "Mac Roman"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16, though no mark"),
        ("utf-16-be", "UTF-16, though no mark"),
    ],
)
@pytest.mark.parametrize("text", ["it’s “here” – now…", "café à Zürich, señor"])
@pytest.mark.parametrize("before", [0, 30_000])
def test_encodings(tmp_path: Path, encoding: str, words: str, text: str, before: int) -> None:
    rows = [[str(n), "plain words and more of them", "x"] for n in range(before)]
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["id", "text", "author"], *rows, ["777777", text, "x"]])
    path = tmp_path / "a.csv"
    path.write_bytes(buffer.getvalue().encode(encoding))
    frame, summary = read(path)
    assert frame.filter(pl.col("tweet_id") == "777777")["text"].to_list() == [text]
    assert [w for w in summary.warnings if words in w] if words else summary.warnings == []
    line = json.dumps({"id": "1", "text": text, "author": "x"}, ensure_ascii=False)
    path.write_bytes(line.encode(encoding))
    assert read(path)[0]["text"].to_list() == [text]


def test_broken_bytes_in_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "id,text,author\n" + "".join(f"{n},café “x” {n},x\n" for n in range(20))
    path.write_bytes(good.encode() + b"99,caf\xe9,x\n100,fine,x\n")
    frame, summary = read(path)
    assert frame.height == 21
    assert [(b.line, b.reason) for b in summary.broken] == [(22, "bad_encoding")]
    lines = [json.dumps({"id": str(n), "text": "café", "author": "x"}, ensure_ascii=False)
             for n in range(5)]  # fmt: skip
    data = "\n".join(lines).encode()
    path.write_bytes(data + b'\n{"id": "9", "text": "caf\xe9", "author": "x"}\n')
    frame, summary = read(path)
    assert (frame.height, summary.skipped) == (5, {"bad_encoding": 1})
    path.write_bytes(b"[" + b",".join(data.split(b"\n")) + b',\n{"id": "9", "text": "\xff"}]')
    frame, summary = read(path)
    assert (frame.height, summary.skipped) == (5, {"bad_encoding": 1})
    assert summary.broken[0].line == 2


@given(st.binary(max_size=40))
def test_any_beginning_has_an_encoding(head: bytes) -> None:
    assert guess_encoding(head).name in ("utf-8", "cp1252", "mac_roman", "utf-16-le", "utf-16-be")


def told(path: Path) -> tuple[list[Any], list[tuple[int, str]]]:
    bad: list[tuple[int, str]] = []
    found = list(
        elements(Content.of(path).blocks(), lambda line, reason, _: bad.append((line, reason)))
    )
    return found, bad


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_that_breaks_goes_on(tmp_path: Path, indent: int | None) -> None:
    items = [{"id": str(n), "text": f"t{n}", "user": {"id": "x"}} for n in range(30)]
    path = tmp_path / "a.json"
    text = json.dumps(items, indent=indent)
    path.write_text(text)
    assert told(path) == (
        [(line, "", i) for (line, _, _), i in zip(told(path)[0], items, strict=True)],
        [],
    )
    path.write_text(text.replace('"t11"', '"t11'))
    found, bad = told(path)
    assert len(bad) >= 1
    assert [i for _, _, i in found if "text" in i] == [i for i in items if i["id"] != "11"]
    path.write_text(text[: len(text) * 2 // 3])
    found, bad = told(path)
    assert [i for _, _, i in found] == items[: len(found)]
    assert bad
    assert len(found) > 15
    path.write_text("[" * 100_000)
    assert told(path)[0] == []


def test_one_document_of_many_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": 1, "list": [1, {"b": [2]}],\n "other": {"x": []}, "more": [3]}')
    assert told(path)[0] == [
        (1, "a", 1),
        (1, "list", 1),
        (1, "list", {"b": [2]}),
        (2, "other", {"x": []}),
        (2, "more", 3),
    ]
    assert top_keys(b'{"a": 1, "list": [1, {"b"') == {"a": "1", "list": "["}


def test_objects_over_many_lines(tmp_path: Path) -> None:
    items = [{"id": str(n), "text": f"t{n}", "author": "x"} for n in range(3)]
    path = tmp_path / "a"
    path.write_text("\n".join(json.dumps(i, indent=2) for i in items))  # as jq prints them
    frame, summary = read(path)
    assert frame["text"].to_list() == ["t0", "t1", "t2"]
    assert summary.warnings == []


def test_a_bomb_and_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    import core.sources.archives.archive_files as limits

    monkeypatch.setattr(limits, "RATIO_FREE_BYTES", 1 << 20)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"id,text,author\n" + b"1,a,x\n" * 2_000_000))
    with pytest.raises(InputRefused, match="200 times its size"):
        list(open_source(path).batches())
    monkeypatch.setattr("core.sources.opened.LONGEST_LINE", 1 << 20)
    path.write_bytes(b"id,text,author\n1," + b"a" * (20 << 20))
    with pytest.raises(InputRefused, match="line of more than"):
        list(open_source(path).batches())


_FIELD = st.one_of(
    st.text(max_size=6),
    st.integers(-5, 2**70),
    st.booleans(),
    st.none(),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(['":', '\\":', '"id":', "\ud83d", "a & b", "", "\\", "x\x00"]),
)


@settings(max_examples=120, deadline=None)
@given(
    rows=st.lists(st.tuples(_FIELD, _FIELD, _FIELD, _FIELD), min_size=1, max_size=6),
    plain=st.booleans(),
    compact=st.booleans(),
    ascii_only=st.booleans(),
    odd=st.sampled_from(["", "", "\n", '{"id": "1", "id": "2"}\n', '{"text": "x"}\n', "{\n"]),
)
def test_flat_lines_are_read_as_one_by_one(
    rows: list[tuple[Any, ...]], plain: bool, compact: bool, ascii_only: bool, odd: str
) -> None:
    names = ("id", "text", "author", "likes")
    if plain:
        rows = [tuple(str(v) if not isinstance(v, int) else v for v in row) for row in rows]
    apart = (",", ":") if compact else None
    items = [dict(zip(names, row, strict=True)) for row in rows]
    text = "".join(json.dumps(i, separators=apart, ensure_ascii=ascii_only) + "\n" for i in items)
    block = text.encode("utf-8", "replace") + odd.encode()
    one_by_one = [flat(item) for _, item in block_lines(block, 0, lambda *_: None)]
    reader = FlatLines(one := json.loads(block.split(b"\n")[0]))
    frame = reader.frame(block) if reader.possible and isinstance(one, dict) else None
    if frame is not None:
        found = [{k: v for k, v in row.items() if v is not None} for row in frame.to_dicts()]
        assert found == one_by_one
    elif plain and not odd and not any(isinstance(r[1], int) for r in rows):
        assert (
            b"\\ud" in block.lower()
            or b"\\u0000" in block
            or any("\ud83d" in str(v) for r in rows for v in r)
        )
