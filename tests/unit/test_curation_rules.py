"""Each rule by the property that defines it, and the words that it names as what set it off."""

from __future__ import annotations

import json
import random
import re
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.judge import judge
from core.curation.reasons import REASONS
from core.curation.recipe import BUNDLED_RECIPES, Recipe, load_recipe
from core.tweet import EXCLUDED_COLUMN
from tests.oracles.frames import FRAGMENTS, START, frame, hostile_frames, hostile_texts
from tests.oracles.one_frame import account_stats, curate

STANDARD = load_recipe("standard")
LOOSE = Recipe(
    "loose", min_words=0, drop_duplicates=False, drop_retweets=False, drop_manual_retweets=False
)
REAL = Path(__file__).parents[2] / "../shared/data"


def verdicts(tweets: pl.DataFrame, recipe: Recipe) -> list[tuple[str | None, str | None]]:
    return judge(tweets, recipe).select("reason", "trigger").rows()


def _minutes_after_the_start(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


# ── what a tweet says of itself ──────────────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.none() | st.integers(0, 5 * 24 * 60 - 1).map(_minutes_after_the_start), max_size=20
    ),
    st.dates(date(2020, 1, 1), date(2020, 1, 5)),
    st.integers(0, 3),
)
def test_dates_are_inclusive_days_in_utc(
    times: list[datetime | None], first: date, days: int
) -> None:
    last = first + timedelta(days)
    recipe = LOOSE.replace(first_date=first.isoformat(), last_date=last.isoformat())
    tweets = frame(["some words here"] * len(times), created_at=times)
    expected = [
        (None, None)
        if time is None or first <= time.date() <= last
        else ("date", time.date().isoformat())
        for time in times
    ]
    assert verdicts(tweets, recipe) == expected


def test_one_end_of_a_range_is_enough() -> None:
    times = [datetime(year, 12, 31, tzinfo=timezone.utc) for year in (2015, 9999)]
    tweets = frame(["some words here"] * 2, created_at=times)
    assert verdicts(tweets, LOOSE.replace(first_date="2016-01-01"))[0] == ("date", "2015-12-31")
    assert verdicts(tweets, LOOSE.replace(last_date="2015-12-31"))[1] == ("date", "9999-12-31")
    assert verdicts(tweets, LOOSE.replace(last_date="9999-12-31")) == [(None, None)] * 2


def test_what_triggers_hold() -> None:
    everything = STANDARD.replace(drop_replies=True, drop_quotes=True, drop_sensitive=True)
    link = [{"url": "https://t.co/a", "expanded_url": "https://x.com/Bob_1/status/123?s=20"}]
    rows = [
        ("RT @bob: words enough for anybody", {"kind": "retweet"}, ("retweet", "RT @bob")),
        ("words of somebody else in full", {"kind": "retweet"}, ("retweet", None)),
        ("“rt  @bob words enough for all", {}, ("manual_retweet", "“rt  @bob")),
        ("words enough", {"kind": "manual_retweet"}, ("manual_retweet", None)),
        ("words enough", {"kind": "reply", "reply_to": "bob"}, ("reply", "@bob")),
        (" @ann words enough", {"kind": "reply"}, ("reply", "@ann")),
        ("words enough", {"kind": "reply"}, ("reply", None)),
        ("words https://t.co/a", {"kind": "quote", "urls": json.dumps(link)}, ("quote", "@Bob_1")),
        ("words enough", {"kind": "quote"}, ("quote", None)),
        ("words enough here", {"sensitive": True}, ("sensitive", None)),
        ("two words", {}, ("short", "2 words, 3 needed")),
        ("@ann #tag https://t.co/a", {}, ("short", "0 words, 3 needed")),
        ("one", {}, ("short", "1 word, 3 needed")),
        ("words enough here", {}, (None, None)),
    ]
    columns = {
        name: [more.get(name, default) for _, more, _ in rows]
        for name, default in (
            *(("kind", "original"), ("reply_to", None), ("urls", None), ("sensitive", None)),
        )
    }
    tweets = frame([text for text, _, _ in rows], **columns)
    assert verdicts(tweets, everything) == [expected for _, _, expected in rows]
    # A frame without urls is judged too.
    assert judge(tweets.drop("urls"), everything)["reason"].to_list() == [
        expected[0] for _, _, expected in rows
    ]


def test_what_a_person_leaves_out_is_left_out_whatever_else_speaks_against_it() -> None:
    strict = STANDARD.replace(drop_replies=True, drop_quotes=True, last_date="2019-12-31")
    rows = frame(["ok"] * 4, kind=["retweet", "reply", "quote", "original"])
    marked = rows.with_columns(pl.Series(EXCLUDED_COLUMN, [True, True, True, True]))
    assert verdicts(marked, strict) == [("excluded", None)] * 4
    some = rows.with_columns(pl.Series(EXCLUDED_COLUMN, [False, True, False, False]))
    assert [reason for reason, _ in verdicts(some, strict)] == [
        *("retweet", "excluded", "quote", "date"),
    ]


def test_the_precedence_of_the_later_rules() -> None:
    recipe = LOOSE.replace(
        first_date="2020-01-02",
        languages=["en"],
        drop_sensitive=True,
        blocked_words=["secret"],
        personal_data="drop",
        min_characters=200,
    )
    text = "a secret: write to me@example.com"
    size = 6
    late = datetime(2020, 1, 2, tzinfo=timezone.utc)
    tweets = frame(
        [text] * 4 + [text.replace("secret", "word"), "short"],
        created_at=[late - timedelta(days=1)] + [late] * (size - 1),
        lang=["de"] * 2 + ["en"] * (size - 2),
        sensitive=[True] * 3 + [False] * (size - 3),
    )
    assert verdicts(tweets, recipe) == [
        ("date", "2020-01-01"),
        ("language", "de"),
        ("sensitive", None),
        ("blocked", "secret"),
        ("personal", "me@example.com"),
        ("short", "5 characters, 200 needed"),
    ]


# ── words ────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None)
@given(
    st.lists(hostile_texts, max_size=30),
    st.integers(0, 12),
    st.sampled_from(["standard", "classic"]),
)
def test_least_characters_of_the_cleaned_text(texts: list[str], least: int, engine: str) -> None:
    recipe = LOOSE.replace(min_characters=least, engine=engine)
    for clean, reason, trigger in judge(frame(texts), recipe)[
        ["clean_text", "reason", "trigger"]
    ].rows():
        needed = max(least, 1)
        assert (reason == "short") == (len(clean) < needed)
        if reason:
            noun = "character" if len(clean) == 1 else "characters"
            assert trigger == f"{len(clean)} {noun}, {needed} needed"


@settings(max_examples=30, deadline=None)
@given(st.lists(hostile_texts, max_size=30), st.sampled_from(["standard", "classic"]))
def test_the_words_of_a_short_tweet_are_fewer_than_needed(texts: list[str], engine: str) -> None:
    for trigger in judge(frame(texts), LOOSE.replace(min_words=4, engine=engine))["trigger"]:
        if trigger is not None and "word" in trigger:
            counted = re.fullmatch(r"(\d+) words?, 4 needed", trigger)
            assert counted
            assert int(counted[1]) < 4


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("A Giveaway!", ["giveaway"], "Giveaway"),
        ("giveaways are fine", ["giveaway"], None),
        ("I can't", ["can"], None),
        ("yes I 'can' so", ["can"], "can"),
        ("Trump’s tower", ["trump"], "Trump"),
        ("please sign\n up, now", ["sign up"], "sign\n up"),
        ("please sign something up", ["sign up"], None),
        ("#Ad: buy", ["ad"], "Ad"),
        ("#Ad: buy", ["#ad"], "#Ad"),
        ("#adult", ["#ad"], None),
        ("c++ is hard", ["c++"], "c++"),
        ("猫がいる", ["猫"], "猫"),
        ("ÜBER alles", ["über"], "ÜBER"),
        ("see https://t.co/ad now", ["ad"], None),
        ("see https://t.co/ad ad", ["ad"], "ad"),
        ("Q&amp;A today", ["q&a"], "Q&A"),
        ("under_score", ["under"], None),
        ("a.b", ["a*b"], None),
        ("so (what)", ["what", "so"], "so"),
        ("free-for-all", ["free"], "free"),
        ("", ["free"], None),
    ],
)
def test_blocked_words(text: str, words: list[str], found: str | None) -> None:
    expected = ("blocked", found) if found else (None, None)
    recipe = LOOSE.replace(blocked_words=words, hashtags="drop")
    assert verdicts(frame([text + " and more words"]), recipe) == [expected]


@settings(max_examples=75, deadline=None)
@given(
    st.lists(st.sampled_from("ad Ad ads add bad AD sale Sale's sales on-sale".split()), max_size=8),
    st.sampled_from([" ", ", ", "\n", " - ", "/"]),
)
def test_a_blocked_word_is_found_where_it_is_a_whole_word(words: list[str], gap: str) -> None:
    blocked = [
        word
        for word in words
        if any(part in ("ad", "sale", "sale's") for part in word.lower().split("-"))
    ]
    recipe = LOOSE.replace(blocked_words=["sale", "ad"])
    ((reason, trigger),) = verdicts(frame([gap.join(["so", *words])]), recipe)
    assert (reason == "blocked") == bool(blocked)
    if blocked:
        assert trigger in re.split(r"[^a-zA-Z]", " ".join(blocked))


def test_very_many_blocked_words() -> None:
    recipe = LOOSE.replace(blocked_words=[f"word{number}" for number in range(3000)])
    texts = ["so word2999 it is", "so word3000 it is", "Word7!"]
    assert verdicts(frame(texts), recipe) == [
        ("blocked", "word2999"),
        (None, None),
        ("blocked", "Word7"),
    ]


# ── links as sites ───────────────────────────────────────────────────────────────────────────────


def _urls(**links: str) -> str:
    return json.dumps(
        [{"url": f"https://t.co/{key}", "expanded_url": url} for key, url in links.items()]
    )


@pytest.mark.parametrize(
    ("text", "urls", "expected"),
    [
        ("read https://t.co/a now", _urls(a="https://www.NASA.gov/x?y"), "read nasa.gov now"),
        ("read https://t.co/a now", None, "read now"),
        ("see (https://t.co/a), ok", None, "see, ok"),
        ("see (https://t.co/a), ok", _urls(a="http://e.org:80/"), "see (e.org), ok"),
        ("wordhttps://t.co/a tail", _urls(a="https://e.org"), "word e.org tail"),
        ("日本語https://t.co/aこれは", None, "日本語 これは"),
        ("日本語https://t.co/aこれは", _urls(a="https://例え.jp/"), "日本語 例え.jp これは"),
        ("look pic.twitter.com/abc", None, "look"),
        ("look https://t.co/a", _urls(a="https://twitter.com/b/status/1/photo/1"), "look"),
        ("own https://example.com/a(b) end.", None, "own example.com end."),
        ("https://t.co/a https://t.co/b.", _urls(b="https://bbc.co.uk/1"), "bbc.co.uk."),
        ("x http://localhost/a y", None, "x y"),
        ("cut https://t…", None, "cut"),
        ("bad https://t.co/a json", "nope{", "bad json"),
        ("odd https://t.co/a json", '[{"url": 1}, 3, {"expanded_url": "x"}]', "odd json"),
        ("https://u:p@host.example:8080/p", None, "host.example"),
        ("https://bit.ly/x", None, "bit.ly"),
        ("http://1.2.3.4/x here", None, "here"),
        ("nul \0 https://e.org/\0", None, "nul e.org"),
    ],
)
def test_links_become_sites(text: str, urls: str | None, expected: str) -> None:
    recipe = LOOSE.replace(links="domain")
    assert judge(frame([text], urls=[urls]), recipe)["clean_text"].to_list() == [expected]
    # Whatever stands in other rows.
    more = frame([text, "see https://t.co/a", text], urls=[urls, "{broken", urls])
    assert judge(more, recipe)["clean_text"].to_list() == [expected, "see", expected]


@settings(max_examples=40, deadline=None)
@given(st.lists(hostile_texts, max_size=30))
def test_without_known_sites_links_go_as_in_drop(texts: list[str]) -> None:
    # Every other scheme out, so that only X's shortener is left.
    plain = [re.sub(r"(?i)https?://(?!t\.co/[a-z0-9])", "", text) for text in texts]
    plain = [text for text in plain if not re.search(r"(?i)https?:(?!//t\.co)", text)]
    dropped = judge(frame(plain), LOOSE)["clean_text"]
    assert judge(frame(plain), LOOSE.replace(links="domain"))["clean_text"].equals(dropped)


@settings(max_examples=30, deadline=None)
@given(st.lists(hostile_texts, max_size=30))
def test_no_address_is_left_where_links_become_sites(texts: list[str]) -> None:
    for text in judge(frame(texts), LOOSE.replace(links="domain"))["clean_text"]:
        assert not re.search(r"https?://", text, re.IGNORECASE)
        assert "\0" not in text


def test_a_site_is_no_word() -> None:
    recipe = STANDARD.replace(links="domain")
    assert verdicts(frame(["two words https://e.org/a https://f.org"]), recipe) == [
        ("short", "2 words, 3 needed")
    ]


# ── all together ─────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=30, deadline=None)
@given(hostile_frames(), st.sampled_from(BUNDLED_RECIPES), st.integers(0, 25))
def test_a_part_is_judged_as_in_the_whole(tweets: pl.DataFrame, name: str, cut: int) -> None:
    recipe = load_recipe(name)
    whole = judge(tweets, recipe)
    parts = pl.concat([judge(tweets[:cut], recipe), judge(tweets[cut:], recipe)])
    assert parts.equals(whole)


def _hostile_rows(size: int, seed: int) -> pl.DataFrame:
    rng = random.Random(seed)
    words = [
        *FRAGMENTS,
        *(["good ", "day ", "and ", "more "] * 8),
        "me@example.com ",
        "06 12 34 56 78",
    ]
    return frame(
        ["".join(rng.choices(words, k=rng.randrange(16))) for _ in range(size)],
        handle=rng.choices(["a", "b", "c"], k=size),
        kind=rng.choices(["original", "reply", "quote", "retweet"], k=size),
        lang=rng.choices([None, "en", "de", "und"], k=size),
        sensitive=rng.choices([None, True, False], k=size),
        urls=rng.choices([None, "[]", _urls(a1="https://e.org/x"), "broken"], k=size),
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED_RECIPES)
def test_counts_add_up_on_many_hostile_rows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough rows to be judged in parts, each in its own thread, also where Polars has but one."""
    monkeypatch.setattr("core.curation.cleaning._LEAST_ROWS", 1_500)
    monkeypatch.setattr(pl, "thread_pool_size", lambda: 4)
    tweets = _hostile_rows(6_000, seed=len(name))
    recipe = load_recipe(name)
    _reconcile(tweets, recipe)
    judged = judge(tweets, recipe)
    pieces = [judge(tweets[start : start + 1_000], recipe) for start in range(0, 6_000, 1_000)]
    assert pl.concat(pieces).equals(judged)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real tweets are not beside this checkout")
@pytest.mark.parametrize("name", BUNDLED_RECIPES)
def test_counts_add_up_on_real_tweets(name: str) -> None:
    for file in sorted(REAL.glob("*.csv")):
        rows = pl.read_csv(file, infer_schema_length=0)
        kinds = ["retweet" if flag == "True" else "original" for flag in rows["is_retweet"]]
        _reconcile(frame(rows["text"].to_list(), kind=kinds), load_recipe(name))


def _reconcile(tweets: pl.DataFrame, recipe: Recipe) -> None:
    curated = curate(tweets, recipe)
    assert curated.height == tweets.height
    assert (curated["kept"] == curated["reason"].is_null()).all()
    assert set(curated["reason"].drop_nulls()) <= set(REASONS)
    counted = 0
    for one in account_stats(curated):
        assert one.downloaded == one.retweets + one.short + sum(one.dropped.values()) + one.kept
        assert one.kept > 0
        counted += one.downloaded
    assert counted == tweets.height
    flagged = recipe.personal_data == "flag"
    assert flagged or curated.filter("kept")["trigger"].null_count() == curated["kept"].sum()
