"""Copies: the longest shared run against a search that tries everything."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sampling.copies import CopyIndex
from core.words import words

FEW = st.lists(st.sampled_from(["a", "b", "c", "Dé", "don't"]), max_size=14).map(" ".join)

TWEET = "The fog came in like a committee: slowly, and with no agenda, over all of the harbour."


def oracle(texts: list[str], text: str, prompt: str) -> tuple[int, set[int]]:
    sample, typed = words(text), len(words(prompt))
    best, where = 0, set()
    for start in range(len(sample)):
        for end in range(max(start, typed) + 1, len(sample) + 1):
            run, size = sample[start:end], end - start
            for number, tweet in enumerate(texts):
                other = words(tweet)
                if any(other[i : i + size] == run for i in range(len(other) - size + 1)):
                    if size > best:
                        best, where = size, set()
                    if size == best:
                        where.add(number)
    return best, where


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(FEW, max_size=6), prompt=FEW, rest=FEW)
def test_the_longest_run_is_the_longest(texts, prompt, rest):
    index = CopyIndex(texts, [str(number) for number in range(len(texts))])
    text = f"{prompt} {rest}".strip()
    found = index.check(text, prompt)
    longest, where = oracle(texts, text, prompt)
    assert found.longest == longest
    assert (found.tweet_id is None) == (longest == 0)
    if longest:
        assert int(found.tweet_id) in where


@pytest.mark.parametrize(
    ("text", "verdict", "longest"),
    [
        (TWEET, "verbatim", 17),
        ("the FOG came… in?", "verbatim", 4),  # all of it, whatever the signs between
        ("the fog came", "new", 3),
        ("Oh! The fog came in like a committee, slowly and with no agenda. Really", "verbatim", 12),
        ("The fog came in like a cat tonight my friends and nobody wept", "new", 6),
        ("So the fog came in like a wall", "near", 6),
        ("a b d e f g h the fog came in like a committee then j k l", "near", 7),
        ("Nothing here was written before", "new", 0),
        ("", "new", 0),
        ("🌊🌊🌊", "new", 0),
    ],
)
def test_verdicts(text, verdict, longest):
    index = CopyIndex([TWEET, "A second tweet about gulls"], ["17", "18"])
    found = index.check(text)
    assert (found.verdict, found.longest) == (verdict, longest)
    assert found.tweet_id == ("17" if longest else None)


def test_what_the_person_typed_is_not_held_against_the_model():
    index = CopyIndex([TWEET], ["17"])
    prompt = "The fog came in like a committee slowly"
    assert index.check(f"{prompt} eating biscuits", prompt).longest == 0
    assert index.check(f"{prompt} and", prompt).longest == 9
    assert index.check(prompt, prompt).verdict == "new"
    half = "The fog came in like a comm"  # the model finished the word, so that one is its own
    assert index.check(f"{half}ittee", half).longest == 7
    assert index.check(f"{half}unist", half).longest == 0


def test_scripts_without_spaces():
    tweet = "今日は静かな火曜日で、やかんもちゃんと動いている。"
    index = CopyIndex([tweet], ["1"])
    assert index.check(tweet).verdict == "verbatim"
    assert index.check("昨日は静かな火曜日だった、雨も風もなかったのに。").verdict == "new"


def test_case_width_and_accents_are_no_disguise():
    index = CopyIndex(["Ein großer Café-Abend in Zürich"], ["1"])
    assert index.check("EIN GROSSER CAFE\u0301 ABEND IN ＺÜRICH").verdict == "verbatim"


def test_equal_tweets_are_kept_once_and_no_tweets_are_fine():
    index = CopyIndex([TWEET, TWEET.upper(), ""], ["1", "2", "3"])
    assert len(index) == 1
    assert index.check(TWEET).tweet_id == "1"
    assert CopyIndex([], []).check(TWEET).longest == 0
