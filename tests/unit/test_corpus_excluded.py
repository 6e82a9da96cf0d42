"""Tweets that a person leaves out of training: every driver respects the list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.bulk.curate import curate_corpus
from core.corpus.excluded import exclude_tweets, excluded_tweets, find_tweets, include_tweets
from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.curation.recipe import load_recipe
from core.curation.stored_verdicts import outdated, store_verdicts
from core.curation.stream import curated_batches
from core.errors import InputRefused
from core.forgetting import forget
from core.home import Home
from core.query.run import run_query
from core.workbench.bench import Workbench
from tests.fixtures.home_0_1_0 import old_home
from tests.unit.cli import mynah

STANDARD = load_recipe("standard")
WORDS = {
    "1": "the gulls came back this morning",
    "2": "The gulls came back this morning",  # a duplicate of 1
    "3": "nobody asked the lamp about it",
    "4": "ok",
    "5": "five sails on the horizon today",
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    for who in ("ann", "bob"):
        path = tmp_path / f"{who}.csv"
        lines = [f"{number},{words},{who}" for number, words in WORDS.items()]
        path.write_text("id,text,author\n" + "\n".join(lines) + "\n")
        import_path(Corpus(home.corpus), path)
    return home


@pytest.fixture
def corpus(home: Home) -> Corpus:
    return Corpus(home.corpus)


def reasons(frame: pl.DataFrame, handle: str = "ann") -> dict[str, str | None]:
    rows = frame.filter(pl.col("handle") == handle).sort("tweet_id")
    return dict(rows.select("tweet_id", "reason").iter_rows())


def streamed(corpus: Corpus, **options: Any) -> pl.DataFrame:
    return pl.concat(curated_batches(corpus, ["ann", "bob"], STANDARD, **options))


BEFORE = {"1": None, "2": "duplicate", "3": None, "4": "short", "5": None}
AFTER = {"1": "excluded", "2": None, "3": None, "4": "short", "5": None}


def test_it_has_a_reason_of_its_own_and_the_next_of_its_duplicates_stays(corpus: Corpus) -> None:
    columns = streamed(corpus).columns
    assert reasons(streamed(corpus)) == BEFORE
    assert exclude_tweets(corpus, [("ann", "1")]) == 1
    assert exclude_tweets(corpus, [("ann", "1")]) == 0
    for rows in (1, 2, 100):
        found = streamed(corpus, rows=rows)
        assert (reasons(found), reasons(found, "bob")) == (AFTER, BEFORE)
        assert found.columns == columns
    assert excluded_tweets(corpus) == excluded_tweets(corpus, ["ann"]) == [("ann", "1")]
    assert excluded_tweets(corpus, ["bob"]) == []
    assert include_tweets(corpus, [("ann", "1"), ("ann", "3")]) == 1
    assert reasons(streamed(corpus)) == BEFORE


def test_every_recipe_and_driver_respects_it(home: Home, corpus: Corpus, tmp_path: Path) -> None:
    exclude_tweets(corpus, [("ann", "1"), ("ann", "4")])
    after = AFTER | {"4": "excluded"}
    bench = Workbench(home, ["ann", "bob"])
    curation = bench.curate(STANDARD)
    assert reasons(curation.frame) == after
    assert curation.stats[0].dropped == {"excluded": 2}
    classic = bench.curate(load_recipe("classic"))
    assert {"1", "4"} == {one for one, why in reasons(classic.frame).items() if why == "excluded"}
    bulk = curate_corpus(home, ["ann", "bob"], tmp_path / "bulk", STANDARD, partitions=2)
    assert reasons(pl.read_parquet(bulk.path / "part-00000.parquet")) == after
    (stats,) = mynah("stats", "ann", "--json", home=home.root).json()
    assert (stats["kept"], stats["dropped"]) == (3, {"excluded": 2})
    assert sum((stats["retweets"], stats["short"], stats["kept"], 2)) == stats["downloaded"] == 5
    assert "excluded" in mynah("stats", "ann", home=home.root).text
    for who, kept in (("ann", {"2", "3", "5"}), ("bob", {"1", "3", "5"})):
        path = tmp_path / f"{who}.jsonl"
        mynah("export", who, "--format", "jsonl", "-o", path, home=home.root)
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert {row["tweet_id"] for row in rows} == kept
    manifest = json.loads((tmp_path / "ann.jsonl.manifest.json").read_text())
    assert "'excluded': 2" in str(manifest)


def test_the_table_of_the_app_changes_without_reading_again(home: Home) -> None:
    bench = Workbench(home, ["ann", "bob"])
    before = bench.curate(STANDARD)
    bench.table.exclude([("ann", "1"), ("nobody", "1"), ("ann", "no number")])
    assert reasons(bench.curate(STANDARD).frame) == AFTER
    bench.table.exclude([])
    assert bench.curate(STANDARD).frame.equals(before.frame)


def test_what_sql_shows_follows(home: Home, corpus: Corpus) -> None:
    def stored() -> dict[str, str | None]:
        found = "SELECT tweet_id, handle, reason FROM curated WHERE recipe = 'standard'"
        return reasons(run_query(corpus, home, found).frame)

    store_verdicts(corpus, ["ann", "bob"], STANDARD)
    exclude_tweets(corpus, [("ann", "1")])
    assert stored() == BEFORE | {"1": "excluded"}
    assert outdated(corpus, ["ann", "bob"], [STANDARD]) == ["ann"]
    store_verdicts(corpus, ["ann"], STANDARD)
    assert stored() == AFTER
    assert outdated(corpus, ["ann", "bob"], [STANDARD]) == []
    include_tweets(corpus, [("ann", "1")])
    assert outdated(corpus, ["ann", "bob"], [STANDARD]) == ["ann"]
    listed = run_query(corpus, home, "SELECT handle, tweet_id FROM excluded_tweets").frame
    assert listed.rows() == []


def test_an_import_leaves_it_and_forgetting_takes_it_off_the_list(
    home: Home, corpus: Corpus, tmp_path: Path
) -> None:
    exclude_tweets(corpus, [("ann", "1"), ("ann", "3"), ("bob", "3")])
    import_path(corpus, tmp_path / "ann.csv")
    assert len(excluded_tweets(corpus)) == 3
    assert forget(corpus, home, tweet_id="3").rows["excluded_tweets"] == 2
    assert excluded_tweets(corpus) == [("ann", "1")]
    forget(corpus, home, handles=["ann"])
    assert excluded_tweets(corpus) == []


def test_a_corpus_of_an_older_version(tmp_path: Path) -> None:
    home = old_home(tmp_path)
    corpus = Corpus(home.corpus)
    assert excluded_tweets(corpus) == []
    tweet_id = str(Workbench(home, ["bob"]).curate(STANDARD).frame["tweet_id"][0])
    assert exclude_tweets(corpus, find_tweets(corpus, [tweet_id])) == 1
    found = pl.concat(curated_batches(corpus, ["bob"], STANDARD))
    assert reasons(found, "bob")[tweet_id] == "excluded"


def test_no_such_tweet(corpus: Corpus) -> None:
    assert find_tweets(corpus, ["1", "3"]) == [
        ("ann", "1"),
        ("ann", "3"),
        ("bob", "1"),
        ("bob", "3"),
    ]
    with pytest.raises(InputRefused, match="no tweet 77"):
        find_tweets(corpus, ["1", "77"])
