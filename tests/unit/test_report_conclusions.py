"""The sentences of a report: each says what its numbers do, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.report.conclusions import Findings, conclusions, others_in_words
from core.report.intervals import Estimate, share
from core.report.measures import Measure
from core.report.points import RealTexts
from tui.report.pictures import dots

REAL = RealTexts(["nasa"], [], [], [], [], [], [], [], [], bundled_impostors=False)


def counted(hits: int, n: int = 200) -> Estimate:
    return share([True] * hits + [False] * (n - hits))


def said(group: Any, **measures: dict[str, Estimate]) -> str:
    made = {name: Measure(name, name, group, "share", of) for name, of in measures.items()}
    return conclusions(Findings("@nasa", made, REAL))[group]


def number(value: float, spread: float) -> Estimate:
    return Estimate.within(value, 200, value - spread, value + spread)


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
    assert said("look", **of, capitals=other).endswith(f"{means}12.0 % of letters).")
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
