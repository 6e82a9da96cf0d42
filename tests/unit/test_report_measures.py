"""The measures of a report: known values worked by hand, and what must hold for any texts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.report.authorship import Classifier, deltas
from core.report.copying import copies, novelty
from core.report.intervals import Estimate, auc, distance, mean, ratio, share
from core.report.leaks import beginning_and_rest, membership
from core.report.likelihood import TextNats
from core.report.masking import common_words, mask
from core.report.profiles import FEATURES, Profiles, jensen_shannon
from core.report.variety import SEGMENT, distinct, self_bleu
from core.sampling.copies import CopyIndex

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
TEXTS = st.lists(st.text("ab .,!#@😀A", max_size=30), min_size=1, max_size=12)
SEA = [f"the lamp is lit on night {n} and the fog comes in again" for n in range(60)]
SPACE = [f"Watch LIVE: @station crew {n} launches today! #Launch{n}" for n in range(60)]


def inside(one: Estimate) -> bool:
    if one.value is None or one.interval is None:
        return True
    return one.interval[0] <= one.value <= one.interval[1]


# ── intervals ────────────────────────────────────────────────────────────────────────────


def test_wilson_by_hand() -> None:
    none = share([False] * 200)
    assert none.value == 0
    assert none.interval == pytest.approx((0, 0.0188), abs=1e-4)  # z² / (n + z²)
    half = share([True, False] * 50)
    assert half.interval == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert share([]) == Estimate(None, 0)


def test_the_ends_of_a_share_are_shares() -> None:
    for n in range(1, 200):
        for hit in (True, False):
            found = share([hit] * n)
            assert found.interval is not None
            assert 0 <= found.interval[0] <= found.interval[1] <= 1, n


@given(st.lists(NUMBERS, min_size=1, max_size=40))
@settings(max_examples=30)
def test_a_mean_lies_in_its_interval(values: list[float]) -> None:
    found = mean(values)
    assert found.value == pytest.approx(sum(values) / len(values), abs=1e-6)
    assert found.n == len(values)
    assert inside(found)
    assert (found.interval is None) == (len(values) == 1)


def test_a_bootstrap_interval_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400).tolist()
    found = mean(values)
    assert found.interval is not None
    half = 1.96 * np.std(values) / math.sqrt(400)
    assert found.interval == pytest.approx((found.value - half, found.value + half), abs=0.05)
    assert mean(values) == found, "the same texts give the same interval"


def test_a_ratio_leaves_out_what_has_no_part_in_it() -> None:
    assert ratio([1, 5, 0], [2, 8, 0]) == ratio([1, 5], [2, 8])
    assert ratio([1, 5, 0], [2, 8, 0]).value == 0.6
    assert ratio([0], [0]) == Estimate(None, 0)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.lists(NUMBERS, min_size=1, max_size=20))
@settings(max_examples=30)
def test_auc_counts_pairs(members: list[float], others: list[float]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a in members for b in others]
    found = auc(members, others)
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    assert inside(found)


def test_auc_of_equal_sets_and_of_certain_ones() -> None:
    scores = [float(n) for n in range(50)]
    assert auc(scores, scores).value == pytest.approx(0.5)
    assert auc([2, 3], [0, 1]).value == 1
    assert auc([0, 1], [2, 3]).value == 0
    assert auc([], [1]) == Estimate(None, 1)


# ── look ─────────────────────────────────────────────────────────────────────────────────


def test_jensen_shannon_by_hand() -> None:
    rows = np.array([[1.0, 1.0], [4.0, 4.0], [1.0, 0.0]])
    assert jensen_shannon(rows, np.array([3.0, 3.0])) == pytest.approx([0, 0, 0.3113], abs=1e-4)
    assert jensen_shannon(np.array([[2.0, 0.0]]), np.array([0.0, 7.0])) == pytest.approx([1])


def test_a_distance_takes_off_what_few_texts_are_away_by_chance() -> None:
    rng = np.random.default_rng(2)
    target = np.full(10, 1000.0)
    rows = np.eye(10)[rng.integers(10, size=50)]
    plain = float(jensen_shannon(rows.sum(0, keepdims=True), target)[0])
    found = distance(rows, lambda sums: jensen_shannon(sums, target), most=1.0)
    assert found.value is not None
    assert found.value < plain
    assert inside(found)
    far = distance(np.eye(10)[[0] * 50], lambda sums: jensen_shannon(sums, target), most=1.0)
    assert far.value is not None
    assert far.value > 0.5


@given(TEXTS)
@settings(max_examples=20)
def test_texts_look_like_themselves(texts: list[str]) -> None:
    for average, apart in Profiles(texts).of(texts).values():
        assert apart.value == 0
        assert inside(average)
        assert inside(apart)


def test_features_of_one_text() -> None:
    text = "HI @nasa and @esa_x: #Mars, 👩‍🚀🇫🇷 https://t.co/a.b?c #1 mail@x.org!"
    found = {feature.name: feature.of(text) for feature in FEATURES}
    assert (found["emoji"], found["hashtags"], found["mentions"], found["links"]) == (2, 1, 2, 1)
    assert found["length"] == len(text)
    assert found["punctuation"] == 4  # : , . !
    assert found["capitals"] == pytest.approx(3 / sum(map(str.isalpha, text)))


# ── variety ──────────────────────────────────────────────────────────────────────────────


def test_distinct_by_hand() -> None:
    assert distinct(["a b"] * SEGMENT, 1).value == 2 / SEGMENT
    assert distinct(["a b"] * SEGMENT, 2).value == 1 / SEGMENT
    different = [f"w{n}" for n in range(2 * SEGMENT)]
    assert distinct(different, 1) == Estimate(1.0, 2, (1.0, 1.0))
    assert distinct(different, 2).value is None, "no text has two words"
    assert distinct(["a b"], 1) == Estimate(None, 0)


@given(TEXTS)
@settings(max_examples=30)
def test_self_bleu_is_a_share(texts: list[str]) -> None:
    found = self_bleu(texts)
    assert found.value is None or 0 <= found.value <= 1 + 1e-9
    assert inside(found)


def test_self_bleu_by_hand() -> None:
    assert self_bleu(["a b c d e"] * 3).value == pytest.approx(1)
    assert self_bleu(["a b c", "d e f"]).value == 0
    # "a b c d" against "a b c x": 3 of 4 words, (2+1)/(3+1), (1+1)/(2+1), (0+1)/(1+1)
    expected = (3 / 4 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert self_bleu(["a b c d", "a b c x"]).value == pytest.approx(expected)


# ── copying ──────────────────────────────────────────────────────────────────────────────


def test_novelty_by_hand() -> None:
    training = ["the lamp is lit", "fog again"]
    found = novelty(
        training, {"one": ["The lamp is out", "lit fog", "fog"], "other": ["is lit fog"]}
    )
    assert found[2]["one"].value == pytest.approx(2 / 4)
    assert found[2]["one"].n == 2, "the third text has no pair of words"
    assert found[3]["one"].value == 1 / 2
    assert found[5]["one"] == Estimate(None, 0)
    assert found[3]["other"].value == 1, "no run crosses the end of a tweet"


def test_a_parrot_copies_everything_and_says_nothing_new() -> None:
    found = copies(CopyIndex(SEA, [None] * len(SEA)), {"parrot": SEA[:10], "others": SPACE})
    assert found["verbatim"]["parrot"].value == 1
    assert found["copied"]["others"].value == 0
    new = novelty(SEA, {"parrot": SEA[:10]})
    assert [of["parrot"].value for of in new.values()] == [0] * len(new)


# ── authors ──────────────────────────────────────────────────────────────────────────────


def test_a_classifier_knows_authors_and_says_the_same_each_time() -> None:
    for masked in (False, True):
        classifier = Classifier(SEA[:50], SPACE[:50], masked=masked)
        assert classifier.called_author(SEA[50:]).value == 1
        assert classifier.called_author(SPACE[50:]).value == 0
        assert classifier.called_author([]) == Estimate(None, 0)


def test_a_mask_hides_the_subject_and_keeps_the_style() -> None:
    common = frozenset({"the", "is", "don't"})
    text = "The LAMP is 3,000 miles off; @keeper don't see https://t.co/x #Fog 🌊 Orion!!"
    assert mask(text, common) == "The XX is 0 x x; @ don't x / # 🌊 X!!"
    other = "The MOON is 7 light years; @nasa don't say https://x.y/z #Tides 🌊 Vega!!"
    assert mask(other, common) == mask(text, common), "another subject, the same style"


def test_only_words_of_both_sides_are_common() -> None:
    sea = ["the fog and the lamp"] * 10
    space = ["the moon and @the crew"] * 10
    assert common_words(sea, space) == {"the", "and"}
    assert common_words(sea[:2], space) == frozenset(), "too rare to be called common"


def test_delta_is_nothing_for_the_same_words_and_less_for_the_author() -> None:
    found = deltas(SEA * 3, SPACE * 3, {"same": SEA, "others": SPACE})
    assert found["same"].value == 0
    assert found["others"].value is not None
    assert found["others"].value > 0.5
    assert all(map(inside, found.values()))
    few = deltas(["a b"], ["c d"], {"same": ["a b"]})
    assert few["same"] == Estimate(None, 1), "no word varies that occurs in one part"


# ── leaks ────────────────────────────────────────────────────────────────────────────────


def test_a_tweet_in_its_beginning_and_rest() -> None:
    assert beginning_and_rest("one two three four five six seven") == (
        "one two three",
        " four five six seven",
    )
    assert beginning_and_rest("one two three four five six") is None
    long = " ".join(f"w{n}" for n in range(30))
    found = beginning_and_rest(long)
    assert found is not None
    assert len(found[0].split()) == 10
    assert "".join(found) == long
    assert beginning_and_rest("a a  a\na a a a") == ("a a  a", "\na a a a")
    assert beginning_and_rest("灯台の光が霧の中でまた灯った夜") == (
        "灯台の光が霧",
        "の中でまた灯った夜",
    )
    assert beginning_and_rest("灯台の光が霧の中で") is None


def test_membership_goes_by_the_token_and_not_by_the_text() -> None:
    # one nat a token from five tokens, a tenth from a hundred: the short ones were learned
    members = [(TextNats(20.0, 5), TextNats(15.0, 5))] * 3
    others = [(TextNats(400.0, 100), TextNats(390.0, 100))] * 3
    assert membership(members, others).value == 1
    assert membership(others, members).value == 0
