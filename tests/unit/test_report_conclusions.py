"""The sentences of a report: each says what its numbers do, and no more."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import pytest

from core.report.conclusions import Findings, conclusions, others_in_words, who
from core.report.intervals import Estimate, share
from core.report.measures import Measure
from core.report.points import RealTexts
from tui.report.pictures import dots

REAL = RealTexts(["nasa"], [], [], [], [], [], [], [], [], bundled_impostors=False)


def counted(hits: int, n: int = 200) -> Estimate:
    return share([True] * hits + [False] * (n - hits))


def said(group: Any, **measures: dict[str, Estimate]) -> str:
    made = {
        name: Measure(name, name, group, "number" if name == "length" else "share", of)
        for name, of in measures.items()
    }
    return conclusions(Findings("@nasa", made, REAL))[group]


def number(value: float, spread: float) -> Estimate:
    return Estimate.within(value, 200, value - spread, value + spread)


ALIKE = Estimate.within(0.5, 200, 0.4, 0.6)
AUTHOR = {"held_out": counted(180), "impostors": counted(6), "base": counted(24)}


@pytest.mark.parametrize(
    ("masked", "unseen", "base", "conclusion"),
    [
        (160, 180, 20, "it has the style, and not only the subjects."),
        (110, 180, 20, "it has the subjects, and a part of the style."),
        (60, 180, 20, "it has the subjects more than the style."),
        (160, 180, 155, "but no more often than the base model, so it has not learned that."),
        (60, 90, 20, "without their subjects these authors are hard to tell apart."),
    ],
)
def test_style_is_told_from_subject(masked: int, unseen: int, base: int, conclusion: str) -> None:
    style = {"tuned": counted(masked), "held_out": counted(unseen), "base": counted(base)}
    text = said("author", sounds_like={"tuned": counted(140), **AUTHOR}, style=style)
    assert text.startswith(
        "7 of 10 (6 to 8) of its texts sound like @nasa to a classifier; so do 90 % (85 to 93 %) "
        "of the unseen tweets of @nasa, 1 of 10 of the base model's texts, 3 % of other people's "
        "tweets."
    )
    assert text.endswith(conclusion)


@pytest.mark.parametrize(
    ("hits", "sentence", "picture"),
    [
        (196, "98 % (95 to 99 %)", "98 % (95–99)"),
        (112, "6 of 10 (5 to 6)", "56 % (49–63)"),
        (92, "5 of 10 (4 to 5)", "46 % (39–53)"),
        (5, "2.5 % (1.1 to 5.7 %)", "2.5 % (1.1–5.7)"),
    ],
)
def test_a_sentence_and_a_picture_have_the_same_interval(
    hits: int, sentence: str, picture: str
) -> None:
    near = Measure("near", "near", "copying", "share", {"tuned": counted(hits)})
    assert f"word for word, {sentence} come close to one" in said(
        "copying", near=dict(near.points), verbatim={"tuned": counted(0)}
    )
    (shown, *_) = ["".join(text for text, _ in line) for line in dots(near, 90)]
    assert shown.endswith(f"  {picture}")


def test_an_interval_within_one_tenth_is_told_in_percent() -> None:
    text = said("copying", near={"tuned": counted(1200, 2000)}, verbatim={"tuned": counted(0)})
    assert "60 % (58 to 62 %) come close to one" in text


def test_a_classifier_that_hardly_knows_the_author_says_little() -> None:
    text = said("author", sounds_like={"tuned": counted(140), "held_out": counted(100)})
    assert text.endswith("The classifier hardly knows @nasa, so that this says little.")
    few = said("author", sounds_like={"tuned": counted(140), "held_out": counted(3, 5)})
    assert "5 unseen tweets of @nasa are too few, 20 are needed." in few


@pytest.mark.parametrize(
    ("copied", "verdict"), [(4, "no more than"), (60, "more than"), (0, "no more than")]
)
def test_copies_are_held_against_what_the_author_repeats(copied: int, verdict: str) -> None:
    text = said(
        "copying",
        copied={"tuned": counted(copied), "held_out": counted(6)},
        verbatim={"tuned": counted(0)},
        near={"tuned": counted(copied)},
    )
    assert text.startswith("0 % (0 to 1.9 %) of its texts are a training tweet word for word, ")
    unseen = "3 % (1.4 to 6.4 %) of unseen tweets of @nasa repeat a training tweet"
    assert f"{unseen}: it copies {verdict} " in text


def test_invented_authors_are_called_so() -> None:
    assert others_in_words(3, invented=True).startswith("tweets by 3 invented authors that ship")
    assert others_in_words(1, invented=True).startswith("tweets by 1 invented author that ships")
    assert others_in_words(1, invented=False) == "real tweets by 1 other account"
    assert others_in_words(0, invented=False) == "nobody else's tweets are at hand"
    real = replace(REAL, bundled_impostors=True)
    of = {"tuned": counted(140), **AUTHOR}
    measure = Measure("sounds_like", "taken for author", "author", "share", of)
    text = conclusions(Findings("@nasa", {"sounds_like": measure}, real))["author"]
    assert "3 % of invented authors' tweets" in text


def test_a_loss_is_said_as_choices() -> None:
    of = {"tuned": number(3.0, 0.1), "base": number(4.6, 0.1), "parrot": number(2.95, 0.1)}
    assert said("loss", loss=of) == (
        "Its perplexity on unseen tweets of @nasa is 20: at each token it is as unsure as among "
        "20 equally likely ones; that of the base is 99. On tweets that it was trained on it is "
        "19, not clearly lower than on what it has not seen."
    )
    learned = said("loss", loss={**of, "parrot": number(1.0, 0.1)})
    assert learned.endswith(" it is 2.7, so it knows these better than what it has not seen.")
    certain = said("loss", loss={**of, "parrot": Estimate.within(0.0, 200, 0.0, 0.0)})
    assert " that it was trained on it is 1.0, so it knows " in certain
    assert said("loss", loss={"parrot": number(1, 0.1)}).startswith("There are no unseen tweets")


def test_few_texts_are_said_to_be_few() -> None:
    few = {"tuned": counted(1), "held_out": counted(1, 7)}
    assert "With 7 unseen tweets of @nasa it is too few to say" in said("copying", copied=few)
    none = {"tuned": counted(1)}
    assert "With 0 unseen tweets of @nasa it is too few" in said("copying", copied=none)
    one_part = {"tuned": number(0.7, 0.1), "held_out": Estimate(0.8, 1)}
    assert said("variety", distinct_1=one_part).startswith("Too few words to say how varied it is")
    assert "7 unseen tweets of @nasa are too few" in said(
        "look", length={"held_out": counted(1, 7)}
    )


def test_means_that_are_alike_say_what_differs() -> None:
    apart = {"tuned": number(0.3, 0.1), "held_out": number(0.02, 0.01)}
    other = {"tuned": number(0.041, 0.01), "held_out": number(0.12, 0.01)}
    alike = {"tuned": number(0.041, 0.01), "held_out": number(0.044, 0.01)}
    of = {"length": {"held_out": counted(1)}, "capitals_distance": apart}
    means = "capitals (4.1 % of letters on average, @nasa "
    assert said("look", **of, capitals=other).endswith(f"{means}12 % of letters).")
    spread = f"{means}4.4 % of letters, but spread differently)."
    assert said("look", **of, capitals=alike).endswith(spread)
    words = {"tuned": number(9.4, 1), "held_out": number(10.4, 1)}
    text = said("look", length={"held_out": counted(1), **words}, length_distance=apart)
    assert "(9.4 on average, @nasa 10, but spread differently)" in text


def test_leaks_are_said_as_numbers_of_tweets() -> None:
    out = {"tuned": counted(3, 2000), "held_out": counted(0, 150)}
    text = said("leak", extracted=out, membership_auc={"tuned": number(0.9, 0.02)})
    assert text == (
        "Given its first third, 3 of 2,000 training tweets come back word for word (0 of 150 "
        "unseen ones). Who has the base, the model and a tweet can mostly tell whether it was "
        "trained on it (AUC 0.90, 0.88 to 0.92; 0.5 is chance, 1 is certain)."
    )
    assert "can hardly tell" in said(
        "leak", extracted=out, membership_auc={"tuned": number(0.52, 0.1)}
    )
    lacks = "Without unseen tweets it was not measured whether one can tell which tweets it was "
    lacks += "trained on."
    assert said("leak", extracted={"tuned": counted(3, 2000)}).endswith(lacks)


# ── where one sentence ends and the next begins ──────────────────────────────────────────


def test_style_is_in_proportion_to_the_unseen_tweets() -> None:
    def of(masked: int, unseen: int = 200) -> str:
        style = {"tuned": counted(masked), "held_out": counted(unseen)}
        return said("author", sounds_like={"tuned": counted(140), **AUTHOR}, style=style)

    assert of(160).endswith("it has the style, and not only the subjects.")
    assert of(159).endswith("it has the subjects, and a part of the style.")
    assert of(100).endswith("it has the subjects, and a part of the style.")
    assert of(99).endswith("it has the subjects more than the style.")
    assert "8 of 10 (7 to 8) of its texts still do, 9 of 10 of the unseen tweets" in of(155, 180)
    assert of(120, 120).endswith("it has the style, and not only the subjects.")
    assert of(119, 119).endswith("without their subjects these authors are hard to tell apart.")


def test_a_classifier_that_knows_six_of_ten_says_something() -> None:
    style = {"tuned": counted(150), "held_out": counted(180)}

    def of(unseen: Estimate) -> str:
        return said("author", sounds_like={"tuned": counted(140), "held_out": unseen}, style=style)

    assert of(counted(120)).endswith("it has the style, and not only the subjects.")
    assert of(counted(119)).endswith("so that this says little.")
    assert of(counted(0)).endswith("so that this says little.")
    assert of(counted(16, 20)).endswith("it has the style, and not only the subjects.")
    assert "19 unseen tweets of @nasa are too few, 20 are needed." in of(counted(16, 19))
    unmeasured = said("author", sounds_like={"tuned": counted(140), **AUTHOR}, style={})
    assert unmeasured.endswith("3 % of other people's tweets.")
    half = {"tuned": counted(150), "held_out": Estimate(None, 0)}
    assert said("author", sounds_like={"tuned": counted(140), **AUTHOR}, style=half) == unmeasured


def test_without_a_base_or_others_nothing_is_said_of_them() -> None:
    of = {"tuned": counted(140), "held_out": counted(180)}
    assert said("author", sounds_like=of) == (
        "7 of 10 (6 to 8) of its texts sound like @nasa to a classifier; so do 90 % (85 to 93 %) "
        "of the unseen tweets of @nasa."
    )
    real = replace(REAL, to_learn=["a"] * 1234, impostors_to_learn=["b"] * 7)
    few = Measure("sounds_like", "", "author", "share", {"tuned": Estimate(None, 200)})
    assert conclusions(Findings("@nasa", {"sounds_like": few}, real))["author"] == (
        "Too few to say who it sounds like: a classifier needs 50 real tweets of @nasa and as many "
        "of others to learn from; it has 1,234 and 7."
    )


@pytest.mark.parametrize(
    ("mine", "verdict"),
    [((0.61, 0.7), "more than"), ((0.6, 0.7), "no more than"), ((0.3, 0.4), "no more than"),
     ((0.3, 0.39), "less than"), (None, "no more than")],
)  # fmt: skip
def test_intervals_that_touch_are_alike(mine: tuple[float, float] | None, verdict: str) -> None:
    tuned = Estimate(0.5 if mine is None else sum(mine) / 2, 200, mine)
    text = said("copying", copied={"tuned": tuned, "held_out": ALIKE})
    assert f"it copies {verdict} @nasa does." in text
    text = said("copying", copied={"tuned": ALIKE, "held_out": replace(ALIKE, interval=None)})
    assert "it copies no more than @nasa does." in text


def test_new_phrases_are_said_where_both_are_known() -> None:
    copied = {"tuned": counted(4), "held_out": counted(6)}
    both = said("copying", copied=copied, novelty_5={"tuned": counted(50), "held_out": counted(60)})
    assert both.endswith(
        " 25 % of its phrases of five words occur in no training tweet; in the unseen tweets of "
        "@nasa it is 30 %."
    )
    for point in ("tuned", "held_out"):
        text = said("copying", copied=copied, novelty_5={point: counted(50)})
        assert text.endswith("than @nasa does.")


@pytest.mark.parametrize(
    ("value", "interval", "words"),
    [
        (0.1, None, "1 of 10"), (0.9, None, "9 of 10"), (0.099, None, "9.9 %"),
        (0.901, None, "90 %"), (0.5, (0.34996, 0.6), "5 of 10 (4 to 6)"),
        (0.5, (0.3496, 0.6), "5 of 10 (3 to 6)"), (0.5, (0.25, 0.65), "5 of 10 (3 to 7)"),
        (0.5, (0.05, 0.94), "5 of 10 (1 to 9)"), (0.5, (0.46, 0.54), "50 % (46 to 54 %)"),
        (0.0, (0.0, 0.012), "0 % (0 to 1.2 %)"),
    ],
)  # fmt: skip
def test_shares_are_said_in_tenths_where_that_is_enough(
    value: float, interval: tuple[float, float] | None, words: str
) -> None:
    near = {"tuned": Estimate(value, 200, interval)}
    assert f"word for word, {words} come close" in said("copying", near=near)


def test_a_perplexity_has_the_digits_that_mean_something() -> None:
    def of(loss: float) -> str:
        return (
            said("loss", loss={"tuned": number(loss, 0.1)}).partition(" is ")[2].partition(":")[0]
        )

    assert (of(log(9.96)), of(log(9.94)), of(log(1234.4))) == ("10", "9.9", "1,234")
    assert of(1000.0) == of(20.0) == "485,165,195", "beyond all bounds"
    assert said("loss", loss={"tuned": number(3.0, 0.1)}).endswith("among 20 equally likely ones.")


def test_variety_is_compared_with_the_unseen_tweets() -> None:
    def of(tuned: Estimate, unseen: Estimate) -> str:
        return said("variety", distinct_1={"tuned": tuned, "held_out": unseen})

    low, high = number(0.5, 0.05), number(0.7, 0.05)
    begins = "Of 200 words in a row 70 % are different ones, 50 % in unseen tweets of @nasa: it is "
    assert of(high, low) == f"{begins}more varied than unseen tweets of @nasa."
    assert of(low, high).endswith("it is less varied, and says the same again sooner.")
    assert of(low, low).endswith("it is as varied as unseen tweets of @nasa.")
    for few in ((Estimate(0.5, 1), high), (high, Estimate(0.5, 1))):
        assert of(*few) == (
            "Too few words to say how varied it is: 400 are needed of its texts, and of unseen "
            "tweets of @nasa. A report on more texts may have them."
        )


def test_a_look_differs_from_where_it_can_be_seen() -> None:
    length = {"held_out": counted(10, 20), "tuned": number(9.4, 1)}

    def of(apart: Estimate) -> str:
        usual = Estimate(0.01, 200, (0.0, 0.02))
        return said("look", length=length, length_distance={"tuned": apart, "held_out": usual})

    like = "In form (length, tags, names, emoji, capitals, marks) it is like @nasa."
    assert of(Estimate(0.049, 200, (0.03, 0.06))) == like
    assert of(Estimate(0.05, 200, (0.02, 0.06))) == like
    assert of(Estimate(0.0, 200, (0.0, 0.0))) == like
    assert of(Estimate(0.05, 200, (0.03, 0.06))) == (
        "In form it differs from @nasa in: length (9.4 on average, @nasa 0.5)."
    )
    few = said("look", length={"held_out": counted(10, 19)})
    assert few == "19 unseen tweets of @nasa are too few to compare looks with; 20 are needed."


@pytest.mark.parametrize(
    ("value", "low", "how"),
    [(0.8, 0.7, "mostly"), (0.79, 0.7, "often"), (0.6, 0.55, "often"), (0.6, 0.54, "hardly")],
)
def test_how_well_one_can_tell_what_it_was_trained_on(value: float, low: float, how: str) -> None:
    auc = {"tuned": Estimate(value, 300, (low, 0.9))}
    text = said("leak", extracted={"tuned": counted(1, 50)}, membership_auc=auc)
    assert text.startswith(
        "Given its first third, 1 of 50 training tweets comes back word for word. Who has the "
        f"base, the model and a tweet can {how} tell whether it was trained on it (AUC "
    )
    out = {"tuned": counted(4, 2000), "held_out": counted(2, 100)}
    unsure = {"tuned": Estimate(value, 2)}
    assert said("leak", extracted=out, membership_auc=unsure).startswith(
        "Given its first third, 4 of 2,000 training tweets come back word for word (2 of 100 "
        "unseen ones). Without "
    )
    assert said("leak", extracted={"tuned": Estimate(None, 0)}) == (
        "No training tweet is long enough to be asked for."
    )


def test_authors_are_named() -> None:
    assert who(["a"]) == "@a"
    assert who(["a", "b"]) == "@a and @b"
    assert who(["a", "b", "c"]) == "@a and 2 others"


def test_others_are_as_many_as_are_known() -> None:
    assert others_in_words(None, invented=False) == "tweets by other people"
    assert others_in_words(None, invented=True).startswith("tweets by invented authors that ship")
    assert others_in_words(1234, invented=False) == "real tweets by 1,234 other accounts"
