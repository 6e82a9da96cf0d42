"""A query's rows: into files, onto the clipboard, onto the screen."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from core.corpus.store import Corpus
from core.errors import InputRefused, Interrupted, WrongUsage
from core.home import Home
from core.query.refusal import QueryRefused
from core.query.result_files import write_result
from core.query.run import QueryOptions, run_query, save_query
from tests.fixtures.five_tweets import home_with_five_tweets


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_with_five_tweets(tmp_path)


def test_writing_results(home: Home, tmp_path: Path) -> None:
    sql = "FROM tweets SELECT tweet_id, created_at, sources, 15::HUGEINT AS f ORDER BY tweet_id"
    result = run_query(Corpus(home.corpus), home, sql, limit=1)
    expected = [
        {
            "tweet_id": "0",
            "created_at": "2023-02-18T12:33:11+00:00",
            "sources": ["x-archive"],
            "f": 15,
        }
    ]
    assert json.loads(write_result(result, "json", None) or "") == expected
    assert write_result(result, "jsonl", tmp_path / "a.jsonl") is None
    assert json.loads((tmp_path / "a.jsonl").read_text()) == expected[0]
    write_result(result, "parquet", tmp_path / "a.parquet")
    assert pl.read_parquet(tmp_path / "a.parquet").height == 1
    assert (
        (write_result(result, "csv", None) or "").splitlines()[1].endswith('"[""x-archive""]",15')
    )
    with pytest.raises(WrongUsage):
        write_result(result, "parquet", None)
    with pytest.raises(InputRefused, match="cannot be written"):
        write_result(result, "csv", tmp_path / "no" / "such" / "folder.csv")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet"])
def test_all_rows_into_a_file(
    home: Home, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slice by slice, and yet the bytes (or with Parquet the rows) of one that is held whole."""
    sql = (
        "SELECT range AS n, sum(1) OVER (ORDER BY range) AS wide, [range] AS l, "
        "if(range < 12000, range, 10::HUGEINT ** 30)::DECIMAL(38, 0) AS wide_at_the_end "
        "FROM range(13000)"
    )
    monkeypatch.setattr("core.query.batches._SLICE", 10_000)
    corpus, counts = Corpus(home.corpus), [0]
    options = QueryOptions(fetched=counts.append)
    folder = tmp_path / "in[1]"
    folder.mkdir()
    out, whole = folder / f"all.{kind}", folder / f"whole.{kind}"
    assert save_query(corpus, home, sql, kind, out, options=options) == 13_000
    assert len(counts) == 3
    assert counts == sorted(counts)
    write_result(run_query(corpus, home, sql), kind, whole)
    if kind == "parquet":
        assert pl.read_parquet(out, glob=False).equals(pl.read_parquet(whole, glob=False))
    else:
        assert out.read_bytes() == whole.read_bytes()
    assert sorted(folder.iterdir()) == [out, whole]


def test_a_file_is_replaced_as_a_whole_or_not_at_all(home: Home, tmp_path: Path) -> None:
    corpus, out = Corpus(home.corpus), tmp_path / "out.csv"
    out.write_text("as it was")
    with pytest.raises(QueryRefused):
        save_query(corpus, home, "SELECT nothing FROM tweets", "csv", out)
    arrived: list[int] = []
    options = QueryOptions(cancelled=lambda: bool(arrived), fetched=arrived.append)
    with pytest.raises(Interrupted):
        save_query(corpus, home, "FROM range(1000000)", "csv", out, options=options)
    assert out.read_text() == "as it was"
    assert list(tmp_path.glob("*part*")) == list(tmp_path.glob(".*")) == []


def test_cells_that_a_spreadsheet_would_run_are_guarded(home: Home) -> None:
    result = run_query(Corpus(home.corpus), home, "SELECT '=1+1' AS f, -1 AS n, '@gull' AS who")
    assert write_result(result, "csv", None) == "f,n,who\n'=1+1,-1,'@gull\n"
    raw = write_result(result, "csv", None, spreadsheet_safe=False)
    assert raw == "f,n,who\n=1+1,-1,@gull\n"


def test_what_is_copied_is_the_plain_value(home: Home) -> None:
    sql = "SELECT 'a\x1b[31m\tb' AS t, 1/3::DOUBLE AS f, NULL AS n, ['x'] AS l, true AS b"
    result = run_query(Corpus(home.corpus), home, sql)
    values = [result.value(0, column) for column in range(5)]
    assert values == ["a\x1b[31m\tb", "0.3333333333333333", "", '["x"]', "true"]
    assert result.row_text(0) == '"a\x1b[31m\tb"\t0.3333333333333333\t\t"[""x""]"\ttrue'
    exact = "12345678901234567890.123456789"
    result = run_query(
        Corpus(home.corpus), home, f"SELECT {exact}::DECIMAL(38, 9), 1.1::DECIMAL(5, 2)"
    )
    assert [result.value(0, column) for column in range(2)] == [exact, "1.10"]
    many = run_query(Corpus(home.corpus), home, "SELECT 'a\nb' || range FROM range(5)")
    assert many.column_text(0, 2) == "a b0\na b1"


def test_cells_are_safe_to_show(home: Home) -> None:
    result = run_query(Corpus(home.corpus), home, "SELECT '\x1b[31m' AS \"\u202e\", NULL, 1.5")
    assert result.cells(0) == ["␛[31m", "", "1.5"]
    assert result.layout()[0][0] == "‹202E›"


def test_columns_are_wide_enough_for_the_last_row(home: Home) -> None:
    result = run_query(Corpus(home.corpus), home, "SELECT range AS n FROM range(1000000)")
    assert result.layout() == [("n", 6, True)]
