"""Verdicts in the corpus: replaced per recipe and account, all or nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import core.curation.stored_verdicts as stored_verdicts
from core.corpus.importing import import_path
from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.curation.recipe import Recipe, load_recipe
from core.curation.stored_verdicts import (
    _replace,
    _written,
    outdated,
    refresh_curated,
    store_verdicts,
)
from core.errors import Interrupted
from core.home import Home
from core.workflow.data import import_paths, sample_archives
from tests.oracles.corpus import tweets
from tests.oracles.one_frame import curate

STANDARD, CLASSIC = load_recipe("standard"), load_recipe("classic")


def store(corpus: Corpus, handles: list[str], recipe: Recipe, curated: pl.DataFrame) -> None:
    """Stores verdicts that were made before."""
    folder = corpus.path.parent
    _replace(corpus, handles, {recipe: list(_written([curated], folder, 0))})


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Three tweets of a, one of b."""
    texts = [
        ("a", "one two three"),
        ("a", "ok"),
        ("a", "'); DROP TABLE verdicts; --\x00 see (https://t.co/abc) now or then"),
        ("b", "one two three"),
    ]
    lines = [
        json.dumps({"tweet_id": str(i), "handle": handle, "text": text, "created_at": "2020-01-01"})
        for i, (handle, text) in enumerate(texts)
    ]
    (tmp_path / "tweets.jsonl").write_text("\n".join(lines) + "\n")
    made = Corpus(tmp_path / "tweets.duckdb")
    import_path(made, tmp_path / "tweets.jsonl")
    return made


def verdicts(corpus: Corpus) -> list[Any]:
    with corpus.reading() as connection:
        return connection.execute(
            "SELECT handle, recipe, tweet_id, recipe_hash, kept, reason, clean_text FROM verdicts "
            "ORDER BY handle, recipe, tweet_id"
        ).fetchall()


def test_each_tweet_gets_its_verdict(corpus: Corpus) -> None:
    store_verdicts(corpus, ["a"], STANDARD)
    name, digest = "standard", STANDARD.hash
    cleaned = "'); DROP TABLE verdicts; -- see now or then"
    assert verdicts(corpus) == [
        ("a", name, "0", digest, True, None, "one two three"),
        ("a", name, "1", digest, False, "short", "ok"),
        ("a", name, "2", digest, True, None, cleaned),
    ]


def test_verdicts_are_replaced_for_that_recipe_and_account_only(corpus: Corpus) -> None:
    store_verdicts(corpus, ["a", "b"], STANDARD)
    store_verdicts(corpus, ["a", "b"], CLASSIC)
    assert "\x00" in verdicts(corpus)[2][6]
    strict = STANDARD.replace(min_words=9)
    store_verdicts(corpus, ["a"], strict)
    assert [row[:5] for row in verdicts(corpus)] == [
        ("a", "classic", "0", CLASSIC.hash, True),
        ("a", "classic", "1", CLASSIC.hash, False),
        ("a", "classic", "2", CLASSIC.hash, True),
        ("a", "standard", "0", strict.hash, False),
        ("a", "standard", "1", strict.hash, False),
        ("a", "standard", "2", strict.hash, False),
        ("b", "classic", "3", CLASSIC.hash, True),
        ("b", "standard", "3", STANDARD.hash, True),
    ]


def test_a_failure_leaves_the_old_verdicts(corpus: Corpus) -> None:
    store_verdicts(corpus, ["a"], STANDARD)
    before = verdicts(corpus)
    curated = curate(tweets(corpus, ["a"]), STANDARD)
    with corpus.writing() as connection:
        connection.execute("CREATE UNIQUE INDEX one ON verdicts (tweet_id, handle, recipe)")
    with pytest.raises(duckdb.Error):
        store(corpus, ["a"], STANDARD, curated[[0, 0, 1]])
    assert verdicts(corpus) == before


def test_a_tweet_forgotten_meanwhile_does_not_come_back(corpus: Corpus) -> None:
    curated = curate(tweets(corpus, ["a"]), STANDARD)
    with corpus.writing() as connection:
        connection.execute("DELETE FROM tweets WHERE tweet_id = '0'")
    store(corpus, ["a"], STANDARD, curated)
    assert [row[2] for row in verdicts(corpus)] == ["1", "2"]


def test_several_recipes_at_once_and_progress(corpus: Corpus) -> None:
    seen: list[int] = []
    store_verdicts(corpus, ["a", "b"], STANDARD, CLASSIC, progress=seen.append)
    together = verdicts(corpus)
    assert seen == [4, 8]
    with corpus.writing() as connection:
        connection.execute("DELETE FROM verdicts")
    store_verdicts(corpus, ["a", "b"], STANDARD)
    store_verdicts(corpus, ["a", "b"], CLASSIC)
    assert verdicts(corpus) == together


def test_many_batches(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    store_verdicts(corpus, ["a", "b"], STANDARD)
    whole = verdicts(corpus)
    monkeypatch.setattr(sys.modules["core.curation.stored_verdicts"], "ROW_GROUP", 1)
    store_verdicts(corpus, ["b", "a"], STANDARD)
    assert verdicts(corpus) == whole


def test_stopping_changes_nothing(corpus: Corpus) -> None:
    store_verdicts(corpus, ["a"], STANDARD)
    before = verdicts(corpus)
    for asked in range(4):
        answers = iter([*[False] * asked, *[True] * 20])
        with pytest.raises(Interrupted):
            store_verdicts(
                corpus,
                ["a"],
                STANDARD.replace(min_words=9),
                CLASSIC,
                cancelled=lambda answers=answers: next(answers),  # type: ignore[misc]
            )
        assert verdicts(corpus) == before
    assert list(corpus.path.parent.glob(".mynah-*")) == []


def test_a_tweet_forgotten_during_the_work_does_not_come_back(corpus: Corpus) -> None:
    def forget(_: int) -> None:
        with corpus.writing() as connection:
            connection.execute("DELETE FROM tweets WHERE tweet_id = '0'")

    store_verdicts(corpus, ["a"], STANDARD, progress=forget)
    assert [row[2] for row in verdicts(corpus)] == ["1", "2"]


def test_what_lacks_verdicts(corpus: Corpus) -> None:
    both = [STANDARD, CLASSIC]
    assert outdated(corpus, ["a", "b", "nobody"], both) == ["a", "b"]
    store_verdicts(corpus, ["a", "b"], STANDARD)
    assert outdated(corpus, ["a", "b"], [STANDARD]) == []
    assert outdated(corpus, ["a", "b"], both) == ["a", "b"]
    store_verdicts(corpus, ["b"], CLASSIC)
    assert outdated(corpus, ["a", "b"], both) == ["a"]
    assert outdated(corpus, ["b"], [STANDARD.replace(min_words=1)]) == ["b"]
    with corpus.writing() as connection:
        connection.execute("DELETE FROM verdicts WHERE tweet_id = '3' AND recipe = 'classic'")
    assert outdated(corpus, ["b"], both) == ["b"]
    assert outdated(corpus, [], both) == []
    assert outdated(Corpus(corpus.path.with_name("none.duckdb")), ["b"], both) == []


def test_a_refresh_that_was_stopped_is_made_up_for(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    asked: list[str] = []

    def stop() -> bool:
        return "curating" in asked

    archive = sample_archives()[0]
    with pytest.raises(Interrupted):
        import_paths(
            home, [archive], progress=lambda told: asked.append(told.phase), cancelled=stop
        )
    corpus = Corpus(home.corpus)
    there = sum(account.tweets for account in accounts(corpus))
    assert there > 0
    assert verdicts(corpus) == []
    (again,) = import_paths(home, [archive])
    assert (again.new, again.updated) == (0, 0)
    assert len(verdicts(corpus)) == 2 * there
    seen: list[str] = []
    import_paths(home, [archive], progress=lambda told: seen.append(told.phase))
    assert "curating" not in seen, "nothing is judged again that has not changed"


def test_other_words_are_judged_again_though_a_refresh_was_stopped(tmp_path: Path) -> None:
    # the folder's name looks like a column, and is none
    home, path = Home.at(tmp_path / "handle=evil"), tmp_path / "tweets.csv"
    path.write_text("id,text,author\n1,the tide is out,ann\n")
    import_paths(home, [path])
    path.write_text("id,text,author\n1,the tide is out and the gulls are here,ann\n")
    asked: list[str] = []
    with pytest.raises(Interrupted):
        import_paths(
            home,
            [path],
            progress=lambda told: asked.append(told.phase),
            cancelled=lambda: "curating" in asked,
        )
    import_paths(home, [path])
    found = {(row[0], row[-1]) for row in verdicts(Corpus(home.corpus))}
    assert found == {("ann", "the tide is out and the gulls are here")}


def test_accounts_are_taken_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, path = Home.at(tmp_path / "home"), tmp_path / "tweets.csv"
    counts = (("ann", 1), ("ben", 1), ("cid", 1), ("dan", 3))
    rows = [(who, n) for who, count in counts for n in range(count)]
    path.write_text(
        "id,text,author\n"
        + "".join(f"{at},the tide is out {n},{who}\n" for at, (who, n) in enumerate(rows))
    )
    import_path(Corpus(home.corpus), path)
    taken: list[list[str]] = []

    def recorded(corpus: Corpus, group: list[str], *recipes: Recipe, **rest: Any) -> None:
        taken.append(list(group))
        store_verdicts(corpus, group, *recipes, **rest)

    told: list[tuple[int, int]] = []
    monkeypatch.setattr(stored_verdicts, "_TWEETS_AT_ONCE", 2)
    monkeypatch.setattr(stored_verdicts, "store_verdicts", recorded)
    refresh_curated(
        home, ["ann", "nobody", "ben", "cid", "dan"], progress=lambda *done: told.append(done)
    )
    assert taken == [["ann", "nobody", "ben"], ["cid"], ["dan"]]
    assert told == sorted(told)
    assert told == [(2, 12), (4, 12), (5, 12), (6, 12), (9, 12), (12, 12)]
    assert len(verdicts(Corpus(home.corpus))) == 12


def test_an_account_without_tweets(corpus: Corpus) -> None:
    store_verdicts(corpus, ["nobody"], STANDARD)
    assert verdicts(corpus) == []
