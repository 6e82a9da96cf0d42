"""Replies in chat and instruct exports follow what they answer, where the corpus has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.corpus.store import Corpus
from core.curation.recipe import Recipe, load_recipe
from core.dataset.answers import answers_known, cleaned
from core.dataset.options import ExportOptions
from core.dataset.verify import verify
from core.dataset.write import ExportResult, export_tweets
from core.home import Home
from tests.oracles.frames import frame
from tests.shared import fill

STANDARD = load_recipe("standard")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """bob answers alice (by a tweet with a link and &amp;), himself, nobody known, and a scold."""
    rows = pl.concat(
        [
            frame(
                ["@bob do you like fish &amp; chips? https://t.co/a1",
                 "mail me at a.b@example.org"],
                handle="alice",
                tweet_id=["11", "12"],
            ),
            frame(
                ["@alice only on very cold days", "and with a lot of vinegar",
                 "@carol who are you anyway", "@alice I never write any letters", "just a thought"],
                handle="bob",
                tweet_id=["21", "22", "23", "24", "25"],
                kind=["reply", "reply", "reply", "reply", "original"],
                reply_to=["alice", "bob", "carol", "alice", None],
                reply_to_id=["11", "21", "99", "12", None],
            ),
        ]
    )  # fmt: skip
    home = Home.at(tmp_path / "home")
    fill(Corpus(home.corpus), rows)
    return home


def exported(
    home: Home, out: Path, format_: Any, recipe: Recipe = STANDARD, **options: Any
) -> tuple[ExportResult, list[Any]]:
    chosen = ExportOptions(format_, system="", instruction="Say something.", **options)
    result = export_tweets(home, ["bob"], recipe, out, chosen)
    return result, [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def asked(rows: list[Any]) -> list[str]:
    return [row["messages"][0]["content"] for row in rows]


def test_the_tweet_answered_is_the_user_turn(home: Home, tmp_path: Path) -> None:
    result, rows = exported(home, tmp_path / "x.jsonl", "chat")
    assert asked(rows) == [
        "do you like fish & chips?",
        "only on very cold days",
        "Say something.",
        "mail me at a.b@example.org",
        "Say something.",
    ]
    assert rows[0]["messages"][1] == {"role": "assistant", "content": "only on very cold days"}
    assert result.to_json()["answered"] == 3
    assert json.loads(result.manifest.read_text())["answered"] == 3
    assert verify(result.manifest).ok

    result, rows = exported(home, tmp_path / "y.jsonl", "instruct")
    assert rows[0] == {
        "prompt": "do you like fish & chips?\n",
        "completion": "only on very cold days",
    }
    assert rows[-1]["prompt"] == "Say something.\n"


def test_links_and_mentions_are_as_the_recipe_has_them(home: Home, tmp_path: Path) -> None:
    recipe = STANDARD.replace(links="keep", mentions="keep")
    _, rows = exported(home, tmp_path / "x.jsonl", "chat", recipe)
    assert asked(rows)[0] == "@bob do you like fish & chips? https://t.co/a1"


def test_what_the_recipe_bars_is_in_no_turn(home: Home, tmp_path: Path) -> None:
    recipe = STANDARD.replace(personal_data="drop", blocked_words=("fish",))
    result, rows = exported(home, tmp_path / "x.jsonl", "chat", recipe)
    assert asked(rows)[0] == asked(rows)[3] == "Say something."
    assert result.answered == 1


def test_a_split_and_a_blend_keep_the_pairs(home: Home, tmp_path: Path) -> None:
    options = {"weights": {"bob": 1.0}, "seed": 3}
    result, rows = exported(home, tmp_path / "x.jsonl", "chat", **options)
    pairs = {row["messages"][1]["content"]: row["messages"][0]["content"] for row in rows}
    assert pairs["only on very cold days"] == "do you like fish & chips?"
    assert pairs["and with a lot of vinegar"] == "only on very cold days"
    again, _ = exported(home, tmp_path / "again" / "x.jsonl", "chat", **options)
    assert again.sha256 == result.sha256


def test_whatever_is_answered_is_shown_as_it_was_said(home: Home, tmp_path: Path) -> None:
    with Corpus(home.corpus).writing() as connection:
        connection.execute("UPDATE tweets SET text = '😂', kind = 'retweet' WHERE tweet_id = '11'")
        connection.execute("UPDATE tweets SET text = 'RT @x: so it is' WHERE tweet_id = '12'")
    _, rows = exported(home, tmp_path / "x.jsonl", "chat")
    assert asked(rows)[0] == "😂"
    assert asked(rows)[3] == "RT @x: so it is"


def test_answers_that_are_known_are_counted(home: Home, tmp_path: Path) -> None:
    corpus = Corpus(home.corpus)
    assert answers_known(corpus, ["bob"]) == 2, "not what he answers himself, nor what is not here"
    assert answers_known(corpus, ["alice"]) == 0
    assert answers_known(Corpus(tmp_path / "none.duckdb"), ["bob"]) == 0


def test_what_somebody_typed_is_cleaned_like_a_tweet() -> None:
    assert cleaned("@bob see https://t.co/a &amp; so &lt;3", STANDARD) == "see &amp; so &lt;3"
    assert cleaned("https://t.co/a", STANDARD) == ""


@pytest.mark.parametrize("format_", ["chat", "parquet", "hf", "csv"])
def test_folders_may_have_any_name(tmp_path: Path, format_: Any) -> None:
    odd = tmp_path / "a [1] {b} * handle=evil"
    odd.mkdir()
    home = Home.at(odd / "home")
    rows = frame([f"it is day {n} on the island" for n in range(9)] + ["@bob so it is, and more"],
                 handle=["bob"] * 9 + ["ann"], reply_to_id=[None] * 9 + ["1"])  # fmt: skip
    fill(Corpus(home.corpus), rows)
    options = ExportOptions(format_, split=0.1, seed=1, weights={"ann": 1, "bob": 1})
    result = export_tweets(home, ["ann", "bob"], STANDARD, odd / "out", options)
    assert verify(result.manifest).ok, verify(result.manifest).problems
    assert result.answered == (1 if format_ == "chat" else None)


def test_other_formats_count_no_answers(home: Home, tmp_path: Path) -> None:
    result, rows = exported(home, tmp_path / "x.jsonl", "jsonl")
    assert "answered" not in result.to_json()
    assert list(rows[0]) == ["tweet_id", "handle", "created_at", "kind", "text"]
