"""A plan as steps: what is drawn for an eye, for an ear and for a program."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.corpus.store import Corpus
from core.errors import InputRefused, WrongUsage
from core.home import Home
from core.query.plan import PlanStep, plan_steps
from core.query.refusal import QueryRefused
from tests.fixtures.five_tweets import home_with_five_tweets


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_with_five_tweets(tmp_path)


def steps(home: Home, sql: str, *, analyse: bool = False) -> list[PlanStep]:
    return plan_steps(Corpus(home.corpus), home, sql, analyse=analyse)


@pytest.mark.parametrize("analyse", [False, True])
def test_each_comes_after_those_that_it_reads_and_the_last_gives_the_rows(
    home: Home, analyse: bool
) -> None:
    sql = """
        SELECT a.handle, count(*) AS n FROM tweets a JOIN accounts b USING (handle)
        WHERE length(a.text) > 1 GROUP BY ALL ORDER BY n DESC
    """
    found = steps(home, sql, analyse=analyse)
    read = [place for number, step in enumerate(found) for place in step.reads]
    assert all(place < number for number, step in enumerate(found) for place in step.reads)
    assert sorted(read) == list(range(len(found) - 1)), "each is read once, but for the last"
    assert [step for step in found if len(step.reads) == 2], "the join reads two"
    assert found[-1].name == "ORDER_BY"
    assert found[-1].facts["Order By"].endswith(" DESC")
    assert not any("Cardinality" in fact or fact == "Type" for one in found for fact in one.facts)


def test_rows_are_an_estimate_until_it_runs(home: Home) -> None:
    sql = "SELECT text FROM tweets WHERE length(text) = 3"
    (guessed,) = steps(home, sql)
    assert guessed.rows is not None
    assert guessed.rows > 0
    assert guessed.seconds is None
    (counted,) = steps(home, sql, analyse=True)
    assert counted.rows == 0
    assert counted.seconds is not None
    assert counted.seconds > 0
    assert "length" in counted.facts["Filters"]


def test_a_projection_is_a_step_where_it_computes_something(home: Home) -> None:
    for sql in ("SELECT lower(text) FROM tweets", "SELECT lower(text) AS low FROM tweets"):
        assert [step.name for step in steps(home, sql)] == ["SEQ_SCAN", "PROJECTION"]
    sql = "SELECT handle, count(*) FROM tweets GROUP BY ALL"
    packs = any("__internal" in text for one in steps(home, sql) for text in one.facts.values())
    assert not packs, "what packs handles from one step to the next is passed over"


def test_what_is_no_query_has_no_plan(home: Home) -> None:
    with pytest.raises(WrongUsage, match="an EXPLAIN already"):
        steps(home, "EXPLAIN FROM tweets")
    with pytest.raises(QueryRefused, match="not a query"):
        steps(home, "DROP TABLE tweets")
    with pytest.raises(QueryRefused, match="nowhere") as refused:
        steps(home, "FROM nowhere", analyse=True)
    assert refused.value.span is not None
    assert refused.value.span.column == 6, "in what was typed, not in what DuckDB was given"


def test_a_plan_of_hundreds_of_steps_within_each_other_is_refused_in_words(home: Home) -> None:
    """Some versions of Python read it."""
    try:
        found = steps(home, "SELECT count(*) FROM (" * 400 + "SELECT 1" + ")" * 400)
    except InputRefused as error:
        assert "too many steps" in str(error)  # noqa: PT017
    else:
        assert len(found) == 801
