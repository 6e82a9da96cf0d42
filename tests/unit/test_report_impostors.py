"""Who stands beside an author in a report: others in the corpus, never the author."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from report_runs import CREW, KEEPER, bring_in, sea, space, tweets_by

from core.curation.recipe import load_recipe
from core.home import Home
from core.report.impostors import Impostors, find_impostors
from core.report.points import real_texts
from core.runs.folder import Run
from tests.unit.toy_runs import create_toy

RECIPE = load_recipe("standard", None)
OWN = tweets_by(KEEPER, sea, 150)
OTHER = tweets_by(CREW, space, 150)


def found(home: Path) -> Impostors:
    home.mkdir(exist_ok=True)
    return find_impostors(Home.at(home), RECIPE, [KEEPER], OWN["text"].to_list(), seed=1)


def test_others_in_the_corpus_stand_in(tmp_path: Path) -> None:
    bring_in(Home.at(tmp_path), pl.concat([OWN, OTHER]))
    first = found(tmp_path)
    assert (first.handles, first.bundled) == ([CREW], False)
    assert sorted(first.texts) == sorted(OTHER["text"].to_list())
    assert found(tmp_path) == first, "the same seed gives the same order"


def test_the_author_under_another_name_is_no_impostor(tmp_path: Path) -> None:
    again = OWN.with_columns(handle=pl.lit("keeper_backup"))
    bring_in(Home.at(tmp_path), pl.concat([OWN, again, OTHER]))
    assert found(tmp_path).handles == [CREW]


def test_a_few_tweets_in_common_leave_only_those_out(tmp_path: Path) -> None:
    quoting = pl.concat([OTHER, OWN.head(5).with_columns(handle=pl.lit(CREW))])
    bring_in(Home.at(tmp_path), pl.concat([OWN, quoting]))
    assert sorted(found(tmp_path).texts) == sorted(OTHER["text"].to_list())


def test_without_others_the_authors_that_ship_stand_in(tmp_path: Path) -> None:
    shipped = found(tmp_path)
    assert shipped.bundled
    assert len(shipped.handles) == 3
    assert len(shipped.texts) > 500
    bring_in(Home.at(tmp_path), pl.concat([OWN, OTHER.head(20)]))
    assert found(tmp_path) == shipped, "twenty tweets of somebody are too few"


def test_one_of_those_that_ship_is_not_compared_with_itself(tmp_path: Path) -> None:
    shipped = found(tmp_path)
    handle = shipped.handles[0]
    rest = find_impostors(Home.at(tmp_path), RECIPE, [handle], [], seed=1)
    assert rest.handles == shipped.handles[1:]


@pytest.mark.parametrize(("count", "enough"), [(100, True), (99, False)])
def test_a_hundred_tweets_of_others_are_enough(tmp_path: Path, count: int, enough: bool) -> None:
    bring_in(Home.at(tmp_path), pl.concat([OWN, OTHER.head(count)]))
    assert found(tmp_path).bundled is not enough


@pytest.mark.parametrize(("shared", "same"), [(15, False), (16, True)])
def test_who_says_more_than_a_tenth_of_it_is_the_author(
    tmp_path: Path, shared: int, same: bool
) -> None:
    theirs = pl.concat([OTHER.head(150 - shared), OWN.head(shared)])
    again = theirs.with_columns(handle=pl.lit("keeper_backup"))
    again = again.with_columns(pl.col("tweet_id").str.replace("^", "9"))
    wordless = OTHER.head(1).with_columns(text=pl.lit("🌊🌊🌊 ... 🌊🌊🌊!"), tweet_id=pl.lit("5"))
    bring_in(Home.at(tmp_path), pl.concat([OWN, OTHER, wordless, again]))
    others = found(tmp_path)
    assert others.handles == ([CREW] if same else [CREW, "keeper_backup"])
    assert "🌊🌊🌊 ... 🌊🌊🌊!" not in others.texts
    assert not {*others.texts} & {*OWN["text"]}


def test_several_others_come_in_the_same_order_each_time(tmp_path: Path) -> None:
    others = [
        tweets_by(f"other{at}", space, 60).with_columns(
            (pl.lit(f"{at}") + pl.col("tweet_id")).alias("tweet_id"),
            (pl.lit(f"{at} says: ") + pl.col("text")).alias("text"),
        )
        for at in range(4)
    ]
    bring_in(Home.at(tmp_path), pl.concat([OWN, *others]))
    first = found(tmp_path)
    assert first.handles == ["other0", "other1", "other2", "other3"]
    assert len(first.texts) == 240
    assert first.texts[:60] != sorted(first.texts)[:60], "they are mixed"
    for _ in range(3):
        assert found(tmp_path) == first


# ── the points of a report ───────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Run]:
    """A home with two authors, and a run of the one that nothing has worked on."""
    home = Home.at(tmp_path_factory.mktemp("points"))
    bring_in(home, pl.concat([OWN, OTHER]))
    return home, create_toy(home.root, tweets=OWN)


def test_real_texts_are_parted_between_those_who_learn_and_those_who_are_scored(
    untrained: tuple[Home, Run],
) -> None:
    real = real_texts(*untrained, n=1000, seed=2)
    assert real.authors == [KEEPER]
    assert sorted([*real.train, *real.held_out]) == sorted(OWN["text"])
    ids = dict(zip(OWN["tweet_id"], OWN["text"], strict=True))
    assert [ids[one] for one in real.train_ids] == real.train
    assert len(real.parrot) == len(real.train) // 4
    assert sorted([*real.parrot, *real.to_learn]) == sorted(real.train)
    assert (len(real.impostors), len(real.impostors_to_learn)) == (50, 100)
    assert sorted([*real.impostors, *real.impostors_to_learn]) == sorted(OTHER["text"])
    assert (real.impostor_handles, real.bundled_impostors) == ([CREW], False)
    assert real_texts(*untrained, n=1000, seed=2) == real
    other = real_texts(*untrained, n=1000, seed=3)
    assert other.train == real.train
    for one, seeded in ((real.held_out, other.held_out), (real.to_learn, other.to_learn)):
        assert one != seeded, "in an order of the seed"


def test_a_report_on_a_few_texts_scores_no_more(untrained: tuple[Home, Run]) -> None:
    real = real_texts(*untrained, n=7, seed=2)
    assert (len(real.parrot), len(real.impostors)) == (7, 7)
    assert len(real.to_learn) == len(real.train) - 7
    assert len(real.impostors_to_learn) == 143
