"""What must stay on one side of a held-out split: threads, conversations, near copies."""

from __future__ import annotations

import random
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation import groups
from core.curation.groups import held_together
from core.tweet import id_order


def rows(
    texts: Sequence[str],
    answered: dict[int, str | None] | None = None,
    conversation: dict[int, str] | None = None,
    handle: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Kept tweets with the ids 1, 2, …; the others by place."""
    places = range(len(texts))
    return pl.DataFrame(
        {
            "tweet_id": [str(n + 1) for n in places],
            "handle": handle or ["a"] * len(texts),
            "clean_text": list(texts),
            "reply_to_id": [(answered or {}).get(n) for n in places],
            "conversation_id": [(conversation or {}).get(n) for n in places],
        },
        schema=dict.fromkeys(
            ("tweet_id", "handle", "clean_text", "reply_to_id", "conversation_id"), pl.String
        ),
    )


DIFFERENT = [
    "the ferry left before the fog came in",
    "nobody told the gull about the new nets",
    "seven lamps and not one of them is lit",
    "we baked bread in the signal house again",
    "a storm is only weather with an audience",
]


def test_tweets_that_differ_in_one_number_are_one_group() -> None:
    texts = [f"Day {n} of walking to the lighthouse and back" for n in range(300)]
    found = held_together(rows([*texts, *DIFFERENT]))
    assert found[:300].n_unique() == 1
    assert found.n_unique() == 1 + len(DIFFERENT)


def test_near_copies_of_two_accounts_are_one_group() -> None:
    texts = ["a long sentence about the harbour and its boats, told twice", "one two three"]
    found = held_together(rows([texts[0], texts[1], texts[0] + "!"], handle=["a", "a", "b"]))
    assert found.to_list() == [0, 1, 0]


def test_a_thread_is_one_group_down_to_its_last_part() -> None:
    found = held_together(rows(DIFFERENT, {1: "1", 2: "2", 4: "3"}))
    assert found.to_list() == [0, 0, 0, 3, 0]


def test_a_tweet_that_is_not_there_still_holds_its_answers_together() -> None:
    found = held_together(rows(DIFFERENT, {1: "77", 3: "77"}))
    assert found.to_list() == [0, 1, 2, 1, 4]


def test_a_conversation_is_one_group_but_not_across_accounts() -> None:
    there = {0: "9", 2: "9", 3: "9"}
    found = held_together(rows(DIFFERENT, conversation=there, handle=["a", "a", "a", "b", "b"]))
    assert found.to_list() == [0, 1, 0, 3, 4]
    same_ids = held_together(rows(DIFFERENT, {1: "1"}, handle=["a", "b", "a", "b", "b"]))
    assert same_ids.n_unique() == 5


def test_a_thread_and_its_near_copies_are_one_group() -> None:
    texts = [*DIFFERENT, DIFFERENT[4] + "!"]
    found = held_together(rows(texts, {4: "1"}))
    assert found.to_list() == [0, 1, 2, 3, 0, 0]


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_neither_order_nor_batches_matter(seed: int) -> None:
    dice = random.Random(seed)
    texts = [
        f"{dice.choice(DIFFERENT)} {dice.choice(['', 'again', 'once more with feeling'])}"
        for _ in range(60)
    ]
    answered = {n: str(dice.randint(1, 70)) for n in range(60) if dice.random() < 0.2}
    frame = rows(texts, answered, handle=[dice.choice("ab") for _ in texts])
    found = held_together(frame)
    places = list(range(60))
    dice.shuffle(places)
    assert held_together(frame[places]).equals(found[places])
    ordered = frame.with_columns(group=found).sort("handle", *id_order(), "clean_text")
    batches = ordered.drop("group").iter_slices(dice.randint(1, 70))
    assert held_together(batches).to_list() == ordered["group"].to_list()


def test_nothing_gives_nothing_and_old_rows_need_no_new_columns() -> None:
    assert held_together(rows([])).is_empty()
    assert held_together(iter([])).is_empty()
    old = rows(DIFFERENT).drop("reply_to_id", "conversation_id")
    assert held_together(old).to_list() == [0, 1, 2, 3, 4]


def test_texts_in_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = rows([f"{text} {n % 3}" for n in range(40) for text in DIFFERENT])
    expected = held_together(frame)
    monkeypatch.setattr(groups, "_TEXTS_IN_A_FILE", 7)
    assert held_together(frame).equals(expected)
    assert expected.n_unique() == len(DIFFERENT)
