"""The classic recipe is huggingtweets to the byte."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.huggingtweets import drop_links, has_words, tidy
from core.curation.recipe import load_recipe
from tests.oracles import classic as oracle
from tests.oracles.frames import FRAGMENTS, frame, hostile_texts
from tests.oracles.one_frame import account_stats, curate

CLASSIC = load_recipe("classic")
REAL = Path(__file__).parents[2] / "../shared/data"
# Every character of the first planes' beginnings, where white space, marks and scripts are.
CHARACTERS = [code for code in range(0x3100) if not 0xD800 <= code < 0xE000]


def classic(texts: list[str]) -> list[tuple[str, bool]]:
    return curate(frame(texts), CLASSIC).select("clean_text", "kept").rows()


@pytest.mark.parametrize(
    ("given_text", "expected", "kept"),
    [
        ("one https://t.co/a https://t.co/b two", "one two", False),
        ("see (https://t.co/abc) now", "see (now", False),
        ("wordhttps://t.co/a tail", "wordtail", False),
        ("HTTPS://T.CO/X big news", "HTTPS://T.CO/X big news", False),
        ("Check this https:// t.co", "Check this t.co", True),
        ("what a day https…", "what a day https…", True),
        ("a\u00a0b\u3000c", "a b c", True),
        ("a\u200bb c", "a\u200bb c", False),
        ("RT @bob: hello my dear friend", "RT @bob: hello my dear friend", True),
        ("&amp;lt; one two", "< one two", True),
        ("&quot; one &nbsp;", "&quot; one &nbsp;", True),
        ("今日は、いい天気ですね", "今日は、いい天気ですね", False),
        ("😀 😀 😀", "😀 😀 😀", True),
        ("- - -", "- - -", True),
        ("one two c@d", "one two c@d", False),
        ("#a #b one two three", "#a #b one two three", True),
        ("@a thank you", "@a thank you", False),
        ("http://t.co/x\u00a0is still here now", "is still here now", True),
        ("", "", False),
    ],
)
def test_known_results_of_huggingtweets(given_text: str, expected: str, kept: bool) -> None:
    assert classic([given_text]) == [(expected, kept)]


def test_the_oracle_agrees_on_them_too() -> None:
    texts = ["see (https://t.co/abc) now", "wordhttps://t.co/a tail", "- - -", "a\u3000b c"]
    assert classic(texts) == oracle.curate(texts)


@settings(max_examples=75, deadline=None)
@given(st.lists(hostile_texts, max_size=40))
def test_equal_to_the_plain_python_oracle(texts: list[str]) -> None:
    assert classic(texts) == oracle.curate(texts)


@pytest.mark.slow
def test_equal_to_the_oracle_on_sixty_thousand_hostile_texts() -> None:
    rng = random.Random(20_160_117)
    texts = ["".join(rng.choices(FRAGMENTS, k=rng.randrange(20))) for _ in range(30_000)]
    texts += ["".join(map(chr, rng.choices(CHARACTERS, k=rng.randrange(60)))) for _ in range(9_000)]
    # Close to what people write: words, and one or two things among them.
    for _ in range(21_000):
        words = rng.choices(["a", "good", "day,", "it's", "日本", "ok."], k=rng.randrange(12))
        for _ in range(rng.randrange(4)):
            words.insert(rng.randrange(len(words) + 1), rng.choice(FRAGMENTS))
        texts.append(rng.choice(["", " ", " ", " "]).join(words))
    found, expected = classic(texts), oracle.curate(texts)
    wrong = [row for row in zip(texts, found, expected, strict=True) if row[1] != row[2]]
    assert wrong == []
    kept = sum(kept for _, kept in expected)
    assert 6_000 < kept < 54_000  # both answers come up often enough to mean something


@settings(max_examples=30, deadline=None)
@given(st.lists(hostile_texts, max_size=40), st.integers(0, 6))
def test_equal_with_line_breaks_kept_and_other_word_counts(texts: list[str], least: int) -> None:
    cleaned = tidy(drop_links(pl.Series(texts, dtype=pl.String)), "keep")
    assert cleaned.to_list() == [oracle.clean(text, allow_new_lines=True) for text in texts]
    expected = [not oracle.is_boring(text, least) for text in cleaned]
    assert has_words(cleaned, least).to_list() == expected


def test_every_white_space_character_counts_as_python_counts_it() -> None:
    invisible = ("Zs", "Zl", "Zp", "Cc", "Cf")
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    codes = [c for c in codes if c % 97 == 0 or unicodedata.category(chr(c)) in invisible]
    texts = [f"http:a{chr(code)}b{chr(code)} c" for code in codes]
    assert classic(texts) == oracle.curate(texts)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real tweets are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("nasa_2017_2018", (3245, 873, 10, 2362)),
        ("whitehouse_2015_2016", (3204, 1285, 12, 1907)),
        ("potus_2021_2022", (2402, 0, 7, 2395)),
    ],
)
def test_real_accounts(name: str, counts: tuple[int, int, int, int]) -> None:
    rows = pl.read_csv(REAL / f"{name}.csv", infer_schema_length=0)
    kinds = ["retweet" if flag == "True" else "original" for flag in rows["is_retweet"]]
    tweets = frame(rows["text"].to_list(), kind=kinds)
    curated = curate(tweets, CLASSIC)
    (stats,) = account_stats(curated)
    assert (stats.downloaded, stats.retweets, stats.short, stats.kept) == counts
    own = curated.filter(pl.col("kind") == "original")
    assert own.select("clean_text", "kept").rows() == oracle.curate(own["text"].to_list())
    every = rows["text"].to_list()  # the words of retweets are cleaned alike
    assert classic(every) == oracle.curate(every)
    kept = curated.filter("kept")["clean_text"].to_list()
    assert stats.seed_chars == oracle.size(kept)
