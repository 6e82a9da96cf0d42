"""The columns of a table with an example each, and what becomes of those that are mapped."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputRefused
from core.safe_text import printable
from core.sources.columns import MAP_NAMES
from core.sources.detect import detect, open_source
from core.sources.json_objects import examples, flat, generic_rows, guessed_keys
from core.sources.preview import TableColumn, preview, table_columns
from core.sources.source import TextMissing
from core.workflow.data import sample_archives

ROWS: list[dict[str, Any]] = [
    {"when": "", "nick": "ann", "body": "hello,\n you", "likes": 3},
    {"when": "2020-01-02", "nick": "bob", "body": "x", "likes": 4},
]
COLUMNS = [
    TableColumn("when", "2020-01-02"),
    TableColumn("nick", "ann"),
    TableColumn("body", "hello, ⏎  you"),
    TableColumn("likes", "3", "favourites"),
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
    elif path.suffix == ".csv":
        with path.open("w", newline="") as lines:
            table = csv.DictWriter(lines, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_each_column_has_its_first_value(tmp_path: Path, suffix: str) -> None:
    assert table_columns(write(tmp_path / f"a.{suffix}", ROWS)) == COLUMNS


def test_a_table_in_a_zip_and_one_in_another_encoding(tmp_path: Path) -> None:
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(write(tmp_path / "a.csv", ROWS), "a.csv")
    assert table_columns(packed) == COLUMNS
    (tmp_path / "b.csv").write_bytes("привет\nмир\n".encode("cp1251"))
    assert table_columns(tmp_path / "b.csv", encoding="cp1251") == [TableColumn("привет", "мир")]


def test_an_example_is_safe_short_and_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [{"body": "\x1b[2J\u202e\n" + "x" * 1_000}])
    (column,) = table_columns(path)
    assert column.example.startswith("␛[2J‹202E› ⏎ xxx")
    assert len(column.example) == 200


def test_what_cannot_be_text_is_a_column_without_an_example(tmp_path: Path) -> None:
    """A column that nobody reads does not make the file a damaged one."""
    row = {"body": "hello", "took": timedelta(seconds=3), "raw": b"\xff"}
    path = write(tmp_path / "a.parquet", [row])
    assert table_columns(path) == [
        TableColumn("body", "hello"), TableColumn("took"), TableColumn("raw")
    ]  # fmt: skip


def test_an_archive_has_no_columns_to_choose() -> None:
    with pytest.raises(InputRefused, match="has no columns to choose"):
        table_columns(sample_archives()[0])
    assert not detect(sample_archives()[0]).is_table


def test_keys_inside_objects_are_columns(tmp_path: Path) -> None:
    rows = [
        {"n": 1, "post": {"body": " ", "tags": ["a"]}, "user": {"name": "Ann", "username": "ann"}},
        {"n": 2, "post": {"body": "hi"}, "ok": True, "user": {"username": "ann"}},
    ]
    path = write(tmp_path / "a.jsonl", rows)
    assert table_columns(path) == [
        TableColumn("n", "1"),
        TableColumn("post.body", "hi"),
        TableColumn("user.name", "Ann"),
        TableColumn("user.username", "ann", "author"),
        TableColumn("ok", "true"),
    ]
    seen = preview(path, columns={"text": "post.body", "tweet_id": "n"})
    assert [(row.handle, row.text) for row in seen.rows] == [("ann", "hi")]
    assert seen.table


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_without_a_text_the_refusal_names_the_columns(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", ROWS)
    with pytest.raises(TextMissing) as refused:
        preview(path)
    assert "when, nick, body, likes" in refused.value.why
    assert "--map text=NAME" in refused.value.next_step
    ids = [row | {"id": str(at)} for at, row in enumerate(ROWS)]  # JSON needs them
    path = write(tmp_path / f"b.{suffix}", ids)
    seen = preview(path, columns={"text": "body", "author": "nick", "created": "when"})
    assert [(row.handle, row.text) for row in seen.rows] == [("ann", "hello,\n you"), ("bob", "x")]
    assert seen.span == (datetime.fromisoformat("2020-01-02T00:00:00+00:00"),) * 2


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_column_has_one_role(tmp_path: Path, suffix: str) -> None:
    """What is mapped to the text names no author any more, though it is called user."""
    rows = [{"id": "7", "user": "a gull is a gull"}]
    path = write(tmp_path / f"a.{suffix}", rows)
    assert table_columns(path)[1].role == "author"
    found = detect(path, columns={"text": "user"})
    assert found.needs_handle
    frame = pl.concat(list(open_source(path, handle="ann", columns={"text": "user"}).batches()))
    assert frame.select("handle", "text").rows() == [("ann", "a gull is a gull")]


def test_a_text_that_the_first_object_lacks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"id": "1", "x": "y"}, {"id": "2", "body": "hi"}])
    source = open_source(path, handle="ann", columns={"text": "body"})
    assert pl.concat(list(source.batches()))["tweet_id"].to_list() == ["2"]
    assert source.summary.skipped == {"no_text": 1}


def test_lists_in_parquet_are_no_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": ["1"], "text": [["a"]], "body": ["hi"]}).write_parquet(path)
    assert [column.name for column in table_columns(path)] == ["id", "body"]
    with pytest.raises(TextMissing, match="id, body"):
        preview(path)
    with pytest.raises(InputRefused, match=r"'text' in .* holds lists"):
        preview(path, columns={"text": "text"})
    assert preview(path, columns={"text": "body"}).rows[0].text == "hi"


names = st.text(st.characters(codec="utf-8"), max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["text", "tweet", "user", "username", "id", "a.b", "a", "b"]) | names
objects = st.dictionaries(keys, values, max_size=5)


@given(st.lists(objects | values, max_size=4))
def test_each_key_that_is_listed_can_be_mapped(items: list[Any]) -> None:
    """And gives the example, where that is a text."""
    for key, example in examples(items).items():
        rows = generic_rows({"text": key})
        found = [row for item in items for row in rows(item)]
        texts = [row.get("text", "") for row in found if isinstance(row, dict)]
        filled = [text for text in texts if text.strip()]
        if filled:
            assert example == filled[0]
        else:
            assert example == "" or not isinstance(json.loads(example), str)


@given(objects)
def test_the_guess_is_what_is_read(item: dict[str, Any]) -> None:
    row, guessed = flat(item), guessed_keys(item)
    assert set(guessed) == {role for role in row if row[role] and role in MAP_NAMES}
    for role, key in guessed.items():
        (mapped,) = generic_rows({role: key})(item)
        assert isinstance(mapped, dict)
        assert mapped[role] == row[role]


cells = st.text("ab ,;\"\n'", max_size=4)


@settings(deadline=None)
@given(st.data(), st.integers(1, 4))
def test_examples_of_any_csv(data: st.DataObject, width: int) -> None:
    rows = data.draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=4))
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(
        [[f"column {n}" for n in range(width)], *rows]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_text(text.getvalue(), newline="")
        found = table_columns(path)
    assert [column.name for column in found] == [f"column {n}" for n in range(width)]
    for at, column in enumerate(found):
        filled = [row[at].strip() for row in rows if row[at].strip()]
        assert column.example == (printable(filled[0]) if filled else "")
