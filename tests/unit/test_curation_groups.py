"""What must stay on one side of a held-out split: threads, conversations, near copies."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation import groups as groups_module
from core.curation.groups import MOST_COPIES, Groups
from core.curation.near_duplicates import alike
from core.tweet import id_order
from tests.oracles.frames import different_texts


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
            "text": list(texts),
            "reply_to_id": [(answered or {}).get(n) for n in places],
            "conversation_id": [(conversation or {}).get(n) for n in places],
        },
        schema=dict.fromkeys(
            ("tweet_id", "handle", "text", "reply_to_id", "conversation_id"), pl.String
        ),
    )


def held_together(frame: pl.DataFrame, at_once: int = 10_000) -> pl.Series:
    """The groups once every row was searched."""
    groups = Groups(lambda: frame.iter_slices(at_once))
    groups.search(pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True))
    return groups.number


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


@pytest.mark.slow
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
    frame = frame.sort("handle", *id_order(), "text")
    found = held_together(frame)
    assert held_together(frame, dice.randint(1, 70)).equals(found)
    groups = Groups(lambda: frame.iter_slices(23))
    places = list(range(60))
    dice.shuffle(places)
    for start in range(0, 60, 25):
        groups.search(pl.Series([n in places[start : start + 25] for n in range(60)]))
    assert groups.searched.all()
    assert groups.number.equals(found)


def test_nothing_gives_nothing_and_old_rows_need_no_new_columns() -> None:
    assert held_together(rows([])).is_empty()
    assert Groups(list).number.is_empty()
    old = rows(DIFFERENT).drop("reply_to_id", "conversation_id")
    assert held_together(old).to_list() == [0, 1, 2, 3, 4]


def test_only_what_is_searched_is_compared() -> None:
    texts = [*DIFFERENT, *(f"{text}!" for text in DIFFERENT)]
    groups = Groups(lambda: [rows(texts)])
    assert groups.number.to_list() == list(range(10))
    groups.search(pl.Series([n in (1, 8) for n in range(10)]))
    assert groups.number.to_list() == [0, 1, 2, 3, 4, 5, 1, 7, 3, 9]
    assert groups.searched.arg_true().to_list() == [1, 8]


def test_a_formula_is_crowded_and_followed_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Places named in a sentence that is otherwise the same, among others; whatever the batches."""
    names = [text.split()[0] for text in different_texts(MOST_COPIES + 2, "places")]
    assert len(set(names)) == len(names)
    texts = [
        f"{name} has a harbour, and the sea there is as grey as it was last year, if not more"
        for name in names
    ]
    frame = rows([*texts[:20], *DIFFERENT, *texts[20:]])
    formula = pl.Series(["has a harbour" in text for text in frame["text"]])
    for at_once, fewest, most in (
        (1_000, 10, 2_000),
        (7, 10, 2_000),
        (1_000, 3, 2_000),
        (99, 1, 1),
    ):
        monkeypatch.setattr(groups_module, "_FEWEST_AT_ONCE", fewest)
        monkeypatch.setattr(groups_module, "_MOST_AT_ONCE", most)
        groups = Groups(lambda at_once=at_once: frame.iter_slices(at_once))  # type: ignore[misc]
        groups.search(pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True))
        assert groups.crowded.equals(formula.alias("crowded"))
        assert groups.number.to_list() == list(range(frame.height))


@pytest.mark.parametrize("most_meetings", [2_000_000, 3])
def test_as_many_copies_as_are_followed_are_one_group(
    most_meetings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups_module, "_MOST_MEETINGS", most_meetings)
    names = [text.split()[0] for text in different_texts(MOST_COPIES + 1, "places")]
    frame = rows(
        [f"{name} has a harbour, and the sea there is grey, as it was last year" for name in names]
    )
    groups = Groups(lambda: [frame])
    groups.search(pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True))
    assert not groups.crowded.any()
    assert groups.number.to_list() == [0] * frame.height


@pytest.mark.parametrize("at", range(12))
def test_a_text_that_is_just_alike_enough_is_never_missed(at: int) -> None:
    """The second lacks as many pieces of the first as it may; the third lacks one more."""
    words = different_texts(at + 3, "edges")[at].replace(" ", "")[:28]
    short = different_texts(at + 3, "ends")[at].replace(" ", "")[:9]
    texts = [words, words[:24], words[:23], short, short[:8], short[:7]]
    texts.append(short[:8] + " and so much more that it is nothing like it")
    groups = Groups(lambda: [rows([*DIFFERENT, *texts])])
    first = len(DIFFERENT)
    groups.search(pl.Series([n in (first, first + 3) for n in range(first + 7)]))
    assert groups.number[first:].to_list() == [5, 5, 7, 8, 8, 10, 11]


def test_pairs_are_those_that_a_comparison_of_all_finds() -> None:
    """Also short texts and texts that repeat themselves, and a table of pieces cut to bits."""
    dice = random.Random(3)
    texts = ["".join(dice.choices("ab ", k=dice.randint(1, 25))).strip() or "a" for _ in range(300)]
    frame = rows(texts)
    plain = [" ".join(text.split()) for text in texts]
    groups = Groups(lambda: [frame])
    for row in range(0, 300, 10):
        groups.search(pl.Series([n == row for n in range(300)]))
        every = pl.Series(plain)
        places = np.arange(300)
        like = alike(every, places, np.full(300, row), 80) != 0
        copies = len({text for text, is_like in zip(plain, like, strict=True) if is_like}) - 1
        assert groups.crowded[row] == (copies > MOST_COPIES)
        if copies <= MOST_COPIES:
            assert groups.number.gather(np.flatnonzero(like)).n_unique() == 1
