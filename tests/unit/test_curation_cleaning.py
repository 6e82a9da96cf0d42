"""The standard recipe: what is cleaned, what counts as words, which reason a tweet gets."""

from __future__ import annotations

import re
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation import cleaning
from core.curation.counts import AccountStats, total_stats
from core.curation.judge import judge
from core.curation.reasons import REASONS
from core.curation.recipe import Recipe, load_recipe
from core.curation.words import count_words
from tests.oracles.frames import START, frame, hostile_frames, hostile_texts
from tests.oracles.one_frame import account_stats, curate

STANDARD = load_recipe("standard")
LOOSE = STANDARD.replace(min_words=0, drop_duplicates=False)


def cleaned(text: str, recipe: Recipe = STANDARD) -> str:
    return str(curate(frame([text]), recipe)["clean_text"][0])


def reasons(tweets: pl.DataFrame, recipe: Recipe = STANDARD) -> list[str | None]:
    return curate(tweets, recipe)["reason"].to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see (https://t.co/abc) now", "see now"),
        ("see (https://t.co/abc https://t.co/d) now", "see now"),
        ("wordhttps://t.co/a tail", "word tail"),
        ("is it (https://t.co/a)?", "is it?"),
        ("(read https://t.co/a).", "(read)."),
        ("see https://t.co/a https://t.co/b.", "see."),
        ("HTTPS://T.CO/X big news", "big news"),
        ("one https://t.co/a https://t.co/b two", "one two"),
        ("“https://t.co/x” he said", "he said"),
        ("«https://t.co/x» he said", "he said"),
        ("a () b", "a () b"),
        ("https://en.wikipedia.org/wiki/Foo_(bar), yes", ", yes"),
        ("it is (see https://e.org/a?b=c&amp;d=e#f)!", "it is (see)!"),
        ("日本語https://t.co/abcこれは", "日本語 これは"),
        ("what a day https…", "what a day"),
        ("what a day https://t…", "what a day"),
        ("what a day htt...", "what a day"),
        ("and so…", "and so…"),
        ("what a view pic.twitter.com/aBc1", "what a view"),
        ("old t.co/aBc1 link", "old link"),
        ("internet.co/page stays", "internet.co/page stays"),
        ("&amp;lt; is a tag, &lt; is not", "&lt; is a tag, < is not"),
        ("@a @b_c: thank you", "thank you"),
        ("@a@mastodon.social hello", "hello"),
        ("@bob's car", "@bob's car"),
        ("hello @bob", "hello @bob"),
        ("@bob", ""),
        ("one\r\ntwo\u2028three", "one two three"),
        ("a\x00b\x1bc\td", "abc d"),
        ("\u202eright to left\u202c", "\u202eright to left\u202c"),
        ("#tag stays", "#tag stays"),
    ],
)
def test_cleaning(text: str, expected: str) -> None:
    assert cleaned(text) == expected


def test_unescaping_follows_the_source() -> None:
    tweets = frame(["R&amp;B is good"] * 3, text_escaped=[True, False, None])
    raw = ["R&amp;B is good"] * 3
    assert curate(tweets, LOOSE)["clean_text"].to_list() == ["R&B is good", *raw[1:]]
    assert curate(tweets, LOOSE.replace(unescape="none"))["clean_text"].to_list() == raw


@pytest.mark.parametrize(
    ("change", "text", "expected"),
    [
        ({"links": "keep"}, "see https://t.co/a now", "see https://t.co/a now"),
        ({"mentions": "keep"}, "@a thank you", "@a thank you"),
        ({"mentions": "drop"}, "@a hi @b, c@d.e and @c's car", "hi , c@d.e and car"),
        ({"hashtags": "drop"}, "#a hi #b2 #1 a&amp;#b", "hi #1 a&#b"),
        ({"line_breaks": "keep"}, " a \n b\r\n\n\n\nc  d\u3000e ", "a\nb\n\nc d e"),
    ],
)
def test_other_rules(change: dict[str, str], text: str, expected: str) -> None:
    assert cleaned(text, STANDARD.replace(**change)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one two three", 3),
        ("don't be well-known", 3),
        ("3.5 U.S.A.", 2),
        ("😀 😀 😀", 0),
        ("☺️ … - ! 🇩🇪", 0),
        ("今天天气很好", 3),
        ("おはようございます", 3),
        ("東京タワーに行きました", 6),
        ("สวัสดีครับ", 2),
        ("안녕하세요 여러분", 2),
        ("Привет, как дела?", 3),
        ("नमस्ते दुनिया", 2),
        ("", 0),
    ],
)
def test_words_in_any_script(text: str, words: int) -> None:
    assert count_words(pl.Series([text])).to_list() == [words]


def test_links_names_and_tags_are_no_words() -> None:
    recipe = STANDARD.replace(mentions="keep", links="keep")
    texts = ["@a #b c@ one two https://t.co/a", "@a #b one two three", "1️⃣ 2️⃣ 3️⃣ #1"]
    assert reasons(frame(texts), recipe) == [None, None, "short"]
    assert reasons(frame(["@a #b one two https://e.org/x/y"]), recipe) == ["short"]


@settings(max_examples=30, deadline=None)
@given(st.lists(hostile_texts, max_size=40), st.integers(1, 5))
def test_the_fast_word_test_equals_counting(texts: list[str], least: int) -> None:
    from core.curation.cleaning import has_words
    from core.curation.links import only_words

    series = pl.Series(texts, dtype=pl.String)
    counted = count_words(only_words(series)) >= least
    assert has_words(series, least).to_list() == counted.to_list()


@pytest.mark.parametrize("rows", [0, 1, 5, 6, 11, 12, 13, 40, 41])
def test_work_in_parts_gives_every_row_once_in_order(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "_LEAST_ROWS", 3)
    monkeypatch.setattr(pl, "thread_pool_size", lambda: 4)

    def work(part: slice) -> pl.Series:
        return pl.Series(range(part.start, part.stop), dtype=pl.Int64)

    assert cleaning.in_parts(rows, work).to_list() == list(range(rows))


def test_japanese_is_kept_and_classic_is_warned_about() -> None:
    texts = [f"今日は{i}回も猫に起こされました" for i in range(30)]
    (kept,) = account_stats(curate(frame(texts), STANDARD))
    assert kept.kept == 30
    (lost,) = account_stats(curate(frame(texts), load_recipe("classic")))
    assert lost.kept == 0
    assert any("script without spaces" in warning for warning in lost.warnings)


def test_one_reason_each_in_order_of_precedence() -> None:
    everything = STANDARD.replace(
        drop_replies=True, drop_quotes=True, drop_sensitive=True, languages=["en"]
    )
    text = "words enough for anybody here"
    tweets = frame(
        ["ok", "RT @a: ok", text, text, text, text, "ok", text, text, text],
        kind="retweet original reply quote original original original original original "
        "reply".split(),
        lang=["ja", "ja", "ja", "ja", "ja", "en", "en", "en", "en-GB", None],
        sensitive=[True] * 6 + [False] * 4,
        reply_to=[None] * 9 + ["someone"],
    )
    assert reasons(tweets, everything) == [
        *("retweet", "manual_retweet", "reply", "quote", "language", "sensitive", "short"),
        None,
        "duplicate",
        "duplicate",  # an answer to oneself is a thread, and stays but for its words
    ]


def test_a_dropped_quote_names_whom_it_quotes() -> None:
    link = '[{"url": "https://t.co/x", "expanded_url": "https://twitter.com/harbour/status/1"}]'
    urls = [link, None, "[" * 60_000, '{"url":' * 60_000]
    tweets = frame(["words enough for anybody"] * 4, kind=["quote"] * 4, urls=urls)
    judged = judge(tweets, STANDARD.replace(drop_quotes=True), explain=True)
    assert judged["trigger"].to_list() == ["@harbour", None, None, None]


def test_manual_retweets_by_kind_and_by_text() -> None:
    texts = ["RT @bob: hello my dear friend", '"rt @bob hello my dear', "RT if you agree with me"]
    kinds = ["original", "original", "manual_retweet"]
    assert reasons(frame(texts, kind=kinds)) == ["manual_retweet"] * 3
    assert reasons(frame(texts[2:])) == [None]
    assert reasons(frame(texts[:1]), STANDARD.replace(drop_manual_retweets=False)) == [None]


def test_the_earliest_of_duplicates_stays_wherever_it_stands() -> None:
    texts = ["Good morning dear world", "good MORNING  dear world https://t.co/a", "good morning"]
    times = [START + timedelta(days=1), START, START]
    tweets = frame(texts, created_at=times)
    assert reasons(tweets) == ["duplicate", None, "short"]
    same_time = frame([texts[0]] * 3, tweet_id=["10", "9", "100"], created_at=[START] * 3)
    assert reasons(same_time) == ["duplicate", None, "duplicate"]
    assert reasons(frame([texts[0]] * 2, handle=["a", "b"])) == [None, None]


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    switches = {
        key: draw(st.booleans())
        for key in "drop_retweets drop_manual_retweets drop_replies drop_quotes drop_duplicates "
        "drop_sensitive".split()
    }
    choices = {
        "engine": ["standard", "classic"],
        "unescape": ["none", "once", "seed"],
        "links": ["drop", "domain", "keep"],
        "mentions": ["keep", "strip_leading_replies", "drop"],
        "hashtags": ["keep", "drop"],
        "line_breaks": ["space", "keep"],
        "threads": ["separate", "join"],
        "min_words": [0, 1, 3, 7],
        "languages": [[], ["en"], ["ja", "en-gb"]],
        "detect_languages": [False, True],
        "min_characters": [0, 12],
        "first_date": ["", "2019-12-31", "2020-01-02"],
        "blocked_words": [[], ["word", "#tag", "今日"]],
        "personal_data": ["keep", "flag", "drop"],
        "near_duplicates": [0, 80],
        "most_per_author": [0, 3],
    }
    chosen = {key: draw(st.sampled_from(values)) for key, values in choices.items()}
    return STANDARD.replace(**switches, **chosen)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(hostile_frames(), recipes())
def test_counts_always_add_up(tweets: pl.DataFrame, recipe: Recipe) -> None:
    curated = curate(tweets, recipe)
    assert curated.columns == [*tweets.columns, "clean_text", "kept", "reason", "trigger"]
    assert curated.select(tweets.columns).equals(tweets)
    assert curated["clean_text"].null_count() == 0
    assert (curated["kept"] == curated["reason"].is_null()).all()
    assert set(curated["reason"].drop_nulls()) <= set(REASONS)
    assert not curated.filter("kept")["clean_text"].eq("").any()
    stats = account_stats(curated, count_tokens=lambda texts: [len(text) for text in texts])
    for one in [*stats, total_stats(stats)]:
        assert one.downloaded == one.retweets + one.short + sum(one.dropped.values()) + one.kept
    assert sum(one.downloaded for one in stats) == tweets.height


@settings(max_examples=30, deadline=None)
@given(hostile_frames(), recipes(), st.randoms(use_true_random=False))
def test_a_verdict_does_not_depend_on_the_order_of_rows(
    tweets: pl.DataFrame, recipe: Recipe, random: object
) -> None:
    order = list(range(tweets.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert curate(tweets[order], recipe).equals(curate(tweets, recipe)[order])


@settings(max_examples=30, deadline=None)
@given(st.lists(hostile_texts, max_size=30))
def test_what_standard_promises_of_every_text(texts: list[str]) -> None:
    for text in curate(frame(texts), LOOSE)["clean_text"]:
        assert not re.search(r"[\x00-\x1f\x85\u2028\u2029]", text)
        assert not re.search(r"https?://", text, re.IGNORECASE)
        assert text == " ".join(text.split())


def test_no_text_is_an_empty_text() -> None:
    assert reasons(frame([""], text=[None])) == ["short"]


def test_tokens_blocks_and_warnings() -> None:
    texts = [f"tweet number {i} of {'x' * 50}" for i in range(100)]
    curated = curate(frame(texts), STANDARD)
    stats = account_stats(
        curated,
        names={"someone": "Some One"},
        count_tokens=lambda texts: [20] * len(texts),
        handles=["nobody", "someone"],
    )
    nobody, someone = stats
    assert (someone.name, someone.tokens, someone.blocks) == ("Some One", 2100, 2)
    assert someone.kept_chars == sum(map(len, texts))
    assert someone.seed_chars == len("<|endoftext|>".join(texts))
    assert "Under 40,000" in someone.warnings[0]
    assert (nobody.downloaded, nobody.tokens, nobody.name) == (0, 0, "nobody")
    assert "Nothing" in nobody.warnings[0]
    total = total_stats(stats)
    assert (total.handle, total.tokens, total.blocks) == ("all", 2100, 2)
    assert total.seed_chars == someone.seed_chars
    assert list(someone.to_json())[:10] == (
        "handle name downloaded retweets short kept dropped kept_chars tokens blocks".split()
    )
    (uncounted,) = account_stats(curated)
    assert uncounted.tokens is None
    assert uncounted.blocks is None
    assert isinstance(total_stats([uncounted, someone]), AccountStats)
    assert total_stats([uncounted, someone]).tokens is None
