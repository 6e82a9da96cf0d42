"""Who stands beside an author in a report: others in the corpus, never the author."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from report_runs import CREW, KEEPER, bring_in, sea, space, tweets_by

from core.curation.recipe import load_recipe
from core.home import Home
from core.report.impostors import Impostors, find_impostors

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
