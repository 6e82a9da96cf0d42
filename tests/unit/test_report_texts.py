"""What a report makes of words: variety, copies, authors, leaks; known values worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from core.report.authorship import Classifier, deltas
from core.report.copying import copies, novelty
from core.report.intervals import Estimate, share
from core.report.leaks import (
    Leak,
    beginning_and_rest,
    find_leaks,
    leaked_ids,
    membership,
    of_leaks,
    without_leaked,
)
from core.report.likelihood import GivenBack, TextNats, units
from core.report.masking import common_words, mask
from core.report.measures import of_authors, of_variety
from core.report.stored import ReportModel
from core.report.variety import distinct, self_bleu
from core.runs.folder import Run
from tests.oracles.plain_copies import index_of
from tests.unit.report_words import SEA, SPACE, TEXTS, inside, letters, real_of

# ── variety ──────────────────────────────────────────────────────────────────────────────


def test_distinct_by_hand() -> None:
    assert distinct(["a b"] * 200, 1).value == 2 / 200
    assert distinct(["a b"] * 200, 2).value == 1 / 200
    different = [f"w{n}" for n in range(400)]
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
    assert self_bleu(["a b", "...", ""]) == Estimate(None, 1), "texts without words are left out"
    # "a x b y" against "a z b w": 2 of 4 words, (0+1)/(3+1), (0+1)/(2+1), (0+1)/(1+1)
    expected = (2 / 4 * 1 / 4 * 1 / 3 * 1 / 2) ** 0.25
    assert self_bleu(["a x b y", "a z b w"]).value == pytest.approx(expected)
    # two of two words, and nothing of the orders that they have none of
    assert self_bleu(["a b", "a b"]).value == pytest.approx(1)


def test_self_bleu_of_texts_of_several_lengths() -> None:
    # five words against three: 3 of 5, (2+1)/(4+1), (1+1)/(3+1), (0+1)/(2+1)
    longer = (3 / 5 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    # three against five: all of them there, but so much shorter
    shorter = math.exp(1 - 5 / 3)
    found = self_bleu(["a b c d e", "a b c"])
    assert found.value == pytest.approx((longer + shorter) / 2)
    # the closest in length counts, of two as close the shorter one; all of them for the words
    one_word = 1 / 1 * 1 / 1
    six = (5 / 6 * 5 / 6 * 4 / 5 * 3 / 4) ** 0.25
    found = self_bleu(["a b c d e f", "a b c d e", "a"])
    five, one = math.exp(1 - 6 / 5), one_word * math.exp(1 - 5)
    assert found.value == pytest.approx((six + five + one) / 3)
    found = self_bleu(["x y z v", "a b", "c d e f g h"])
    assert found.value == 0


def test_an_n_gram_counts_as_often_as_in_the_text_that_has_most_of_it() -> None:
    # "a" three times, twice, once: of the first two of three, of the second all, of the third all
    found = self_bleu(["a a a", "a a", "a b"])
    first = (2 / 3 * 2 / 3 * 1 / 2 * 1 / 1) ** 0.25
    second = 1.0
    third = (1 / 2 * 1 / 2) ** 0.25
    assert found.value == pytest.approx((first + second + third) / 3)


def test_varieties_are_of_as_many_texts_of_each() -> None:
    few, some, many = ((["a b c", "d e f"] * 60)[:n] for n in (19, 20, 120))
    made = {one.name: one for one in of_variety({"few": few, "some": some, "many": many})}
    bleu = made["self_bleu"].points
    assert {point: one.n for point, one in bleu.items()} == {"few": 19, "some": 20, "many": 20}
    assert bleu["few"].value is None
    assert bleu["many"] == bleu["some"] == self_bleu(some)
    most = of_variety({"many": many})[-1].points["many"]
    assert most.n == 100
    assert made["distinct_1"].points["many"].value == 6 / 200
    assert made["distinct_2"].points["many"].value == 4 / 200
    assert (made["distinct_1"].title, made["distinct_2"].title) == (
        "different words",
        "different pairs",
    )


# ── copying ──────────────────────────────────────────────────────────────────────────────


def test_novelty_by_hand() -> None:
    training = ["the lamp is lit", "fog again"]
    found = novelty(
        training, {"one": ["The lamp is out", "lit fog", "fog"], "other": ["is lit fog"]}
    )
    assert list(found) == list(range(2, 13))
    assert found[2]["one"].value == pytest.approx(2 / 4)
    assert found[2]["one"].n == 2, "the third text has no pair of words"
    assert found[3]["one"].value == 1 / 2
    assert found[5]["one"] == Estimate(None, 0)
    assert found[3]["other"].value == 1, "no run crosses the end of a tweet"


def test_a_parrot_copies_everything_and_says_nothing_new() -> None:
    found = copies(index_of(SEA), {"parrot": SEA[:10], "others": SPACE})
    assert found["verbatim"]["parrot"].value == 1
    assert found["copied"]["others"].value == 0
    new = novelty(SEA, {"parrot": SEA[:10]})
    assert [of["parrot"].value for of in new.values()] == [0] * len(new)


def test_what_copies_is_told_from_what_comes_near() -> None:
    index = index_of(SEA)
    near = SEA[0].replace("night 0", "day 0")
    found = copies(index, {"some": [SEA[1], near, "nothing of the kind", "at all"]})
    assert index.check(near).verdict == "near"
    assert {kind: of["some"].value for kind, of in found.items()} == {
        "copied": 0.5,
        "verbatim": 0.25,
        "near": 0.25,
    }


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
    assert common_words(sea[:3], space[:3]) == {"the", "and"}
    assert common_words(sea, []) == common_words([], space) == frozenset()
    for some, many in ((sea, space), (space, sea)):
        enough, rare = ([*some[:3], *[""] * more] for more in (1497, 1498))
        assert common_words(enough, many) == {"the", "and"}, "3 of 1,500"
        assert common_words(many, enough) == {"the", "and"}
        assert common_words(rare, many) == common_words(many, rare) == frozenset()


def test_the_commonest_of_both_sides_come_first() -> None:
    many = [f"zz {' '.join(letters(n) for n in range(299))} zy"] * 4
    words = {letters(n) for n in range(299)}
    assert common_words(many, many) == words | {"zy"}, "of 301 the last of the alphabet is left out"
    assert "zz" in common_words([*many, "zz"], [*many, "zz"]), "the most used are never left out"


def test_words_become_marks_by_their_capitals() -> None:
    assert mask("I met a UK eBay MacX fan", frozenset({"met"})) == "X met x XX x X x"


def test_delta_is_nothing_for_the_same_words_and_less_for_the_author() -> None:
    found = deltas(SEA * 3, SPACE * 3, {"same": SEA, "others": SPACE})
    assert found["same"].value == 0
    assert found["others"].value is not None
    assert found["others"].value > 0.5
    assert all(map(inside, found.values()))
    few = deltas(["a b"], ["c d"], {"same": ["a b"]})
    assert deltas(SEA * 3, [], {"same": SEA})["same"].value == 0, "nobody else is needed"
    assert deltas(SEA, SPACE * 2, {"same": SEA})["same"].value == 0, "a part of either side"
    assert few["same"] == Estimate(None, 1), "no word varies that occurs in one part"


def test_delta_by_hand() -> None:
    # parts of 500 words in which "a" is 0.2 and 0.4 of the author's, 0.6 and 0.8 of the others',
    # and "c" is always a tenth; what is left after the second part is none
    def text(a: int, words: int = 250) -> str:
        return " ".join(["a"] * a + ["b"] * (words * 9 // 10 - a) + ["c"] * (words // 10))

    author = [*[text(50)] * 1, *[text(100)] * 2, text(50)]
    others = [text(150), text(200), text(200), text(150)]
    found = deltas(author, others, {"one": [text(125)], "two": [text(75)], "none": ["..."]})
    spread = np.std([0.2, 0.4, 0.6, 0.8], ddof=1)
    assert found["one"].value == pytest.approx((0.5 - 0.3) / spread)
    assert found["two"].value == pytest.approx(0, abs=1e-9)
    assert found["two"].interval == pytest.approx((0, 0), abs=1e-9)
    assert found["none"] == Estimate(None, 1)


def test_delta_counts_the_rarest_of_its_words() -> None:
    uses = np.array([[125, 100, 25], [150, 75, 25], [100, 100, 50], [125, 75, 50]])
    one, two, three, four = (" ".join(["a"] * a + ["b"] * b + ["c"] * c) for a, b, c in uses)
    text = " ".join(["a"] * 50 + ["b"] * 100 + ["c"] * 100)
    found = deltas([one, two, two, one], [three, four, four, three], {"text": [text]})
    apart = np.abs(np.array([50, 100, 100]) - (uses[0] + uses[1]) / 2) / uses.std(axis=0, ddof=1)
    assert found["text"].value == pytest.approx(apart.mean())


def test_delta_knows_posts_of_a_thousand_words() -> None:
    essay = " ".join(SEA * 20)
    found = deltas([essay, *SEA * 3], SPACE * 3, {"same": [essay], "others": SPACE})
    assert found["same"].value is not None
    assert found["others"].value is not None
    assert found["same"].value < 0.2 < found["others"].value


@pytest.mark.parametrize(("known", "measured"), [(50, True), (49, False)])
def test_a_classifier_needs_fifty_of_both(known: int, measured: bool) -> None:
    for author, others in ((SEA[:known], SPACE[:50]), (SEA[:50], SPACE[:known])):
        real = real_of(author, others)
        made = {one.name: one.points for one in of_authors(real, {"held_out": SEA[50:]})}
        for name in ("sounds_like", "style"):
            assert made[name]["held_out"] == (
                share([True] * 10) if measured else Estimate(None, 10)
            )
        assert made["delta"]["held_out"].n == 10


def test_with_the_subject_hidden_two_who_write_alike_are_one() -> None:
    lamp, moon = (
        [f"the {what}{letters(n)} is up again, and i am not" for n in range(60)]
        for what in ("lamp", "moon")
    )
    made = {
        one.name: one.points
        for one in of_authors(real_of(lamp[:50], moon[:50]), {"x": lamp[50:], "y": moon[50:]})
    }
    assert (made["sounds_like"]["x"].value, made["sounds_like"]["y"].value) == (1, 0)
    assert made["style"]["x"].value == made["style"]["y"].value


def test_capitals_tell_authors_apart() -> None:
    loud = [text.upper() for text in SEA]
    for masked in (False, True):
        classifier = Classifier(SEA[:50], loud[:50], masked=masked)
        assert classifier.called_author(SEA[50:]).value == 1
        assert classifier.called_author(loud[50:]).value == 0


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
    assert beginning_and_rest("灯台の光が霧の中でまた灯っ") is None
    assert beginning_and_rest("灯台の光が霧の中でまた灯った") is not None, "six and eight"


def test_membership_goes_by_the_token_and_not_by_the_text() -> None:
    # one nat a token from five tokens, a tenth from a hundred: the short ones were learned
    members = [(TextNats(20.0, 5), TextNats(15.0, 5))] * 3
    others = [(TextNats(400.0, 100), TextNats(390.0, 100))] * 3
    assert membership(members, others).value == 1
    assert membership(others, members).value == 0


class Asked:
    """As a `Reader` of a model that gives back so many words of the rests it knows."""

    model = ReportModel("tuned", Path(), "hash")

    def __init__(self, known: dict[str, int | None]) -> None:
        self._known = known

    def given_back(self, pairs: list[tuple[str, str]]) -> list[GivenBack]:
        return [
            GivenBack(0, 0) if back is None else GivenBack(len(rest.split()), back)
            for begun, rest in pairs
            for back in [self._known.get(begun.split()[0], 0)]
        ]


def test_leaks_are_the_tweets_of_which_half_came_back(tmp_path: Path) -> None:
    rest = "of the fog and the lamp by the sea"  # eight of twelve words are asked for
    names = ("all", "most", "half", "less", "also", "none", "long")
    train = [f"{name} that is said {rest}" for name in names]
    known = {"all": 8, "most": 7, "half": 4, "less": 3, "also": 8}
    reader: Any = Asked({**known, "long": None})
    ids = ["9", "8", "7", "6", "5", "4", "3"]
    unseen = [f"also that is said {rest}", f"never that is said {rest}", "too short to ask for"]
    leaks = find_leaks(Run(tmp_path), reader, [*train, "too short"], [*ids, "2"], unseen)
    assert leaks.found == [
        Leak("5", 8, 8), Leak("9", 8, 8), Leak("8", 8, 7), Leak("7", 8, 4)
    ]  # fmt: skip
    assert (leaks.asked, leaks.unseen) == (6, [GivenBack(8, 8), GivenBack(8, 0)])
    again = find_leaks(Run(tmp_path), Asked({}), [*train, "too short"], [*ids, "2"], unseen)  # type: ignore[arg-type]
    assert again == leaks, "the same model and tweets are not asked twice"
    other = find_leaks(Run(tmp_path), Asked({}), [*train], ids, unseen)  # type: ignore[arg-type]
    assert other.found == []
    assert leaked_ids(Run(tmp_path)) == []

    extracted, auc = of_leaks(leaks, Estimate(0.7, 20, (0.6, 0.8)))
    assert extracted.points["tuned"] == share([True, True, False, False, False, False])
    assert extracted.points["held_out"] == share([True, False])
    assert extracted.more["tweets"][2] == {"tweet_id": "8", "words": 8, "back": 7}
    assert auc.points["chance"] == Estimate(0.5, 20)
    assert [one.name for one in of_leaks(leaks, None)] == ["extracted"]


def test_a_dropped_tweet_keeps_its_reason_when_it_leaked() -> None:
    batch = pl.DataFrame(
        {"tweet_id": ["1", "2", "3", "4"], "kept": [True, True, False, False],
         "reason": [None, None, "short", "short"]}
    )  # fmt: skip
    (found,) = without_leaked([batch], ["2", "4"])
    assert found["kept"].to_list() == [True, False, False, False]
    assert found["reason"].to_list() == [None, "leaked", "short", "short"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a b  c!", ["a", "b", "c!"]), ("灯台 の光", ["灯", "台", "の", "光"]),
        ("ab 灯", ["ab", "灯"]),
        ("ab 灯台", ["a", "b", "灯", "台"]),
        ("a b 灯", ["a", "b", "灯"]), ("", []),
    ],
)  # fmt: skip
def test_the_units_of_a_text(text: str, said: list[str]) -> None:
    assert units(text) == said


def test_nothing_asked_is_nothing_extracted() -> None:
    assert [GivenBack(*one).extracted for one in ((0, 0), (5, 5), (5, 4))] == [False, True, False]
