"""Searching tweets: what the words mean, and that no text means anything else."""

from __future__ import annotations

from datetime import date, datetime, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.curation.recipe import load_recipe
from core.errors import WrongUsage
from core.tweet import tweet_schema
from core.workbench.curated import CuratedTable
from core.workbench.search import SYNTAX, Condition, parse_search
from core.workbench.table import TweetTable
from core.workbench.verdicts import CleanedTexts, judge_all
from core.workbench.view import Order, TweetRows


def tweets() -> TweetRows:
    """Seven tweets, by number: what they are stands beside them."""
    table = [
        # text, handle, day, kind, likes, urls, note
        ("Tea and toast at the harbour", "gull", "2019-12-31", "original", 5, None, None),
        ("@milly TEA, then toast", "gull", "2020-01-01", "reply", None, None, None),
        ("RT @harbour: tea https://t.co/a", "gull", "2020-06-15", "retweet", 9, None, None),
        ("RT @harbour: by hand", "keeper", "2020-06-30", "manual_retweet", 9, None, None),
        ("Look #fog pic.twitter.com/abc", "keeper", "2021-03-01", "original", 0, None, None),
        ("so true", "keeper", "2021-12-31", "quote", 1,
         '[{"url": "https://t.co/b", "expanded_url": "https://x.com/a/status/1/photo/1"}]', None),
        ("A long one &amp; more, 12:30 a#b", "keeper", None, "original", 2, None, "77"),
    ]  # fmt: skip
    rows = {
        "tweet_id": [str(100 + i) for i in range(len(table))],
        "text": [row[0] for row in table],
        "handle": [row[1] for row in table],
        "created_at": [
            datetime.fromisoformat(f"{row[2]}T23:59:59").replace(tzinfo=timezone.utc)
            if row[2]
            else None
            for row in table
        ],
        "kind": [row[3] for row in table],
        "favourites": [row[4] for row in table],
        "urls": [row[5] for row in table],
        "note_id": [row[6] for row in table],
        "text_escaped": [True] * len(table),
        "audience": ["public"] * len(table),
        "source": ["csv"] * len(table),
        "source_file": ["a.csv"] * len(table),
    }
    empty = pl.DataFrame(schema=tweet_schema())
    frame = pl.concat([empty, pl.DataFrame(rows, strict=False)], how="diagonal_relaxed").select(
        pl.col(name).cast(kind) for name, kind in tweet_schema().items()
    )
    made = TweetTable.of(frame)
    return TweetRows(CuratedTable(made, judge_all(made, CleanedTexts(), load_recipe("standard"))))


TWEETS = tweets()
ALL = {0, 1, 2, 3, 4, 5, 6}


def found(words: str) -> list[int]:
    rows = TWEETS.search(words)
    return [int(rows[i].tweet_id) - 100 for i in range(len(rows))]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("", ALL),
        ("tea", {0, 1, 2}),
        ("toast TEA", {0, 1}),
        ('"tea and toast"', {0}),
        ('"tea and toast', {0}),
        ("tea -toast", {2}),
        ("-tea -is:original", {3, 5}),
        ('-"by hand" from:keeper', {4, 5, 6}),
        ("from:gull", {0, 1, 2}),
        ("from:@GULL", {0, 1, 2}),
        ("-from:gull", {3, 4, 5, 6}),
        ("FROM:gull is:reply", {1}),
        ("is:retweet", {2, 3}),
        ("is:retweets", {2, 3}),
        ("is:quote", {5}),
        ("is:original", {0, 4, 6}),
        ("is:long", {6}),
        ("since:2020", {1, 2, 3, 4, 5}),
        ("until:2020", {0, 1, 2, 3}),
        ("since:2020 until:2020", {1, 2, 3}),
        ("since:2020-06 until:2020-06", {2, 3}),
        ("since:2020-06-15 until:2020-06-15", {2}),
        ("-since:2020", {0, 6}),
        ("has:link", {2, 4, 5}),
        ("has:media", {4, 5}),
        ("has:hashtag", {4}),
        ("has:mention", {1, 2, 3}),
        ("-has:mention -has:media", {0, 6}),
        ("12:30", {6}),
        ("& more", {6}),
        ("amp;", set()),
        ("-", set()),
        ("https://t.co/a", {2}),
    ],
)
def test_what_is_found(words: str, numbers: set[int]) -> None:
    assert set(found(words)) == numbers
    assert len(found(words)) == len(numbers)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("is:replied", "is:replied is not known. is: takes original, reply"),
        ("has:", "has: is not known"),
        ("since:yesterday", "since:yesterday is no day. For example: since:2020-06-15"),
        ("until:2020-13", "is no day"),
        ("since:2020-00", "is no day"),
        ("until:2020-06-00", "is no day"),
        ("since:2021-02-29", "is no day"),
        ("since:0000", "is no day"),
        ("from:", "from: needs an account"),
        ("from:a/b", "from: needs an account"),
        ("form:nasa", "form: is no condition. Did you mean from:?"),
        ("untill:2020", "Did you mean until:?"),
    ],
)
def test_what_cannot_be_says_so(words: str, said: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        parse_search(words)
    assert said in str(caught.value).replace("\n", " ")


def test_the_syntax_that_help_shows_is_the_syntax() -> None:
    for example, _ in SYNTAX:
        assert parse_search(example).conditions
    (until,) = parse_search("until:2020-02").conditions
    assert until == Condition("until", "2020-02", day=date(2020, 2, 29))
    assert parse_search('tea "a b" -c from:x').words == ("tea", "a b")


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        ("newest", [5, 4, 3, 2, 1, 0, 6]),
        ("oldest", [0, 1, 2, 3, 4, 5, 6]),
        ("likes", [3, 2, 0, 6, 5, 4, 1]),
        ("length", [6, 2, 4, 0, 1, 3, 5]),
    ],
)
def test_orders(order: Order, numbers: list[int]) -> None:
    rows = TWEETS.in_order(order)
    assert [int(rows[i].tweet_id) - 100 for i in range(len(rows))] == numbers
    some = TWEETS.search("tea").in_order(order)
    assert [int(some[i].tweet_id) - 100 for i in range(len(some))] == [
        number for number in numbers if number in (0, 1, 2)
    ]


PIECES = st.sampled_from(
    ["from:", "is:", "has:", "since:", "until:", "reply", "2020", '"', "-", " ", ":", "tea", "'",
     ";", "\\", "%", "*", "[b]", "é", "İ", "\x00", "😀", "--", "DROP TABLE tweets"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_any_text_is_a_search_or_says_what_is_wrong(text: str) -> None:
    try:
        search = parse_search(text)
    except WrongUsage:
        return
    numbers = found(text)
    assert set(numbers) <= ALL
    # all conditions hold on what is found: each by itself finds at least that
    for one in search.conditions:
        if one.kind == "words" and '"' not in one.value and not one.negated:
            assert set(numbers) <= set(found(f'"{one.value}"'))


@given(st.text(alphabet="abTe -", min_size=1, max_size=12))
def test_a_word_and_its_negation_make_the_whole(text: str) -> None:
    phrase = text.strip().strip("-").strip()
    if phrase:
        with_it, without = set(found(f'"{phrase}"')), set(found(f'-"{phrase}"'))
        assert with_it | without == ALL
        assert not with_it & without


def test_a_pasted_page_is_no_search() -> None:
    assert len(parse_search("tea " * 50).conditions) == 50
    with pytest.raises(WrongUsage) as refused:
        parse_search("tea -toast " * 100_000)
    assert str(refused.value).startswith(
        "A search takes at most 50 words and conditions. There are 200,000."
    )
    assert parse_search(f'"{"tea " * 100_000}"').conditions, "one phrase, however long"
