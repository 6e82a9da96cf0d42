"""Verdicts in the corpus: replaced per recipe and account, all or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.corpus import Corpus, import_path, tweets
from core.curation import curate, load_recipe, materialise
from core.curation.materialise import store

STANDARD, CLASSIC = load_recipe("standard"), load_recipe("classic")


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
    materialise(corpus, ["a"], STANDARD)
    name, digest = "standard", STANDARD.hash
    cleaned = "'); DROP TABLE verdicts; -- see now or then"
    assert verdicts(corpus) == [
        ("a", name, "0", digest, True, None, "one two three"),
        ("a", name, "1", digest, False, "short", "ok"),
        ("a", name, "2", digest, True, None, cleaned),
    ]


def test_verdicts_are_replaced_for_that_recipe_and_account_only(corpus: Corpus) -> None:
    materialise(corpus, ["a", "b"], STANDARD)
    materialise(corpus, ["a", "b"], CLASSIC)
    assert "\x00" in verdicts(corpus)[2][6]
    strict = STANDARD.replace(min_words=9)
    materialise(corpus, ["a"], strict)
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
    materialise(corpus, ["a"], STANDARD)
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


def test_an_account_without_tweets(corpus: Corpus) -> None:
    materialise(corpus, ["nobody"], STANDARD)
    assert verdicts(corpus) == []
