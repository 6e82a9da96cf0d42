"""An author's own threads as one text: the rule threads = "join"."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.corpus.store import Corpus
from core.curation.recipe import BUNDLED_RECIPES, Recipe, load_recipe
from core.curation.stream import curated_batches
from tests.oracles.frames import frame, hostile_frames, in_order
from tests.oracles.one_frame import account_stats, curate
from tests.shared import fill

SEPARATE = load_recipe("standard")
JOIN = SEPARATE.replace(threads="join")
STORY = ["the fog came in", "and stayed", "until the gulls grew bored of it"]


def thread(texts: list[str], answered: list[str | None], **columns: Any) -> pl.DataFrame:
    """Tweets of one account with the ids 1, 2, …"""
    return frame(texts, reply_to_id=answered, **columns)


def verdicts(rows: pl.DataFrame, recipe: Recipe = JOIN) -> list[tuple[str, str | None]]:
    return list(curate(rows, recipe).select("clean_text", "reason").iter_rows())


def test_a_thread_is_one_text_in_order() -> None:
    rows = thread(STORY, [None, "1", "2"])
    curated = curate(rows, JOIN)
    assert curated["clean_text"][0] == "the fog came in and stayed until the gulls grew bored of it"
    assert curated["reason"].to_list() == [None, "joined", "joined"]
    assert curated["kept"].to_list() == [True, False, False]
    assert curated["trigger"].to_list() == [None, "with 1", "with 1"]
    assert curate(rows, SEPARATE)["reason"].to_list() == [None, "short", None]


def test_line_breaks_stand_between_the_parts_where_a_recipe_keeps_them() -> None:
    rows = thread(STORY[:2], [None, "1"])
    assert verdicts(rows, JOIN.replace(line_breaks="keep"))[0][0] == "the fog came in\nand stayed"


def test_branches_are_joined_in_the_order_of_time() -> None:
    rows = thread([*STORY, "said somebody at noon"], [None, "1", "1", "2"])
    assert verdicts(rows)[0][0] == " ".join([*STORY, "said somebody at noon"])


def test_the_rules_on_length_are_for_the_joined_text() -> None:
    short = thread(["oh no", "not again"], [None, "1"])
    assert verdicts(short) == [("oh no not again", None), ("not again", "joined")]
    curated = curate(short, JOIN.replace(min_words=9))
    assert curated["reason"].to_list() == ["short", "joined"]
    assert curated["trigger"][0] == "4 words, 9 needed"
    longer = JOIN.replace(min_characters=20)
    assert verdicts(short, longer) == [("oh no not again", "short"), ("not again", "joined")]


def test_a_part_that_another_rule_drops_is_not_joined() -> None:
    kinds = ["original", "quote", "reply", "reply"]
    rows = thread([*STORY, "the end of it"], [None, "1", "2", "3"], kind=kinds, reply_to="someone")
    assert verdicts(rows, JOIN.replace(drop_quotes=True)) == [
        ("the fog came in until the gulls grew bored of it the end of it", None),
        ("and stayed", "quote"),
        (STORY[2], "joined"),
        ("the end of it", "joined"),
    ]


def test_the_first_part_that_is_left_holds_the_text() -> None:
    rows = thread(
        ["@bob what do you mean", "it was never there", "or so they tell me"],
        [None, "1", "2"],
        kind="reply",
        reply_to=["bob", "someone", "someone"],
    )
    assert verdicts(rows, JOIN.replace(drop_replies=True)) == [
        ("what do you mean", "reply"),
        ("it was never there or so they tell me", None),
        ("or so they tell me", "joined"),
    ]


def test_a_part_without_words_is_short_as_ever() -> None:
    rows = thread(["the fog came in", "https://t.co/abc"], [None, "1"])
    assert verdicts(rows) == [("the fog came in", None), ("", "short")]


def test_an_answer_to_somebody_else_is_no_thread() -> None:
    rows = thread(STORY, [None, "1", "99"], handle=["a", "b", "a"])
    assert verdicts(rows) == verdicts(rows, SEPARATE)


def test_what_answers_itself_or_goes_in_a_circle_stays_as_it_is() -> None:
    circle = thread(STORY, ["3", "1", "2"])
    assert [reason for _, reason in verdicts(circle)] == [None, "joined", "joined"]
    assert verdicts(thread(STORY[:1], ["1"])) == [(STORY[0], None)]


def test_joined_texts_are_compared() -> None:
    texts = ["One two", "three four", "one two THREE four", "five six seven"]
    rows = thread(texts, [None, "1", None, None])
    assert [reason for _, reason in verdicts(rows)] == [None, "joined", "duplicate", None]
    turned = thread([texts[2], texts[0], texts[1]], [None, None, "2"])
    assert [reason for _, reason in verdicts(turned)] == [None, "duplicate", "joined"]
    capped = verdicts(rows, JOIN.replace(drop_duplicates=False, most_per_author=1))
    assert sorted(str(reason) for _, reason in capped) == ["None", "cap", "cap", "joined"]


def test_names_of_sites_are_no_words_of_a_joined_text_either() -> None:
    rows = thread(["https://nasa.gov/x now", "https://nasa.gov/y then"], [None, "1"])
    recipe = JOIN.replace(links="domain")
    assert verdicts(rows, recipe)[0] == ("nasa.gov now nasa.gov then", "short")
    assert verdicts(rows, recipe.replace(min_words=2))[0][1] is None


def test_flagged_personal_data_is_shown_wherever_in_the_thread_it_is() -> None:
    rows = thread(["write to me any time", "at gull@harbour.org"], [None, "1"])
    curated = curate(rows, JOIN.replace(personal_data="flag"))
    assert curated["trigger"].to_list() == ["gull@harbour.org", "with 1"]


def test_no_hash_changes_and_only_join_is_in_one() -> None:
    for name in BUNDLED_RECIPES:
        assert load_recipe(name).threads == "separate"
    assert SEPARATE.replace(threads="separate").hash == SEPARATE.hash
    assert JOIN.hash != SEPARATE.hash


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path / "tweets.duckdb")


@pytest.mark.slow
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=hostile_frames(),
    size=st.integers(1, 30),
    seed=st.integers(0, 999),
    change=st.sampled_from(
        [{}, {"near_duplicates": 60}, {"line_breaks": "keep"}, {"links": "domain"}]
    ),
)
def test_batches_join_what_one_frame_joins_and_the_counts_add_up(
    corpus: Corpus, rows: pl.DataFrame, size: int, seed: int, change: dict[str, Any]
) -> None:
    dice = random.Random(seed)
    ids = rows["tweet_id"].to_list()
    answered = [dice.choice(ids) if dice.random() < 0.6 else None for _ in ids]
    rows = rows.with_columns(reply_to_id=pl.Series(answered, dtype=pl.String))
    recipe = JOIN.replace(**change)
    expected = in_order(curate(rows, recipe))
    fill(corpus, rows)
    got = pl.concat([expected.clear(), *curated_batches(corpus, ["a", "b"], recipe, rows=size)])
    assert got.equals(expected)
    for one in account_stats(got):
        parts = one.retweets + one.short + sum(one.dropped.values()) + one.kept
        assert one.downloaded == parts == rows.filter(pl.col("handle") == one.handle).height
