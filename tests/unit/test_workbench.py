"""The workbench: whatever the recipe, the same as one pass over one frame, only sooner."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.corpus.store import Corpus
from core.curation.cleaning import CLEANING
from core.curation.counts import total_stats
from core.curation.recipe import Recipe, load_recipe
from core.curation.rules import LISTS, rule_fields
from core.errors import InputRefused, Interrupted
from core.home import Home
from core.tweet import OPTIONAL, tweet_schema
from core.workbench import table as table_module
from core.workbench.bench import Workbench
from core.workbench.comparison import compare
from core.workbench.curated import CuratedTable
from core.workbench.table import COLUMNS, TweetTable
from core.workbench.verdicts import CleanedTexts, count_verdicts, judge_all
from tests.oracles.one_frame import account_stats, curate

STANDARD = load_recipe("standard")
PIECES = [
    "see https://t.co/abc now", "R&amp;B is good", "@bob @amy hello there", "ok", "tea",
    "RT @harbour: all ferries run", "mail me at gull@harbour.org", "#fog again\nand again",
    "霧が港に来るのはいつも静かだ", "de boot is vandaag niet op tijd", "Ferries!",
    "the gull says no",
]  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "languages": [["en"], ["nl", "ja"]],
    "blocked_words": [["ferries"], ["gull", "the gull"]],
    "first_date": ["2020-01-02"],
    "last_date": ["2020-01-03"],
    "near_duplicates": [60],
    "most_per_author": [5, 20],
    "min_words": [0, 4],
    "min_characters": [12],
}


def changes() -> list[dict[str, Any]]:
    """Every rule with every sort of value it has."""
    found: list[dict[str, Any]] = []
    for rule in rule_fields():
        values: list[Any] = VALUES.get(rule.key, list(rule.choices))
        if rule.kind == "switch":
            values = [True, False]
        found += [{rule.key: value} for value in values]
    return found


def tweets(number: int = 400, seed: int = 1, ids: str = "{}") -> pl.DataFrame:
    dice = random.Random(seed)
    start = datetime(2020, 1, 1, tzinfo=timezone.utc)
    urls = '[{"url": "https://t.co/abc", "expanded_url": "https://x.com/amy/status/7"}]'
    kinds = ["original", "original", "reply", "quote", "retweet", "manual_retweet"]
    rows = [
        {
            "tweet_id": ids.format(9_000 + dice.randrange(3) * 10_000 + at),
            "handle": dice.choice(["gull", "amy", "zed"]),
            "created_at": None
            if dice.random() < 0.1
            else start + timedelta(hours=dice.randrange(90)),
            "text": " ".join(dice.choices(PIECES, k=dice.randrange(1, 4))),
            "text_escaped": dice.random() < 0.5,
            "kind": dice.choice(kinds),
            "lang": dice.choice([None, "en", "nl", "ja", "und"]),
            "reply_to": dice.choice([None, "amy", "gull"]),
            "reply_to_id": dice.choice(
                [None, ids.format(9_000 + dice.randrange(3) * 10_000 + dice.randrange(number))]
            ),
            "urls": dice.choice([None, urls]),
            "sensitive": dice.choice([None, True, False]),
            "favourites": dice.choice([None, 0, 5_000_000_000 if seed == 7 else 5]),
            "reposts": 1,
            "note_id": dice.choice([None, None, "77"]),
            "audience": "public",
            "source": "csv",
            "source_file": dice.choice(["a.csv", "b.csv"]),
        }
        for at in range(number)
    ]
    return pl.DataFrame(rows, schema=tweet_schema())


def in_one_pass(frame: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """What the workbench must equal: newest first, undated last, ties by id; its columns only."""
    newest = frame.sort(
        "created_at",
        pl.col("tweet_id").str.len_bytes(),
        "tweet_id",
        descending=True,
        nulls_last=True,
    )
    return curate(newest, recipe).drop(OPTIONAL)


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few hundred tweets make many slices."""
    monkeypatch.setattr(table_module, "SLICE", 64)


@pytest.mark.slow
@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("engine", ["standard", "classic"])
def test_every_rule_gives_what_one_pass_over_one_frame_gives(engine: str) -> None:
    frame = tweets(120)
    table = TweetTable.of(frame)
    cleaned = CleanedTexts()
    base = STANDARD.replace(engine=engine)
    for change in [{}, *changes()]:
        recipe = base.replace(**change)
        expected = in_one_pass(frame, recipe)
        handles = ["zed", "amy", "nobody", "gull"]
        stats = account_stats(expected, handles=handles)
        changed = expected.filter("kept", pl.col("text") != pl.col("clean_text"))
        for _ in ("counted anew", "from what was kept"):
            verdicts = judge_all(table, cleaned, recipe)
            curated = CuratedTable(table, verdicts)
            assert_frame_equal(curated.frame(), expected)
            assert count_verdicts(table, verdicts, handles).stats() == stats, change
            edited = curated.rows(curated.only("edited", curated.all_rows))
            assert [row.tweet_id for row in edited] == changed["tweet_id"].to_list()


@pytest.mark.slow
@given(st.lists(st.sampled_from(changes()), max_size=6), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_any_row_of_edits_ends_at_the_same_counts(edits: list[dict[str, Any]], seed: int) -> None:
    frame = tweets(60, seed)
    table = TweetTable.of(frame)
    cleaned = CleanedTexts(most_bytes=1_500)  # too little for all, so that some is dropped
    recipe = STANDARD
    for change in edits:
        recipe = recipe.replace(**change)
        verdicts = judge_all(table, cleaned, recipe)
        assert_frame_equal(CuratedTable(table, verdicts).frame(), in_one_pass(frame, recipe))


def test_only_the_rules_said_to_clean_change_a_clean_text() -> None:
    frame = tweets()
    before = curate(frame, STANDARD)["clean_text"]
    touched = {
        next(iter(change))
        for change in changes()
        if not curate(frame, STANDARD.replace(**change))["clean_text"].equals(before)
    }
    assert touched <= {*CLEANING, "threads"}
    assert {"links", "mentions", "hashtags", "line_breaks"} <= touched


@pytest.mark.parametrize(("seed", "ids"), [(2, "{}"), (3, "0{}"), (4, "3k{}x"), (7, "99{}")])
def test_packing_loses_nothing(seed: int, ids: str) -> None:
    frame = tweets(80, seed, ids)
    table = TweetTable.of(frame)
    back = table.canonical(slice(0, 80))
    assert_frame_equal(back, frame.select(COLUMNS))
    numbers = pl.Series([3, 79, 0], dtype=pl.UInt32)
    assert_frame_equal(table.canonical(numbers), frame.select(COLUMNS)[[3, 79, 0]])
    shown = table.canonical(table.newest_first, ("tweet_id", "created_at"))
    expected = in_one_pass(frame, STANDARD).select("tweet_id", "created_at")
    assert_frame_equal(shown, expected)


def corpus_of(home: Home, frame: pl.DataFrame) -> None:
    columns = ", ".join(tweet_schema())
    with Corpus(home.corpus).writing() as connection:
        arrays = {name: frame[name].to_numpy() for name in tweet_schema() if name != "created_at"}
        arrays["created_at"] = frame["created_at"].dt.replace_time_zone(None).to_numpy()
        connection.register("given", arrays)
        added = "first_imported_at, last_imported_at, sources"
        connection.execute(
            f"INSERT INTO tweets ({columns}, {added}) "  # noqa: S608
            f"SELECT {columns}, now(), now(), ['csv'] FROM given"
        )
        connection.unregister("given")


def unique(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.unique(["handle", "tweet_id"], keep="first", maintain_order=True)


@pytest.fixture
def home(tmp_path: Any) -> Home:
    return Home.at(tmp_path / "home")


@pytest.mark.parametrize("ids", ["{}", "3k{}x"])
@pytest.mark.usefixtures("small_slices")
def test_the_corpus_is_read_part_by_part(
    home: Home, monkeypatch: pytest.MonkeyPatch, ids: str
) -> None:
    monkeypatch.setattr(table_module, "_ROWS_READ", 50)
    frame = unique(tweets(ids=ids))
    corpus_of(home, frame)
    told: list[tuple[int, int]] = []
    bench = Workbench(home, ["gull", "amy"], progress=lambda *at: told.append(at))
    mine = frame.filter(pl.col("handle").is_in(["gull", "amy"]))
    assert told[-1] == (mine.height, mine.height)
    assert len(told) > 3
    curation = bench.curate(STANDARD)
    expected = in_one_pass(mine, STANDARD)
    key = ["created_at", "tweet_id", "handle"]
    assert_frame_equal(curation.frame.sort(key), expected.sort(key))
    assert curation.stats == account_stats(expected, handles=["gull", "amy"])
    with pytest.raises(Interrupted):
        Workbench(home, ["gull"], cancelled=lambda: True)
    with pytest.raises(InputRefused, match="no tweets of @nobody"):
        Workbench(home, ["gull", "nobody"])


def bench_of(home: Home) -> Workbench:
    corpus_of(home, unique(tweets()))
    return Workbench(home, ["gull", "amy", "zed"])


@pytest.mark.usefixtures("small_slices")
def test_a_newer_question_stops_an_older_one_between_slices(home: Home) -> None:
    bench = bench_of(home)
    told: list[int] = []
    with pytest.raises(Interrupted):
        bench.curate(
            STANDARD,
            progress=lambda done, _: told.append(done),
            cancelled=lambda: len(told) == 2,
        )
    assert told == [64, 128]
    rows = bench.curate(STANDARD).rows
    with pytest.raises(Interrupted):
        rows.search("gull", cancelled=lambda: True)


def test_tokens_are_those_of_the_kept_texts_and_nothing_is_counted_twice(home: Home) -> None:
    bench = bench_of(home)
    counted: list[str] = []

    def count(texts: list[str]) -> list[int]:
        counted.extend(texts)
        return [len(text.split()) for text in texts]

    curation = bench.curate(STANDARD, count)
    expected = account_stats(curation.frame, handles=bench.handles, count_tokens=count)
    assert [one.tokens for one in curation.stats] == [one.tokens for one in expected]
    assert curation.total == total_stats(curation.stats)
    assert not curation.total.tokens_about
    counted.clear()
    bench.curate(STANDARD.replace(min_words=4), count)
    assert counted == [], "fewer tweets: all of them are known"
    bench.curate(STANDARD.replace(min_words=0), count)
    assert counted
    assert set(counted) <= set(bench.curate(STANDARD.replace(min_words=0)).frame["clean_text"])


def test_two_recipes_counted_at_once_keep_their_own_tokens(home: Home) -> None:
    bench = bench_of(home)
    other = STANDARD.replace(links="keep", mentions="keep", unescape="none")
    begun: list[str] = []

    def count(texts: list[str]) -> list[int]:
        if not begun:  # another thread asks for another recipe just then
            begun.append("first")
            bench.curate(other, count)
        return [len(text) for text in texts]

    bench.curate(STANDARD, count)
    for recipe in (other, STANDARD):
        curation = bench.curate(recipe, count)
        expected = account_stats(curation.frame, handles=bench.handles, count_tokens=count)
        assert [one.tokens for one in curation.stats] == [one.tokens for one in expected]


def test_tokens_of_many_tweets_are_estimated_and_marked(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workbench.tokens._LOOKED_AT", 60)
    bench = bench_of(home)
    counted: list[str] = []

    def count(texts: list[str]) -> list[int]:
        counted.extend(texts)
        return [len(text) for text in texts]  # a token a character: the estimate must be exact

    curation = bench.with_tokens(bench.curate(STANDARD), count, at_most=100)
    assert 0 < len(counted) <= 60
    assert curation.total.tokens_about
    assert curation.total.tokens == curation.total.kept_chars + curation.total.kept
    exact = bench.with_tokens(curation, count)
    assert not exact.total.tokens_about
    assert exact.total.tokens == curation.total.tokens
    assert len(counted) == curation.total.kept


@pytest.mark.parametrize(
    "change",
    [{"drop_replies": True}, {"hashtags": "drop"}, {"min_words": 5, "links": "keep"}, {}],
)
def test_two_recipes_part_on_exactly_the_tweets_whose_verdicts_differ(
    home: Home, change: dict[str, Any]
) -> None:
    bench = bench_of(home)
    a, b = STANDARD, STANDARD.replace(**change)
    found = compare(bench, a, b)
    one, two = bench.curate(a).frame, bench.curate(b).frame
    pairs = list(zip(one.iter_rows(named=True), two.iter_rows(named=True), strict=True))
    differ = [
        (x, y)
        for x, y in pairs
        if x["reason"] != y["reason"] or (x["kept"] and x["clean_text"] != y["clean_text"])
    ]
    assert bool(differ) is bool(change)
    shown = [found.rows[at] for at in range(len(found.rows))]
    assert [(row.a.tweet_id, row.a.handle) for row in shown] == [
        (x["tweet_id"], x["handle"]) for x, _ in differ
    ]
    assert [(row.a.reason, row.b.reason) for row in shown] == [
        (x["reason"], y["reason"]) for x, y in differ
    ]
    assert [(row.a.clean_text, row.b.clean_text) for row in shown] == [
        (x["clean_text"], y["clean_text"]) for x, y in differ
    ]
    parts = (found.only_a, found.only_b, found.other_reason, found.other_words)
    assert sum(parts) == len(found.rows)
    assert found.only_a == sum(x["kept"] and not y["kept"] for x, y in differ)
    assert found.a.stats == bench.curate(a).stats
    assert found.b.stats == bench.curate(b).stats


def test_rules_that_hold_lists_are_known_here() -> None:
    assert set(LISTS) <= set(VALUES)
