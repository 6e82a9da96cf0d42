"""Plots in sentences: the curves of a run, two runs beside each other, counts, profiles, copies."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from core.curation.counts import AccountStats
from core.curation.profile import LENGTH_BINS, Profile
from core.runs.history import RunHistory
from core.runs.settings import settings_for
from core.runs.summary import RunSummary
from core.sampling.nearest import NearTweet
from core.sampling.request import Copy
from tui.profile.sentences import profile_sentences
from tui.text.runs import compared, memory_curve, train_curve
from tui.text.samples import copy_in_words, near_in_words
from tui.text.stats import changes_in_words, counts_in_words

RUN = RunSummary(
    run="one", handles=["keeper"], names={}, base="smollm2", method="lora", preset="fast",
    state="finished", reason="", doing="", step=300, steps=300, train_loss=3.0, valid_loss=3.61,
    started=None, ended=None, device="cpu", folder=Path("one"),
    settings=settings_for("fast", "smollm2", minutes=2.0),
)  # fmt: skip


def curve(*losses: float | None) -> RunHistory:
    history = RunHistory()
    history.take(
        {"kind": "train", "step": number, "loss": loss} for number, loss in enumerate(losses, 1)
    )
    return history


def test_where_the_loss_began_and_is() -> None:
    assert train_curve(curve()) is None
    assert train_curve(curve(4.6)) is None
    assert train_curve(curve(4.6, 3.0)) == "The training loss fell from 4.60 to 3.00 in 2 steps."
    assert train_curve(curve(4.6, None, 2.97, 3.0)) == (
        "The training loss fell from 4.60 to 3.00 in 4 steps, lowest 2.97 at step 3."
    )
    assert train_curve(curve(3.0, 3.4)) == (
        "The training loss rose from 3.00 to 3.40 in 2 steps, lowest 3.00 at step 1."
    )
    assert train_curve(curve(3.0, 2.5, 3.0)) == (
        "The training loss is 3.00 after 3 steps, as it began, lowest 2.50 at step 2."
    )


@pytest.mark.parametrize(
    ("slope", "said"),
    [(-0.02, "still falling."), (0.0, "hardly changing at the end."), (0.02, "rising at the end.")],
)
def test_the_trend_is_told_from_the_noise(slope: float, said: str) -> None:
    rng = random.Random(1)
    losses = [4.0 + slope * number + rng.gauss(0, 0.05) for number in range(60)]
    assert (train_curve(curve(*losses)) or "").endswith(said)


def test_what_it_gives_back_over_time() -> None:
    history = RunHistory()
    assert memory_curve(history) is None
    for step, share in ((40, 0.0), (300, 0.031)):
        history.take([{"kind": "memorisation", "step": step, "train": share, "held_out": 0.0}])
    assert memory_curve(history) == (
        "What it gives back of its training phrases word for word rose from 0 % at step 40 to "
        "3.1 % at step 300."
    )


def test_two_runs_are_compared_by_loss_and_settings() -> None:
    other = replace(
        RUN, run="two", name="night", valid_loss=3.42,
        settings=settings_for("fast", "smollm2", minutes=5.0),
    )  # fmt: skip
    assert compared(RUN, other) == [
        "The held-out loss of one is 3.61, that of night is 3.42: night is better by 0.19.",
        "They differ in minutes: 2 and 5.",
    ]
    assert compared(other, RUN)[0].endswith("that of one is 3.61: night is better by 0.19.")
    endless = replace(RUN, run="two", settings=settings_for("fast", "smollm2"))
    assert compared(endless, other)[1] == "They differ in minutes: no limit and 5."
    assert compared(RUN, replace(RUN, run="two")) == [
        "The held-out loss of one is 3.61, that of two is 3.61: they are as good as each other.",
        "They have the same settings.",
    ]
    nothing = compared(RUN, replace(RUN, run="two", valid_loss=None))
    assert nothing[0] == "The run two has no held-out loss, so the two cannot be compared."
    elsewhere = compared(RUN, replace(RUN, run="two", handles=["gull"], valid_loss=3.0))
    assert elsewhere[1].startswith("They learn from different accounts")
    assert elsewhere[2] == "They differ in accounts: keeper and gull."


def stats(kept: int, **dropped: int) -> AccountStats:
    return AccountStats(
        handle="keeper", name="", downloaded=100, retweets=20, short=5, kept=kept,
        dropped=dict(dropped), kept_chars=1000, tokens=None, blocks=None,
        seed_chars=0,
    )  # fmt: skip


def test_counts_and_what_a_rule_changed() -> None:
    before, now = stats(70, duplicate=5), stats(65, duplicate=5, reply=5)
    assert counts_in_words(before) == [
        "Tweets downloaded: 100.", "Retweets: 20.", "Short tweets: 5.", "Duplicates: 5.",
        "Tweets kept: 70.",
    ]  # fmt: skip
    assert changes_in_words(before, now) == [
        "Tweets kept: 65, 5 fewer than before.",
        "Replies: 5, 5 more than before.",
    ]
    assert changes_in_words(now, now) == []


def test_a_profile_is_read_out() -> None:
    lengths = [0] * LENGTH_BINS
    lengths[2], lengths[4], lengths[-1] = 1, 2, 1
    hours = [0] * 24
    hours[7], hours[20] = 1, 3
    said = profile_sentences(
        Profile(
            "keeper", tweets=5, kept=4, kinds=Counter(original=4, retweet=1),
            languages=Counter(en=3, und=1), lengths=lengths, hours=hours,
            months={"2019-12": (1, 1), "2020-01": (4, 3)}, words=[("lamp", 3)], apart=[("fog", 2)],
        )
    )  # fmt: skip
    assert said == [
        "@keeper: 4 kept of 5, replies 0 % of own tweets.",
        "The tweets are from December 2019 to January 2020. Kept by year: 1 in 2019, 3 in 2020. "
        "The busiest month was January 2020, with 3 kept.",
        "Lengths of the cleaned tweets: 25 % have under 60 characters, 50 % from there to 139, "
        "25 % have more. The commonest length is 80 to 99.",
        "Hours in UTC, for exports tell no time zone: 0 % from 0 to 6, 25 % from 6 to 12, 0 % from "
        "12 to 18, 75 % from 18 to 24 o'clock. The busiest hour begins at 20, with 3 tweets.",
        "Kinds of tweets: original 80 % (4), retweets 20 % (1).",
        "The commonest words: lamp (3).",
        "Words that set it apart from the others: fog (2).",
        "Hashtags: none.",
        "Languages, as the source says: en (3), unknown (1).",
    ]
    assert profile_sentences(Profile("all"))[0].startswith("@all: "), "an account's name"
    empty = profile_sentences(Profile("all", together=True))
    assert empty[0].startswith("All accounts together: ")
    assert empty[1:4] == [
        "No tweet has a date.",
        "No tweet is kept, so there are no lengths.",
        "No kept tweet has a time.",
    ]


def test_copies_and_what_is_near() -> None:
    assert copy_in_words(Copy("new", 3, None)) == ""
    assert copy_in_words(Copy("verbatim", 9, "17", 1.0, ("17",))) == (
        "This is a training tweet word for word: tweet 17."
    )
    assert copy_in_words(Copy("near", 7, "17", 0.8, ("17", "18"))) == (
        "This is close to a training tweet: 7 words in a row, and 80 % of all its words, are in "
        "tweet 17 and 18."
    )
    assert "could not be checked" in copy_in_words(Copy("unchecked", 0, None))
    when = datetime(2023, 10, 2, tzinfo=timezone.utc)
    near = NearTweet("17", "keeper", when, "The lamp is lit.", 0.5, ("lamp", "lit"))
    assert near_in_words(near) == (
        "@keeper, 2 Oct 2023, nearness 0.50 of 1; words in both: lamp, lit.",
        "The lamp is lit.",
    )
