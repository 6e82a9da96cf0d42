"""Tweets without ids that come with a date, without one, or both: each is in the corpus once."""

from __future__ import annotations

import csv
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.corpus.excluded import exclude_tweets, excluded_tweets
from core.corpus.importing import ImportResult, import_path
from core.corpus.store import Corpus
from core.forgetting import forget
from core.home import Home

Row = tuple[str, str]  # date and words

DATED = [
    ("2019-01-02 08:00:00", "good morning"),
    ("2019-01-01 08:00:00", "good morning"),
    ("2019-01-03 09:00:00", "the ferry is late again"),
]
UNDATED = [("", text) for _, text in DATED]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def corpus(home: Home) -> Corpus:
    return Corpus(home.corpus)


def bring_in(corpus: Corpus, rows: list[Row], include: str = "") -> ImportResult:
    path = corpus.path.parent / "in" / "x.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["author", "date", "text"])
        writer.writerows(("x", *row) for row in rows)
    (result,) = import_path(corpus, path, include=frozenset({include} - {""}))
    left_out = sum(result.skipped.values())
    assert result.read == result.new + result.updated + result.duplicates + left_out
    return result


def held(corpus: Corpus) -> list[Row]:
    """Date ("" for none) and words of all tweets, in order."""
    with corpus.reading() as connection:
        found = connection.execute(
            "SELECT coalesce(strftime(created_at, '%Y-%m-%d %H:%M:%S'), ''), text FROM tweets"
        )
        return sorted(found.fetchall())


def ids(corpus: Corpus, words: str) -> list[str]:
    with corpus.reading() as connection:
        found = connection.execute(
            "SELECT tweet_id FROM tweets WHERE text = ? ORDER BY created_at", [words]
        )
        return [str(row[0]) for row in found.fetchall()]


def test_dates_come_to_a_table_that_had_none(corpus: Corpus) -> None:
    first = bring_in(corpus, UNDATED)
    assert (first.new, first.duplicates) == (2, 1)
    (morning,) = ids(corpus, "good morning")
    exclude_tweets(corpus, [("x", morning)])
    dated = bring_in(corpus, DATED)
    assert (dated.new, dated.updated, dated.duplicates) == (1, 2, 0)
    assert held(corpus) == sorted(DATED)
    assert ids(corpus, "good morning")[0] == morning, "the earliest is the tweet that was there"
    assert excluded_tweets(corpus) == [("x", morning)]
    for again in (UNDATED, DATED):
        result = bring_in(corpus, again)
        assert (result.new, result.updated, result.duplicates) == (0, 0, 3)


def test_a_table_without_dates_brings_nothing_that_is_there_with_one(corpus: Corpus) -> None:
    bring_in(corpus, DATED)
    undated = bring_in(corpus, [*UNDATED, ("", "something new")])
    assert (undated.new, undated.updated, undated.duplicates) == (1, 0, 3)
    assert held(corpus) == sorted([*DATED, ("", "something new")])


def test_the_same_date_written_otherwise_is_the_same_tweet(corpus: Corpus) -> None:
    bring_in(corpus, DATED)
    other = [(date.replace(" ", "T") + "Z", text) for date, text in DATED]
    assert bring_in(corpus, other).duplicates == 3
    assert held(corpus) == sorted(DATED)


def test_dates_that_cannot_be_read_are_left_as_they_are(corpus: Corpus) -> None:
    unread = [("2h", "good morning"), ("3h", "good morning")]
    assert bring_in(corpus, unread).new == 2
    bring_in(corpus, DATED)
    assert held(corpus) == sorted([("", "good morning"), ("", "good morning"), *DATED])


def test_ids_of_their_own_are_never_touched(corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("id,author,date,text\n7,x,,good morning\n8,x,2019-01-01,good morning\n")
    import_path(corpus, path)
    assert bring_in(corpus, UNDATED).new == 2
    bring_in(corpus, DATED)
    import_path(corpus, path)
    both = [("", "good morning"), ("2019-01-01 00:00:00", "good morning")]
    assert held(corpus) == sorted([*both, *DATED])


@pytest.mark.slow
def test_rows_of_several_batches_and_accounts(corpus: Corpus, tmp_path: Path) -> None:
    """A batch of a table is some tens of thousands of rows."""
    rows = [f"{who},2020-01-01 00:{n % 60:02}:00,words {n}" for n in range(35_000) for who in "xy"]
    undated = [f"{who},,words {n}" for n in range(35_000) for who in "xy"]
    path = tmp_path / "large.csv"
    path.write_text("\n".join(["author,date,text", *undated, *rows]))
    assert [one.new for one in import_path(corpus, path)] == [35_000, 35_000]
    assert len(held(corpus)) == 70_000
    assert all(date for date, _ in held(corpus))
    path.write_text("\n".join(["author,date,text", *rows, *undated]))
    assert [one.duplicates for one in import_path(corpus, path)] == [70_000, 70_000]


def test_what_was_forgotten_stays_out_with_a_date_and_without(corpus: Corpus, home: Home) -> None:
    bring_in(corpus, UNDATED)
    forget(corpus, home, tweet_id=ids(corpus, "good morning")[0])
    result = bring_in(corpus, DATED)
    assert (result.updated, result.skipped) == (1, {"forgotten": 2})
    assert "good morning" not in {text for _, text in held(corpus)}
    assert bring_in(corpus, DATED, include="forgotten").new == 2
    assert bring_in(corpus, DATED).skipped == {}, "what was taken in again is not forgotten"
    for tweet_id in ids(corpus, "good morning"):
        forget(corpus, home, tweet_id=tweet_id)
    assert bring_in(corpus, UNDATED).skipped == {"forgotten": 2}


def test_one_of_two_that_say_the_same_is_forgotten(corpus: Corpus, home: Home) -> None:
    bring_in(corpus, UNDATED)
    bring_in(corpus, DATED)
    forget(corpus, home, tweet_id=ids(corpus, "good morning")[0])
    bring_in(corpus, [("", "another")], include="forgotten")
    assert bring_in(corpus, DATED[1:2]).skipped == {"forgotten": 1}
    assert len(ids(corpus, "good morning")) == 1


def only_once(imports: list[list[Row]]) -> list[Row]:
    """What the corpus should hold: of the same words each date, or one without where none has."""
    rows = {row for rows in imports for row in rows}
    dated = {text for date, text in rows if date}
    return sorted((date, text) for date, text in rows if date or text not in dated)


DAYS = st.integers(1, 3).map("2020-01-0{} 00:00:00".format)
EXPORTS = st.lists(
    st.tuples(DAYS, st.sampled_from(["a", "b &amp; c", "d"])), min_size=1, max_size=6
)


@pytest.mark.slow
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=EXPORTS, mixed=st.booleans())
def test_the_order_of_imports_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], mixed: bool
) -> None:
    """A dated and an undated export of one account, and one that has some of both."""
    undated = [("", text) for _, text in rows]
    some = [row[n % 2] for n, row in enumerate(zip(rows, undated, strict=True))]
    parts = [rows, undated, *([some] if mixed else [])]
    folder = tmp_path_factory.mktemp("orders")
    for number, order in enumerate(permutations(parts)):
        corpus = Corpus(folder / str(number) / "c.duckdb")
        for export in [*order, order[0]]:
            bring_in(corpus, export)
        assert held(corpus) == only_once(parts)
