"""A curated frame as rows: filters, words, and what people saw."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.curation.recipe import load_recipe
from core.tweet import tweet_schema
from core.workbench.curated import CuratedTable
from core.workbench.table import TweetTable
from core.workbench.verdicts import CleanedTexts, judge_all
from core.workbench.view import TweetRow, TweetRows
from tui.text.verdicts import verdict

TEXTS = [
    "A gull is a gull.",
    "see https://t.co/abc now, all of you",
    "ok",
    "RT @harbour: all ferries run on time",
    "Tea &amp; toast &lt;3 for everybody here",
    "100% [bold] of \\d+ .* it",
]


def frame(texts: list[str]) -> pl.DataFrame:
    count = len(texts)
    known = {
        "handle": ["gull"] * count,
        "tweet_id": [str(number) for number in range(1, count + 1)],
        "text": texts,
        "text_escaped": [True] * count,
        "kind": ["manual_retweet" if text.startswith("RT @") else "original" for text in texts],
        "audience": ["public"] * count,
        "source": ["csv"] * count,
        "source_file": ["gull.csv"] * count,
    }
    empty = pl.DataFrame(schema=tweet_schema())
    return pl.concat([empty, pl.DataFrame(known)], how="diagonal_relaxed").select(
        pl.col(name).cast(kind) for name, kind in tweet_schema().items()
    )


def rows(texts: list[str] = TEXTS) -> TweetRows:
    table = TweetTable.of(frame(texts))
    verdicts = judge_all(table, CleanedTexts(), load_recipe("standard"))
    return TweetRows(CuratedTable(table, verdicts))


def texts(some: TweetRows) -> set[str]:
    return {some[index].text for index in range(len(some))}


def test_every_row_can_be_read_and_the_parts_make_the_whole() -> None:
    every = rows()
    assert texts(every) == set(TEXTS)
    kept, dropped = every.only("kept"), every.only("dropped")
    assert len(kept) + len(dropped) == len(every)
    assert texts(kept) | texts(dropped) == set(TEXTS)
    assert all(kept[i].reason is None for i in range(len(kept)))
    assert all(dropped[i].reason for i in range(len(dropped)))
    assert "ok" in texts(dropped)
    assert texts(every.only("edited")) <= texts(kept)
    assert TEXTS[1] in texts(every.only("edited"))
    assert every.only("all") is every


def test_filters_give_new_views_and_leave_the_old_one() -> None:
    every = rows()
    every.only("kept").search("gull")
    assert len(every) == len(TEXTS)


@pytest.mark.parametrize(
    ("words", "found"),
    [("GULL", 1), ("  gull ", 1), ("", 6), ("   ", 6), ("\\d+", 1), (".*", 1), ("[bold]", 1),
     ("%", 1), ("a.gull", 0), ("(", 0), ("nobody", 0)],
)  # fmt: skip
def test_search_is_for_words_not_patterns(words: str, found: int) -> None:
    assert len(rows().search(words)) == found


@pytest.mark.slow
@given(st.text(max_size=30))
def test_any_search_is_harmless(words: str) -> None:
    assert len(rows().search(words)) <= len(TEXTS)


@pytest.mark.parametrize(
    ("text", "escaped", "published"),
    [
        ("Tea &amp; toast &lt;3", True, "Tea & toast <3"),
        ("&amp;lt;", True, "&lt;"),
        ("&amp;amp;", True, "&amp;"),
        ("Tea &amp; toast", False, "Tea &amp; toast"),
        ("&quot; &#39; &copy;", True, "&quot; &#39; &copy;"),
    ],
)
def test_escaping_is_undone_once(text: str, escaped: bool, published: str) -> None:
    row = TweetRow(
        "1", "gull", None, text, escaped, text, True, None, "original", None, None, None, None,
        "public", "csv", "gull.csv", None, None,
    )  # fmt: skip
    assert row.published == published


@pytest.mark.parametrize(
    ("trigger", "said"),
    [("RT @Gull:", "this account's retweet of its own tweet"), ("RT @gull_2:", "somebody else"),
     (None, "somebody else")],
)  # fmt: skip
def test_a_retweet_of_oneself_was_not_written_by_somebody_else(
    trigger: str | None, said: str
) -> None:
    row = TweetRow(
        "1", "gull", None, f"{trigger} chips", False, "", False, "retweet", "retweet", None, None,
        None, None, "public", "csv", "gull.csv", None, None, trigger,
    )  # fmt: skip
    assert said in verdict(row)


def test_search_finds_what_people_saw() -> None:
    assert len(rows().search("tea & toast")) == 1
