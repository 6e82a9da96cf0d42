"""An encoding that the person names wins over the guess, and the summary says so."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import WrongUsage
from core.sources.detect import detect, open_source
from core.sources.encoding import encoding_names, encoding_title, read_encoding
from tests.fixtures.formats import POSTS, bluesky_car, parquet, x_archive
from tests.unit.cli import mynah

TEXT = "le café fermé – “déjà”, très tôt"


def table(path: Path, encoding: str, text: str = TEXT) -> Path:
    path.write_bytes(f'id,text,author\n1,"{text}",x\n'.encode(encoding))
    return path


def texts(path: Path, encoding: str | None = None) -> tuple[list[str], list[str]]:
    source = open_source(path, encoding=encoding)
    frame = pl.concat(list(source.batches()))
    return frame["text"].to_list(), source.summary.warnings


@pytest.mark.parametrize(
    ("written", "named", "text"),
    [
        ("cp1251", "windows-1251", "всем привет с набережной"),
        ("koi8-r", "KOI8-R", "всем привет с набережной"),
        ("shift_jis", "Shift_JIS", "港のかもめは朝が早い"),
        ("utf-16-be", "utf-16-be", TEXT),
        ("utf-16-le", "UTF-16", TEXT),
        ("utf-8", "utf8", TEXT),
        ("iso8859-1", "latin-1", "déjà vu"),
        ("mac_roman", "Mac Roman", TEXT),
        ("gb18030", "gb18030", "海鸥飞来飞去"),
    ],
)
def test_named(tmp_path: Path, written: str, named: str, text: str) -> None:
    path = table(tmp_path / "a.csv", written, text)
    found, warnings = texts(path, named)
    assert found == [text]
    assert any("because you said so" in warning for warning in warnings)
    looks = detect(path, encoding=named)
    assert (looks.encoding_guessed, looks.encoding) == (
        False,
        encoding_title(looks.chosen_encoding or ""),
    )
    lines = path.with_suffix(".jsonl")
    lines.write_bytes(
        (json.dumps({"id": "1", "text": text, "author": "x"}, ensure_ascii=False) + "\n").encode(
            written
        )
    )
    assert texts(lines, named)[0] == [text]


def test_a_guess_is_one_and_can_be_put_right(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "mac_roman", "les œufs à la coque ± ÷ √")
    looks = detect(path)
    assert looks.encoding_guessed
    assert detect(table(tmp_path / "b.csv", "utf-8")).encoding == "UTF-8"
    assert not detect(table(tmp_path / "b.csv", "utf-8")).encoding_guessed
    assert not detect(table(tmp_path / "c.csv", "utf-16")).encoding_guessed, "it has a mark"
    assert texts(path, "macroman")[0] == ["les œufs à la coque ± ÷ √"]


def test_what_does_not_exist_in_it_is_counted(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "utf-8", "“quoted”")  # 0x9d is nothing in Windows-1252
    found, warnings = texts(path, "cp1252")
    assert found[0].count("\ufffd") == 1
    assert "1 sign does not exist in it" in warnings[0]
    path = table(tmp_path / "b.csv", "cp1252", "café")
    with path.open("ab") as stream:
        stream.write(b"2,plain,x\n")
    source = open_source(path, encoding="utf-8")
    assert pl.concat(list(source.batches()))["text"].to_list() == ["plain"]
    assert [(b.line, b.reason) for b in source.summary.broken] == [(2, "bad_encoding")]


@pytest.mark.parametrize(
    ("given_name", "nearest"),
    [("windows-1259", "windows-125"), ("utf8x", "utf-8"), ("shift-gis", "shift_jis")],
)
def test_a_wrong_name_says_the_nearest(given_name: str, nearest: str) -> None:
    with pytest.raises(WrongUsage, match=given_name) as refused:
        read_encoding(given_name)
    assert nearest in refused.value.why


@pytest.mark.parametrize("name", ["punycode", "idna", "hex", "rot13", "utf-7", "base64", "", "\0"])
def test_codecs_that_are_no_encodings_of_files(name: str) -> None:
    with pytest.raises(WrongUsage):
        read_encoding(name)


@given(st.text(max_size=20))
def test_any_name_is_one_or_not(name: str) -> None:
    try:
        assert encoding_title(read_encoding(name))
    except WrongUsage as refused:
        assert refused.why  # noqa: PT017


def test_every_name_that_is_shown_is_one() -> None:
    for name in encoding_names():
        assert "x".encode(read_encoding(name))


def test_formats_without_a_choice(tmp_path: Path) -> None:
    plain = [p for p in POSTS if p.kind != "retweet"]
    for build in (x_archive, parquet, bluesky_car):
        path = build(tmp_path, plain)
        with pytest.raises(WrongUsage, match="no encoding to choose"):
            open_source(path, encoding="utf-8", handle="a")
        assert detect(path).encoding == ""


def test_the_command(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "cp1251", "всем привет с набережной")
    refused = mynah("import", path, "--encoding", "windows-1249", home=tmp_path / "h", code=2)
    assert "windows-125" in refused.err
    assert not (tmp_path / "h").exists()
    done = mynah("import", path, "--encoding", "windows-1251", home=tmp_path / "h")
    assert "Read as Windows-1251 because you said so." in done.err
    shown = mynah("sql", "SELECT text FROM tweets", "--format", "json", home=tmp_path / "h")
    assert shown.json() == [{"text": "всем привет с набережной"}]
