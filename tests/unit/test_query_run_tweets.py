"""SQL on what a run learned from: its own files, and no others."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import polars as pl
import pytest

from core.corpus.store import Corpus
from core.errors import InputRefused
from core.home import Home
from core.query.catalogue import catalogue
from core.query.changing import change
from core.query.result_files import format_of
from core.query.run import run_query, save_query

WHEN = datetime(2020, 1, 1, tzinfo=timezone.utc)


def ask(home: Home, sql: str) -> list[tuple[object, ...]]:
    return run_query(Corpus(home.corpus), home, sql).frame.rows()


def learned(home: Home, run: str, **splits: list[str]) -> Path:
    """A run with a dataset of these texts."""
    folder = home.runs / run / "dataset"
    folder.mkdir(parents=True)
    (home.runs / run / "run.json").write_text("{}")
    for split, texts in splits.items():
        pl.DataFrame(
            {
                "tweet_id": [f"{split}-{i}" for i in range(len(texts))],
                "handle": ["keeper"] * len(texts),
                "created_at": [WHEN] * len(texts),
                "kind": ["original"] * len(texts),
                "text": texts,
            }
        ).write_parquet(folder / f"{split}.parquet")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "it's home[1]")
    learned(home, "one", train=["the lamp", "it's lit"], valid=["a gull"])
    learned(home, "two", train=["orbit"], valid=[])
    return home


def test_every_run_with_its_splits(home: Home) -> None:
    assert ask(home, "SELECT run, split, text FROM run_tweets ORDER BY ALL") == [
        ("one", "train", "it's lit"),
        ("one", "train", "the lamp"),
        ("one", "valid", "a gull"),
        ("two", "train", "orbit"),
    ]
    names = [name for name, _ in _columns(home)]
    assert names == ["run", "split", "handle", "tweet_id", "created_at", "text"]
    ((when,),) = ask(home, "SELECT created_at FROM Run_Tweets WHERE run = 'two'")
    assert when == WHEN


def _columns(home: Home) -> list[tuple[str, str]]:
    table = catalogue(Corpus(home.corpus), home).table("run_tweets")
    assert table is not None
    assert table.is_view
    return list(table.columns)


def test_the_columns_are_those_that_the_list_of_tables_shows(home: Home) -> None:
    described = [
        (name, str(kind).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"))
        for name, kind, *_ in ask(home, "DESCRIBE run_tweets")
    ]
    assert described == _columns(home)


def test_without_runs_it_is_there_and_empty(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    assert ask(home, "FROM run_tweets") == []
    assert not home.root.exists()


def test_a_dataset_that_is_damaged_or_not_there_is_passed_over(home: Home) -> None:
    (home.runs / "one" / "dataset" / "train.parquet").write_bytes(b"PAR1 and no more")
    (home.runs / "bare").mkdir()
    (home.runs / "bare" / "run.json").write_text("{}")
    found = ask(home, "SELECT run, split FROM run_tweets ORDER BY ALL")
    assert found == [("one", "valid"), ("two", "train")]
    other = home.runs / "one" / "dataset" / "valid.parquet"
    whole = pl.read_parquet(other, glob=False)
    for changed in (whole.drop("text"), whole.with_columns(created_at=pl.lit("yesterday"))):
        changed.write_parquet(other)
        found = ask(home, "SELECT run, split, typeof(created_at) FROM run_tweets")
        assert found == [("two", "train", "TIMESTAMP WITH TIME ZONE")], "of another version"


def test_no_other_file_can_be_read_even_then(home: Home, tmp_path: Path) -> None:
    secret = tmp_path / "secret.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(secret)
    record = str(home.runs / "one" / "run.json").replace("'", "''")
    for source in (f"read_parquet('{secret}')", f"read_text('{record}')"):
        for before in ("", "run_tweets, "):
            with pytest.raises(InputRefused, match="neither read nor write files"):
                ask(home, f"FROM {before}{source}")


def test_it_can_be_written_to_a_file_and_into_a_table_but_not_changed(
    home: Home, tmp_path: Path
) -> None:
    corpus = Corpus(home.corpus)
    sql = "SELECT text FROM run_tweets ORDER BY text"
    out = tmp_path / "out.csv"
    assert save_query(corpus, home, sql, format_of(out), out) == 4
    with corpus.writing():
        pass
    made = change(corpus, home, "CREATE TABLE mine AS SELECT run, text FROM run_tweets")
    assert made is not None
    assert ask(home, "SELECT count(*) FROM mine") == [(4,)]
    with pytest.raises(InputRefused):
        change(corpus, home, "DELETE FROM run_tweets")
    assert len(ask(home, sql)) == 4
