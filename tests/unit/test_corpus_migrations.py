"""What version 0.1.0 wrote still opens: the corpus, which gets new columns, and all beside it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.corpus.import_log import import_log
from core.corpus.importing import import_path
from core.corpus.migrations import newest_version
from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.curation.recipe import load_recipe, recipe_names
from core.fetching.pending import pending_pages
from core.fetching.posts import XAccount, page_of
from core.fetching.store import load_known, store_page
from core.home import Home
from core.query.changing import change
from core.query.history import query_history
from core.query.run import run_query
from core.query.saved import saved_queries
from core.runs.folder import all_runs, find_run
from core.runs.summary import run_summary
from core.sampling.engine import Engine
from core.sampling.favourites import favourites
from core.sampling.request import Done, SampleRequest
from core.tweet import OPTIONAL, tweet_schema
from core.workbench.table import TweetTable
from tests.fixtures.home_0_1_0 import FINISHED, STOPPED, old_home
from tests.oracles.corpus import tweets

TWEETS = {"bob": 11, "harbour_gull": 60, "walker_of_long_shores": 20}
VERDICTS = [
    (handle, recipe, count)
    for handle, count in TWEETS.items()
    for recipe in ("classic", "standard")
]
FIRST = 1_600_000_000_000_000_000
STEP = 4_194_304_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return old_home(tmp_path)


def ask(home: Home, sql: str) -> list[Any]:
    return run_query(Corpus(home.corpus), home, sql).frame.rows()


def version(home: Home) -> int:
    return int(ask(home, "SELECT max(version) FROM schema_version")[0][0])


def counts(home: Home) -> list[Any]:
    return [
        ask(home, "SELECT handle, count(*) FROM tweets GROUP BY ALL ORDER BY ALL"),
        ask(home, "SELECT handle, recipe, count(*) FROM curated GROUP BY ALL ORDER BY ALL"),
        ask(home, "SELECT handle, recipe, downloaded, kept FROM account_stats ORDER BY ALL"),
        ask(home, "SELECT handle, read, new, updated FROM imports ORDER BY ALL"),
        ask(home, "FROM fetched_ranges SELECT handle, newest_id, posts, cost_usd"),
        ask(home, "FROM import_skips SELECT handle, line, reason"),
        ask(home, "FROM forgotten_tweets SELECT handle, tweet_id"),
        ask(home, "FROM runs SELECT run, state ORDER BY ALL"),
        ask(home, "SELECT run, count(*) FROM metrics GROUP BY ALL ORDER BY ALL"),
        ask(home, "SELECT count(*) FROM samples"),
    ]


def test_an_old_corpus_is_read_as_it_lies(home: Home) -> None:
    before = home.corpus.read_bytes()
    corpus = Corpus(home.corpus)
    assert version(home) == 3
    assert {row.handle: row.tweets for row in accounts(corpus)} == TWEETS
    rows = tweets(corpus, list(TWEETS))
    assert (rows.height, dict(rows.schema)) == (91, tweet_schema())
    assert TweetTable.read(corpus, list(TWEETS)).height == 91
    named = ask(home, "SELECT reply_to_id, quoted_id, conversation_id, alt_text FROM tweets")
    assert named == [(None,) * 4] * 91
    assert "rowid" not in run_query(corpus, home, "FROM tweets").frame.columns
    with corpus.reading() as connection:  # two may read at once
        assert connection.execute("SELECT count(*) FROM tweets").fetchall() == [(91,)]
        assert len(tweets(corpus, ["bob"])) == 11
    assert home.corpus.read_bytes() == before


@pytest.mark.slow
def test_an_old_corpus_is_brought_up_to_date_by_the_first_change(home: Home) -> None:
    before = counts(home)
    assert before[0] == list(TWEETS.items())
    assert before[1] == VERDICTS
    with Corpus(home.corpus).writing():
        pass
    assert version(home) == newest_version()
    assert counts(home) == before
    found = ask(home, "SELECT column_name, data_type FROM duckdb_columns() "
                      "WHERE table_name = 'tweets' AND schema_name = 'main'")  # fmt: skip
    assert dict.fromkeys(OPTIONAL, "VARCHAR").items() <= dict(found).items()
    rows = tweets(Corpus(home.corpus), list(TWEETS))
    assert rows.select(OPTIONAL).null_count().row(0) == (91,) * 4


def test_a_migration_that_fails_changes_nothing(home: Home) -> None:
    def fails() -> None:
        with Corpus(home.corpus).writing():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert version(home) == 3
    assert len(tweets(Corpus(home.corpus), ["bob"])) == 11


def test_a_person_may_write_to_an_old_corpus(home: Home) -> None:
    done = change(Corpus(home.corpus), home, "CREATE TABLE mine AS FROM tweets")
    assert done is not None
    assert ask(home, "SELECT count(*), count(reply_to_id) FROM mine") == [(91, 0)]
    assert version(home) == newest_version()


def test_importing_again_fills_in_what_is_new(home: Home, tmp_path: Path) -> None:
    corpus = Corpus(home.corpus)
    before = tweets(corpus, ["harbour_gull"])
    (again,) = import_path(corpus, tmp_path / "gull.zip")
    after = tweets(corpus, ["harbour_gull"])
    assert after.drop(OPTIONAL).equals(before.drop(OPTIONAL))
    filled = {row["tweet_id"]: row for row in after.iter_rows(named=True)}
    answer, thread, quote = (filled[str(FIRST + n * STEP)] for n in (1, 2, 3))
    assert answer["reply_to_id"] == str(1_500_000_000_000_000_001)
    assert thread["reply_to_id"] == answer["tweet_id"]
    assert quote["quoted_id"] == str(1_500_000_000_000_000_003)
    assert after["reply_to_id"].count() == 20
    assert after["quoted_id"].count() == 10
    assert (again.new, again.updated, again.duplicates, again.skipped) == (0, 30, 30, {})
    (third,) = import_path(corpus, tmp_path / "gull.zip")
    assert (third.new, third.updated, third.duplicates) == (0, 0, 60)
    (bob,) = import_path(corpus, tmp_path / "bob.csv")
    assert (bob.new, bob.duplicates, bob.skipped) == (0, 11, {"forgotten": 1, "no_text": 1})


def test_fetching_fills_in_what_an_archive_did_not_say(home: Home) -> None:
    corpus = Corpus(home.corpus)
    old = tweets(corpus, ["harbour_gull"], newest_first=False).row(0, named=True)
    post = {"id": old["tweet_id"], "text": old["text"], "conversation_id": "5", "lang": "de",
            "referenced_tweets": [{"type": "replied_to", "id": "6"}]}  # fmt: skip
    account = XAccount("4242", "harbour_gull", "A Gull")
    for updated in (1, 0):
        page = page_of({"data": [post]}, account, since=None, until=None)
        done = store_page(corpus, account, page, None, Decimal(0))
        assert (done.new, done.updated) == (0, updated)
    new = tweets(corpus, ["harbour_gull"], newest_first=False).row(0, named=True)
    assert (new["text"], new["lang"]) == (old["text"], old["lang"])
    assert [new[name] for name in OPTIONAL] == ["6", None, "5", None]
    post |= {"conversation_id": "7", "referenced_tweets": [{"type": "replied_to", "id": "8"}]}
    page = page_of({"data": [post]}, account, since=None, until=None)
    assert store_page(corpus, account, page, None, Decimal(0)).updated == 0, "it stays as known"


def test_what_lies_beside_the_corpus_opens(home: Home) -> None:
    assert {run.id: run_summary(run).state for run in all_runs(home)} == {
        FINISHED: "finished",
        STOPPED: "stopped",
    }
    assert "no_replies" in recipe_names(home)
    recipe = load_recipe("no_replies", home)
    assert (recipe.drop_replies, recipe.min_words) == (True, 4)
    assert query_history(home)[-1] == "FROM curated WHERE NOT kept"
    (own,) = [query for query in saved_queries(home) if query.own]
    assert own.title == "Gull by month"
    assert len(ask(home, own.sql)) == 1
    (kept,) = favourites(home)
    assert (kept.text, kept.run, kept.copy.verdict) == ("the lamp is a gull", FINISHED, "new")
    assert json.loads(home.settings.read_text())["recipe"] == "no_replies"
    ((_, page),) = pending_pages(home, "harbour_gull")
    assert (page.account.account_id, page.cost) == ("4242", Decimal("0.005"))
    assert load_known(Corpus(home.corpus), "walker_of_long_shores").posts_here == 20
    assert [(record.file, record.read) for record in import_log(Corpus(home.corpus))][-2:] == [
        ("bob.csv", 13),
        ("gull.zip", 60),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("run", [FINISHED, STOPPED])
def test_the_model_of_an_old_run_still_writes(home: Home, run: str) -> None:
    request = SampleRequest("the lamp", n=2, max_tokens=12, seed=3, allow_copies=True)
    engine = Engine.of(find_run(home, run).model, "cpu")
    made = [event.sample for event in engine.generate(request) if isinstance(event, Done)]
    assert sorted(one.index for one in made) == [0, 1]
    assert all(one.text.startswith("the lamp") for one in made)
