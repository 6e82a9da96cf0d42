"""CSV, TSV and JSON lines: which column is which, ids as text, and what a bad file is told."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputRefused, MynahError, WrongUsage
from core.sources.columns import NOTHING
from core.sources.detect import detect, open_source
from core.sources.source import SourceSummary
from core.sources.times import parse_times, snowflake_times
from core.tweet import snowflake_time, tweet_schema

REAL = Path(__file__).parents[2] / "../shared/data"
BIG_ID = "1013558869728071685"


def read(path: Path, **options: Any) -> tuple[pl.DataFrame, SourceSummary]:
    source = open_source(path, **options)
    return pl.concat(list(source.batches())), source.summary


def table(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.skipif(not REAL.is_dir(), reason="the real tweets are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "rows", "retweets"),
    [
        ("nasa_2017_2018.csv", 3245, 873),
        ("whitehouse_2015_2016.csv", 3204, 1285),
        ("potus_2021_2022.csv", 2402, 0),
    ],
)
def test_real_files(name: str, rows: int, retweets: int) -> None:
    frame, summary = read(REAL / name)
    assert frame.height == summary.read == rows
    assert frame.filter(pl.col("kind") == "retweet").height == retweets
    assert frame["text_escaped"].all()
    assert frame["created_at"].null_count() == 0


def test_columns_by_their_usual_names(tmp_path: Path) -> None:
    path = table(
        tmp_path / "a[1]*.csv",  # browsers and people name files so
        "\ufeffTweet ID,Full Text,Created At,Screen Name,Is Retweet,Favorite Count,lang\r\n"
        f'{BIG_ID},"one, ""two""\nthree",2018-07-01T23:04:00Z,@NASA,false,12,en\r\n'
        "2,RT @x: y,2018-07-01 23:05,nasa,t,,\r\n"
        "3,RT @x: typed,,nasa,f,,\r\n",
    )
    frame, summary = read(path)
    assert dict(frame.schema) == tweet_schema()
    first = frame.row(0, named=True)
    assert (first["tweet_id"], first["handle"], first["text"]) == (
        BIG_ID,
        "nasa",
        'one, "two"\nthree',
    )
    assert (first["favourites"], first["lang"]) == (12, "en")
    assert frame["kind"].to_list() == ["original", "retweet", "manual_retweet"]
    assert summary.read == 3
    assert summary.skipped == {}


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "text", "author"], ["1", "a, b; c", "x"], ["2", "d", "x"]]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    frame, _ = read(table(tmp_path / "a.txt", buffer.getvalue()))
    assert frame["text"].to_list() == ["a, b; c", "d"]


def test_a_column_of_texts_is_enough(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "text\nhello there\n@someone yes\n\nRT @x: y\n")
    with pytest.raises(InputRefused, match="--handle"):
        open_source(path)
    assert detect(path).needs_handle
    frame, summary = read(path, handle=" @Me ")
    again, _ = read(path, handle="me")
    assert frame["tweet_id"].str.contains("^h[0-9a-f]{16}$").all()
    assert frame["tweet_id"].to_list() == again["tweet_id"].to_list()
    assert frame["kind"].to_list() == ["original", "reply", "retweet"]
    assert frame["reply_to"].to_list() == [None, "someone", None]
    assert frame["created_at"].null_count() == 3
    assert summary.span is None


def test_given_handle_wins(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "id,text,author\n1,a,x\n2,b,y\n")
    assert read(path)[0]["handle"].to_list() == ["x", "y"]
    assert read(path, handle="Z")[0]["handle"].to_list() == ["z", "z"]


def test_ids_that_a_spreadsheet_rounded(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "id,text,author\n1.02769e+18,a,x\n1.02769E+18,b,x\n7,c,x\n")
    frame, summary = read(path)
    assert frame["tweet_id"].n_unique() == 3
    assert frame["tweet_id"][2] == "7"
    assert "rounded" in summary.warnings[0]


def test_a_long_id_with_a_point_is_rounded_too_and_a_short_one_is_not(tmp_path: Path) -> None:
    text = "id,text,author\n1027690000000000000.0,a,x\n1027690000000000000.0,b,x\n7.0,c,x\n"
    frame, summary = read(table(tmp_path / "a.csv", text))
    assert frame["tweet_id"].str.contains("^h[0-9a-f]{16}$").to_list() == [True, True, False]
    assert frame["tweet_id"].n_unique() == 3, "two tweets that a spreadsheet gave one number"
    assert "rounded" in summary.warnings[0]


def test_the_same_words_on_two_days_are_two_tweets(tmp_path: Path) -> None:
    days = ["2019-01-01 08:00:00", "2019-01-02 08:00:00", "2019-01-02 08:00:00", ""]
    lines = ["author,date,text", *(f"x,{day},good morning" for day in days)]
    ids = read(table(tmp_path / "a.csv", "\n".join(lines)))[0]["tweet_id"].to_list()
    assert ids[1] == ids[2]
    assert len(set(ids)) == 3


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    path = table(
        tmp_path / "a.csv",
        "id,text,author\n1,a,x\n,b,x\n3,,x\n4,d,not a handle\n5,e,x,extra\n6\n7,g,x,\n",
    )
    frame, summary = read(path)
    assert frame["tweet_id"].to_list() == ["1", "7"]
    assert summary.skipped == {"no_id": 1, "no_text": 1, "no_handle": 1, "bad_row": 2}
    assert summary.read == 7
    assert [(b.line, b.reason) for b in summary.broken] == [(6, "bad_row"), (7, "bad_row")]
    assert "line 6: 4 fields where the header has 3" in summary.warnings[0]


def test_who_can_be_an_author(tmp_path: Path) -> None:
    sound = ["a", "é.b-c_1", "n" * 64, "n@host.example", "n" * 64 + "@" + "h" * 128, "日" * 64]
    unfit = ["n" * 65, "n@" + "h" * 129, "日" * 65, "a@b@c", "@b@", "n@", "a b", "a/b"]
    lines = [f"{number},a,{name}" for number, name in enumerate(sound + unfit, 1)]
    frame, summary = read(table(tmp_path / "a.csv", "\n".join(["id,text,author", *lines])))
    assert frame["handle"].to_list() == sound
    assert summary.skipped == {"no_handle": len(unfit)}


def test_whom_a_text_answers_is_at_most_twenty_letters(tmp_path: Path) -> None:
    texts = [f"@{'n' * 20} hi", f"@{'N' * 25} hi", "@a.b hi", "@ hi"]
    lines = [f"{number},{text},x" for number, text in enumerate(texts, 1)]
    frame, _ = read(table(tmp_path / "a.csv", "\n".join(["id,text,author", *lines])))
    assert frame["reply_to"].to_list() == ["n" * 20, "n" * 20, "a", None]


@pytest.mark.parametrize(
    ("texts", "escaped"),
    [
        (["a &amp; b", "c"], True),
        (["&lt;3", "x"], True),
        (["a & b", "I typed &amp; here"], False),
        (["a & b"], False),
        (["AT&T"], False),
        (["AT&T", "&gt;_&lt;"], True),
    ],
)
def test_escaping_is_decided_once_per_file(tmp_path: Path, texts: list[str], escaped: bool) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["id", "text", "author", "device"])
    writer.writerows([n, text, "x", "Tom & Co"] for n, text in enumerate(texts))
    frame, _ = read(table(tmp_path / "a.csv", buffer.getvalue()))
    assert frame["text_escaped"].unique().to_list() == [escaped]
    lines = [{"id": n, "text": text, "author": "x"} for n, text in enumerate(texts)]
    path = table(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert read(path)[0]["text_escaped"].unique().to_list() == [escaped]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"  \n \n", "is empty"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"\x00\x01\x02\x03" * 50, "binary"),
        (bytes(range(1, 256)) * 20, "binary"),
        (b"<!DOCTYPE html>\n<html><title>text</title>", "a web page"),
        (b"id,text,author\n", "no rows that are tweets"),
        (b"a,b\n1,2\n", "no column of texts. Its first line reads: a, b"),
        (b"just a sentence", "no column of texts"),
        (b'id,text,author\n1,"' + b"never closed " * 20_000, "quotation mark"),
        (b"{", "not JSON, one object per line"),
        (b"[1, 2]", "There are no tweets"),
        (b"[]", "There are no tweets"),
        (b'{"id": 1}', "no texts that mynah knows. Its first object has: id"),
        (b'{"text": "a"}', "--handle"),
        (b'{"id": "1", "text": "", "author": "x"}', "Left out: 1 without a text."),
        (b"id,text,author\n1,,x\n", "Left out: 1 without a text."),
    ],
)
def test_refusals_say_why(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InputRefused) as refused:
        list(open_source(table(tmp_path / "thing", data)).batches())
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "header",
    ["Datum;Benutzer;Text", "fecha;usuario;texto", "Datum;Auteur;Texte", "datum;gebruiker;tekst"],
)
def test_headers_of_other_languages(tmp_path: Path, header: str) -> None:
    frame, summary = read(table(tmp_path / "a.csv", f"{header}\n15.03.2020;hans;moin\n"))
    assert frame.select("handle", "text").rows() == [("hans", "moin")]
    assert summary.undated == 0


def test_columns_that_may_be_dates_are_named(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "Wann;Wer;Text\n15.03.2020;hans;moin\n")
    frame, summary = read(path, handle="x")
    assert frame["created_at"].to_list() == [None]
    assert any("Wann, Wer" in one and "--map date=Wann" in one for one in summary.warnings)
    frame, summary = read(path, columns={"created": "Wann", "author": "Wer"})
    assert frame["handle"].to_list() == ["hans"]
    assert summary.undated == 0
    assert summary.warnings == []


def test_a_zip_that_is_none_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="is no zip"):
        detect(table(tmp_path / "archive.zip", bytes(range(1, 256)) * 20))


def test_wrong_words(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "id,text,author\n1,a,x\n")
    with pytest.raises(WrongUsage, match="x-archive"):
        open_source(path, format="nonsense")
    with pytest.raises(InputRefused, match="It is a CSV"):
        open_source(path, format="x-archive")
    with pytest.raises(WrongUsage, match="likes"):
        open_source(path, include=frozenset({"likes"}))
    with pytest.raises(InputRefused, match="does not exist"):
        detect(tmp_path / "nothing")


def test_json_lines(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": int(BIG_ID), "full_text": "a", "created_at": "Sat Feb 18 12:33:11 +0000 2023",
         "user": {"screen_name": "X"}, "in_reply_to_screen_name": "Y"},
        {"id_str": "2", "id": 1.5e18, "text": "cut…", "truncated": True, "user": {"username": "x"},
         "extended_tweet": {"full_text": "cut no more"}},
        {"id": "3", "rawContent": "b", "date": "2023-02-18 12:33:11+00:00",
         "user": {"username": "x"}, "retweetedTweet": {"id": 9}},
        {"id": "4", "rawContent": "RT @y: typed", "author": "x", "retweetedTweet": None},
        {"id": "5", "content": "half \ud83d", "author": "x"},
        {"text": "no id", "author": "x"},
    ]  # fmt: skip
    lines = "\n".join(map(json.dumps, rows)) + '\n["list"]\n\n{"broken": \n'
    frame, summary = read(table(tmp_path / "a.jsonl", lines))
    assert frame["tweet_id"].to_list() == [BIG_ID, "2", "3", "4", "5"]
    assert frame["text"].to_list() == ["a", "cut no more", "b", "RT @y: typed", "half �"]
    assert frame["kind"].to_list() == [
        "reply",
        "original",
        "retweet",
        "manual_retweet",
        "original",
    ]
    assert frame["handle"].unique().to_list() == ["x"]
    assert summary.skipped == {"no_id": 1, "not_a_tweet": 1, "bad_json": 1}
    assert summary.read == 8
    assert "line 9" in summary.warnings[0]
    assert [(b.line, b.reason) for b in summary.broken] == [(9, "bad_json")]
    array, _ = read(table(tmp_path / "a.json", json.dumps(rows)))
    assert array.drop("source_file").equals(frame.drop("source_file"))


def test_times() -> None:
    written = {
        "2018-07-01T23:04:00Z": "2018-07-01T23:04:00+00:00",
        "2018-07-01 23:04:00": "2018-07-01T23:04:00+00:00",
        "2018-07-01T23:04:00.5Z": "2018-07-01T23:04:00.500000+00:00",
        "2018-07-01T23:04:00+02:00": "2018-07-01T21:04:00+00:00",
        "2018-07-01T23:04:00-0230": "2018-07-02T01:34:00+00:00",
        " 2018-07-01 23:04 UTC ": "2018-07-01T23:04:00+00:00",
        "2018-07-01": "2018-07-01T00:00:00+00:00",
        "Sat Feb 18 12:33:11 +0000 2023": "2023-02-18T12:33:11+00:00",
        "1530486240": "2018-07-01T23:04:00+00:00",
        "1530486240500": "2018-07-01T23:04:00.500000+00:00",
        "2018-02-30": None,
        "0001-01-01 00:00:00": None,
        "99999-01-01": None,
        "yesterday": None,
        "": None,
    }
    found = parse_times(pl.Series([*written, None]))
    assert [t and t.isoformat() for t in found] == [*written.values(), None]


@given(st.lists(st.one_of(st.integers(0, 2**64).map(str), st.text(max_size=5)), max_size=20))
@settings(deadline=None)
def test_snowflake_columns_agree_with_the_single_one(ids: list[str]) -> None:
    ids = [i for i in ids if i.isascii()]
    found = snowflake_times(pl.Series(ids, dtype=pl.String))
    assert found.to_list() == [snowflake_time(i) for i in ids]


def test_an_id_of_the_years_before_holds_no_time() -> None:
    assert snowflake_time("29700859246") is None  # given in sequence, in November 2010
    assert str(snowflake_time("29700859247")) == "2010-11-04 01:43:01.738000+00:00"


# Python strips U+001C to U+001F, Polars does not; an id or text of only those does not matter.
# The csv module of Python 3.10 takes no NUL.
UNFIT = "[\x1c-\x1f\ud800-\udfff]" + ("|\x00" if sys.version_info < (3, 11) else "")
CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["RT @a: b", "1e18", "", "\x00", "2018-07-01", '"', "true", BIG_ID]),
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.lists(CELL, min_size=4, max_size=4), min_size=1, max_size=8))
def test_any_table_comes_back_as_it_was(tmp_path: Path, rows: list[list[str]]) -> None:
    rows = [[re.sub(UNFIT, "?", cell) for cell in row] for row in rows]
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "text", "date", "retweet"])
    writer.writerows(rows)
    path = table(tmp_path / "a.csv", buffer.getvalue())
    with suppress(MynahError):
        frame, summary = read(path, handle="a")
        assert summary.read == len(rows)
        ids = [re.sub(r"^(\d{1,15})\.0+$", r"\1", id_.strip()) for id_, _, _, _ in rows]
        texts = [row[1] for id_, row in zip(ids, rows, strict=True) if id_ not in ("", *NOTHING)]
        assert frame["text"].to_list() == [text for text in texts if text.strip()]
        known = set(ids)
        assert all(i in known or i.startswith("h") for i in frame["tweet_id"])


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_files_never_crash(tmp_path: Path, data: st.DataObject) -> None:
    raw = data.draw(
        st.sampled_from(
            [
                b'id,text,author,created_at\n1,"a, ""b""\nc",x,2018-07-01\n2,d,x,\n',
                b'{"id": 1, "text": "a", "user": {"screen_name": "x"}}\n{"id": 2, "text": "b"}\n',
                b'[{"id": 1, "text": "a", "author": "x"}]',
            ]
        )
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        cut = data.draw(st.integers(0, 5))
        new = st.one_of(
            st.binary(max_size=4), st.sampled_from([b'"', b",", b"\n", b"\r", b"{", b"[", b"null"])
        )
        raw = raw[:at] + data.draw(new) + raw[at + cut :]
    path = table(tmp_path / "a", raw)
    for handle in (None, "me"):
        with suppress(MynahError):
            detect(path)
        with suppress(MynahError):
            for frame in open_source(path, handle=handle).batches():
                assert frame.schema["tweet_id"] == pl.String


@pytest.mark.parametrize("kind", [pl.Datetime("us"), pl.Datetime("ms", "Asia/Tokyo"), pl.Date()])
def test_a_parquet_time_beyond_the_calendar_is_no_time(
    tmp_path: Path, kind: pl.DataType, capfd: pytest.CaptureFixture[str]
) -> None:
    """The other rows are sound, and nothing of a library's is printed."""
    day = pl.Series([date(2017, 3, 4)]).cast(pl.Datetime).cast(kind).to_physical()
    beyond = pl.Series([2**31 - 1 if kind == pl.Date() else 2**62]).cast(day.dtype)
    when = pl.concat([day, beyond]).cast(kind)
    path = tmp_path / "any.parquet"
    pl.DataFrame({"id": ["1", "2"], "text": ["a", "b"], "date": when}).write_parquet(path)
    frame, summary = read(path, handle="me")
    assert sorted(frame["text"]) == ["a", "b"]
    assert frame["created_at"].null_count() == summary.undated == 1
    assert capfd.readouterr().err == ""
