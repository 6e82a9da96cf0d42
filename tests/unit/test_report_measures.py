"""The measures of a report: known values worked by hand, and what must hold for any texts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.report.intervals import Estimate, auc, distance, mean, ratio, share
from core.report.likelihood import TextNats
from core.report.measures import Measure, of_looks, of_losses
from core.report.profiles import FEATURES, Profiles, jensen_shannon
from tests.unit.report_words import NUMBERS, TEXTS, inside

# ── intervals ────────────────────────────────────────────────────────────────────────────


def test_wilson_by_hand() -> None:
    none = share([False] * 200)
    assert none.value == 0
    assert none.interval == pytest.approx((0, 0.0188), abs=1e-4)  # z² / (n + z²)
    half = share([True, False] * 50)
    assert half.interval == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert share([]) == Estimate(None, 0)


def test_wilson_of_a_few() -> None:
    three = share([True] * 3 + [False] * 7)
    assert (three.value, three.n) == (0.3, 10)
    assert three.interval == pytest.approx((0.107791, 0.603222), abs=1e-6)


def test_an_estimate_is_stored_with_four_digits_and_read_back() -> None:
    stored = Estimate(0.123456, 7, (0.111149, 0.222251)).to_json()
    assert stored == {"value": 0.1235, "n": 7, "interval": [0.1111, 0.2223]}
    assert Estimate.from_json(stored) == Estimate(0.1235, 7, (0.1111, 0.2223))
    nothing = Estimate(None, 0)
    assert Estimate.from_json(nothing.to_json()) == nothing


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
    assert auc([2, 3], [0, 1]).interval == (1, 1)
    assert auc([0, 1], [2, 3]).interval == (0, 0)
    assert auc([], [1]) == Estimate(None, 1)
    assert auc([1, 2], []) == Estimate(None, 2)


def test_an_auc_is_as_sure_as_theory_says() -> None:
    rng = np.random.default_rng(1)
    members, others = rng.normal(1, 1, 150).tolist(), rng.normal(0, 1, 200).tolist()
    found = auc(members, others)
    assert found.n == 350
    assert found.value is not None
    assert found.interval is not None
    # Hanley and McNeil 1982
    a, q1, q2 = found.value, found.value / (2 - found.value), 2 * found.value**2 / (1 + found.value)
    spread = (a * (1 - a) + 149 * (q1 - a * a) + 199 * (q2 - a * a)) / (150 * 200)
    half = 1.96 * math.sqrt(spread)
    assert found.interval == pytest.approx((a - half, a + half), abs=0.01)


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


def test_a_distance_of_one_text_is_what_it_is_and_of_none_is_not_known() -> None:
    def far(sums: Any) -> Any:
        return np.abs(sums[:, 0] / sums[:, 1] - 2)

    assert distance(np.array([[9.0, 3.0]]), far) == Estimate(1.0, 1, (1.0, 1.0))
    assert distance(np.array([[9.0, 3.0]]), far, most=0.5) == Estimate(0.5, 1, (0.5, 0.5))
    with np.errstate(invalid="ignore"):
        assert distance(np.array([[0.0, 0.0]] * 3), far) == Estimate(None, 3)
        some = distance(np.array([[0.0, 0.0], [9.0, 3.0]]), far)
    assert some == Estimate(1.0, 2, (1.0, 1.0)), "a text without any says nothing"
    assert distance(np.zeros((0, 2)), far) == Estimate(None, 0)


def test_a_distance_has_the_basic_interval() -> None:
    rows = np.random.default_rng(4).normal(3, 1, (300, 1))
    found = distance(rows, lambda sums: sums[:, 0] / 300)
    average, half = float(rows.mean()), 1.96 * float(rows.std()) / math.sqrt(300)
    assert found.value == pytest.approx(average, abs=0.01)
    assert found.interval == pytest.approx((average - half, average + half), abs=0.01)
    smaller = distance(rows / 10, lambda sums: sums[:, 0] / 300)
    assert smaller.interval == pytest.approx([end / 10 for end in found.interval or ()])
    # the few that are far below are what the end above comes from
    lopsided = distance(np.array([[-40.0]] * 3 + [[5.0]] * 97), lambda sums: sums[:, 0] / 100)
    assert lopsided.value is not None
    assert lopsided.interval is not None
    low, high = (abs(end - lopsided.value) for end in lopsided.interval)
    assert high > low + 0.1


def test_no_divergence_is_above_one() -> None:
    apart = Profiles(["a"]).of(["b."] * 7 + ["a"])["punctuation"][1]
    assert apart.interval is not None
    assert apart.interval[1] == 1


@given(TEXTS)
@settings(max_examples=20)
def test_texts_look_like_themselves(texts: list[str]) -> None:
    for average, apart in Profiles(texts).of(texts).values():
        assert apart.value == 0
        assert apart.interval == (0, 0)
        assert inside(average)
        assert inside(apart)


def test_features_of_one_text() -> None:
    text = "HI @nasa and @esa_x: #Mars, 👩‍🚀🇫🇷 https://t.co/a.b?c #1 mail@x.org!"
    found = {feature.name: feature.of(text) for feature in FEATURES}
    assert (found["emoji"], found["hashtags"], found["mentions"], found["links"]) == (2, 1, 2, 1)
    assert found["length"] == len(text)
    assert found["punctuation"] == 4  # : , . !
    assert found["capitals"] == pytest.approx(3 / sum(map(str.isalpha, text)))


@pytest.mark.parametrize(
    ("feature", "bins"),
    [
        ("length", [("a" * low, "a" * (low + 19)) for low in range(20, 301, 20)]),
        ("length", [("a", "a" * 19), ("a" * 20, "a" * 39), ("a" * 300, "a" * 900)]),
        ("emoji", [("a", "b"), ("🌊", "🦀"), ("🌊🦀", "🦀 🌊"), ("🌊🌊🌊", "🌊" * 9)]),
        ("hashtags", [("a", "#1"), ("#a", "b #c"), ("#a #b", "#c #d"), ("#a #b #c", "#a " * 9)]),
        ("mentions", [("a", "b"), ("@a", "b @c"), ("@a @b", "@c @d"), ("@a @b @c", "@a " * 9)]),
        ("capitals", [("a", "-")]),
        (
            "capitals",
            [
                ("A" * low + "a" * (100 - low), "A" * high + "a" * (100 - high))
                for low, high in ((1, 2), (3, 5), (7, 9), (10, 19), (20, 49), (50, 99))
            ],
        ),
        (
            "punctuation",
            [("a", "@b #c https://d.e/f.g?h!"), ("a.", "..."), ("!", "b!!"), ("“", '"')],
        ),
    ],
)
def test_a_look_is_told_in_steps(feature: str, bins: list[tuple[str, str]]) -> None:
    for step, (low, high) in enumerate(bins):
        looks = Profiles([low])
        assert looks.of([high])[feature][1].value == 0, (low, high)
        for other in bins[step + 1 :]:
            assert looks.of([other[0]])[feature][1].value == pytest.approx(1), (low, other)


# ── loss, and digits ─────────────────────────────────────────────────────────────────────


def test_a_loss_is_of_tokens_and_bits_are_of_bytes() -> None:
    texts = ["abc", "é🌊"]  # 3 and 6 bytes, and one for each end
    nats = [TextNats(6.0, 2), TextNats(4.0, 3)]
    loss, bits = of_losses({"tuned": (texts, nats)})
    assert (loss.points["tuned"].value, loss.points["tuned"].n) == (2.0, 2)
    assert bits.points["tuned"].value == pytest.approx(10 / math.log(2) / 11)


@pytest.mark.parametrize(
    ("unit", "group", "value", "digits"),
    [
        ("share", "look", 0.0412, "4.1"), ("number", "look", 1234.4, "1,234"),
        ("number", "look", 9.95, "10"), ("number", "look", 9.94, "9.9"),
        ("number", "look", 3.04, "3"), ("number", "look", 0.995, "1"),
        ("number", "look", 0.994, "0.99"), ("number", "look", 0.5, "0.5"),
        ("number", "loss", 2.974, "2.97"), ("number", "loss", 0.5, "0.5"),
        ("number", "loss", 12.3, "12"),
    ],
)  # fmt: skip
def test_digits_that_mean_something(unit: Any, group: Any, value: float, digits: str) -> None:
    assert Measure("x", "x", group, unit, {}).in_digits(value) == digits


def test_a_measure_is_read_back_in_the_order_of_a_page() -> None:
    points = {"parrot": share([True] * 3), "chance": Estimate(0.5, 3), "tuned": share([False])}
    kept = Measure("extracted", "come back", "leak", "share", points, {"tweets": [1]}).to_json()
    assert {**kept["of"]["parrot"], **kept["of"]["chance"]} == {
        "value": 0.5, "n": 3, "interval": None
    }  # fmt: skip
    assert (kept["value"], kept["n"]) == (0, 1)
    read = Measure.from_json("extracted", kept)
    assert list(read.points) == ["tuned", "parrot", "chance"]
    assert read.to_json() == {**kept, "tweets": [1]}
    assert Measure("x", "x", "leak", "share", {}).to_json()["n"] == 0


def test_looks_are_means_then_distances() -> None:
    made = of_looks(["Ab"] * 3, {"tuned": ["Ab c.", "ab d."], "base": []})
    assert [one.title for one in made[:2]] == ["characters", "emoji"]
    titles: dict[str, Any] = {
        one.name: (one.title, one.unit, one.points["tuned"].value) for one in made
    }
    assert titles["capitals"] == ("capitals", "share", pytest.approx(1 / 6))
    assert titles["length"] == ("characters", "number", 5)
    assert titles["capitals_distance"][:2] == ("≠ capitals", "number")
    assert titles["punctuation_distance"] == ("≠ punctuation marks", "number", 1)
    assert not [one for one in made if "base" in one.points], "nothing was written"
