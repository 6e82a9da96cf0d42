"""Curation in batches: the rows of one frame, whatever the size of the batches."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.corpus.store import Corpus
from core.curation.recipe import Recipe, load_recipe
from core.curation.stream import curated_batches, interruptible
from core.errors import Interrupted
from core.tweet import tweet_schema
from tests.oracles.corpus import tweets
from tests.oracles.frames import frame, hostile_frames, in_order
from tests.oracles.one_frame import curate
from tests.shared import fill

STANDARD, CLASSIC = load_recipe("standard"), load_recipe("classic")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path / "tweets.duckdb")


def whole(rows: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    return in_order(curate(rows, recipe))


@pytest.mark.slow
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=hostile_frames(),
    size=st.integers(1, 30),
    recipe=st.sampled_from(
        [STANDARD, CLASSIC, STANDARD.replace(drop_duplicates=False, min_words=0)]
    ),
)
def test_batches_hold_the_rows_of_one_frame(
    corpus: Corpus, rows: pl.DataFrame, size: int, recipe: Recipe
) -> None:
    fill(corpus, rows)
    got = list(curated_batches(corpus, ["a", "b"], recipe, rows=size))
    assert [part.height for part in got[:-1]] == [size] * (len(got) - 1)
    expected = whole(rows, recipe)
    joined = pl.concat([expected.clear(), *got])
    assert joined.schema == expected.schema
    assert joined.equals(expected)


def test_duplicates_are_found_across_batches_but_not_across_accounts(corpus: Corpus) -> None:
    texts = ["One two three", "four five six", "one two THREE", "one two three"]
    fill(corpus, frame(texts, handle=["a", "a", "a", "b"]))
    for size in (1, 2, 50):
        rows = pl.concat(curated_batches(corpus, ["b", "a"], STANDARD, rows=size))
        assert rows["reason"].to_list() == [None, None, "duplicate", None]
        assert rows["handle"].to_list() == ["a", "a", "a", "b"]


def test_only_the_accounts_asked_for(corpus: Corpus) -> None:
    fill(corpus, frame(["one two three"] * 2, handle=["a", "b"]))
    (rows,) = curated_batches(corpus, ["b", "nobody"], STANDARD)
    assert rows["handle"].to_list() == ["b"]
    assert list(curated_batches(corpus, ["nobody"], STANDARD)) == []
    assert list(curated_batches(corpus, [], STANDARD)) == []


def test_no_corpus_is_left_alone(corpus: Corpus) -> None:
    assert list(curated_batches(corpus, ["a"], STANDARD)) == []
    assert list(corpus.path.parent.iterdir()) == []


def test_the_corpus_is_free_while_the_batches_are_used(corpus: Corpus) -> None:
    fill(corpus, frame(["one two three"] * 3))
    batches = curated_batches(corpus, ["someone"], STANDARD, rows=1)
    next(batches)
    with Corpus(corpus.path, lock_wait=0).writing() as connection:
        connection.execute("DELETE FROM tweets").fetchall()
    assert [part.height for part in batches] == [1, 1]


def test_nothing_is_left_beside_the_corpus(corpus: Corpus) -> None:
    fill(corpus, frame(["one two three"] * 3))
    here = sorted(corpus.path.parent.iterdir())
    list(curated_batches(corpus, ["someone"], STANDARD, rows=1))
    assert sorted(corpus.path.parent.iterdir()) == here
    batches = curated_batches(corpus, ["someone"], STANDARD, rows=1)
    next(batches)
    (folder,) = set(corpus.path.parent.iterdir()) - set(here)
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0
    batches.close()  # type: ignore[attr-defined]
    assert sorted(corpus.path.parent.iterdir()) == here


def test_what_a_killed_process_left_is_swept_up(corpus: Corpus) -> None:
    fill(corpus, frame(["one two three"] * 3))
    code = (
        "import os, sys; from pathlib import Path; from core.corpus.store import Corpus\n"
        "from core.curation.recipe import load_recipe\n"
        "from core.curation.stream import curated_batches\n"
        "batches = curated_batches(\n"
        "    Corpus(Path(sys.argv[1])), ['someone'], load_recipe('standard'), rows=1)\n"
        "next(batches); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(corpus.path)], check=False)
    assert done.returncode == 9
    assert len(list(corpus.path.parent.glob(".mynah-*"))) == 1
    with held(corpus):
        assert len(list(corpus.path.parent.glob(".mynah-*"))) == 1
    assert list(corpus.path.parent.glob(".mynah-*")) == []


@contextmanager
def held(corpus: Corpus) -> Iterator[None]:
    batches = curated_batches(corpus, ["someone"], STANDARD, rows=1)
    next(batches)
    yield
    batches.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["home", "what [ab] * handle=evil"])
def test_threads_and_near_copies_over_batches_in_any_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    corpus = Corpus(tmp_path / name / "tweets.duckdb")
    texts = [
        *("the fog came in", "and stayed", "the gulls are loud today, again", "until noon"),
        *("the gulls are loud today, again!", "oh no", "it was not to be", "not again"),
    ]
    rows = frame(texts, reply_to_id=[None, "1", None, "2", None, None, None, "6"])
    fill(corpus, rows)
    recipe = STANDARD.replace(threads="join", near_duplicates=80, most_per_author=4)
    expected = whole(rows, recipe)
    assert expected["reason"].to_list() == [
        *(None, "joined", None, "joined", "near_duplicate", None, None, "joined"),
    ]
    assert expected["clean_text"][0] == "the fog came in and stayed until noon"
    for size in (1, 3, 100):
        assert pl.concat(curated_batches(corpus, ["someone"], recipe, rows=size)).equals(expected)


def test_a_long_statement_is_stopped(corpus: Corpus) -> None:
    fill(corpus, frame(["one two three"]))
    long = "SELECT sum(hash(a.range + b.range)) FROM range(300000) AS a, range(100000) AS b"
    with corpus.reading() as connection:
        with pytest.raises(duckdb.InterruptException), interruptible(connection, lambda: True):
            connection.execute(long).fetchall()
        with interruptible(connection, lambda: False):
            assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_progress_counts_tweets(corpus: Corpus) -> None:
    fill(corpus, frame(["one two three"] * 5))
    seen: list[int] = []
    next(curated_batches(corpus, ["someone"], STANDARD, rows=2, progress=seen.append))
    assert seen == [2, 4, 5]


@pytest.mark.parametrize("asked", range(5))
def test_stopping(corpus: Corpus, asked: int) -> None:
    fill(corpus, frame(["one two three"] * 3))
    here = sorted(corpus.path.parent.iterdir())
    answers = iter([*[False] * asked, *[True] * 20])
    batches = curated_batches(
        corpus, ["someone"], STANDARD, rows=1, cancelled=lambda: next(answers)
    )
    with pytest.raises(Interrupted):
        list(batches)
    assert sorted(corpus.path.parent.iterdir()) == here


def test_unmixed_order(corpus: Corpus) -> None:
    rows = frame(["one two three"] * 4, tweet_id=["9", "10", "8", "7"])
    rows = rows.with_columns(created_at=pl.lit(None, tweet_schema()["created_at"]))
    fill(corpus, rows)
    (got,) = curated_batches(corpus, ["someone"], STANDARD)
    assert got["tweet_id"].to_list() == ["7", "8", "9", "10"]
    assert got["kept"].to_list() == [True, False, False, False]
    assert tweets(corpus, ["someone"]).height == 4
