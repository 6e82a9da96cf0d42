"""Copies: what is shared and what is said of it, against a search that tries everything."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sampling import copy_arrays
from core.sampling.copies import CopyIndex
from core.sampling.copy_arrays import build_arrays
from core.words import word_spans, words
from tests.oracles.plain_copies import PlainCopies, hashes_of, index_of
from tests.oracles.planted_copies import PLANTED, authors, table

FEW = st.lists(st.sampled_from(["a", "b", "c", "Dé", "don't"]), max_size=14).map(" ".join)
# Pieces of tweets that tweets and texts are put together from: everyday words, such as two others
# use, words of nobody, and words of a script without spaces.
PIECES = [
    "the of", "of the day", "thank you so much", "old grey gulls ate", "grey gulls ate it all",
    "ate it all", "fog", "rust is iron", "iron and fog and", "now", "Dé lamp", "今日は静か",
    "火曜日で",
]  # fmt: skip
SAID = ["old grey gulls ate", "is iron and fog"]
MADE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(" ".join)

TWEET = "The fog came in like a committee: slowly, and with no agenda, over all of the harbour."


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(FEW, max_size=6), prompt=FEW, rest=FEW)
def test_few_words_are_judged_as_a_search_that_tries_everything_does(texts, prompt, rest):
    tweets = [(text, str(number), None) for number, text in enumerate(texts)]
    text = f"{prompt} {rest}".strip()
    index = CopyIndex(build_arrays(tweets, hashes_of([])))
    assert index.check(text, prompt) == PlainCopies(tweets).check(text, prompt)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_tweets_of_several_are_judged_as_a_search_that_tries_everything_does(data):
    handle = st.sampled_from(["ann", "bob", "cat", None])
    ids = st.sampled_from([None, "7", "\U0001f40b", "108"])
    tweets = data.draw(st.lists(st.tuples(MADE, ids, handle), max_size=8))
    said = data.draw(st.sampled_from([[], SAID]))
    parts = st.sampled_from([*PIECES, *(text for text, _, _ in tweets)])
    text = " ".join(data.draw(st.lists(parts, max_size=6)))
    prompt = text[: data.draw(st.sampled_from([0, 0, 0, 5, 12, 20]))].strip()
    arrays, plain = build_arrays(tweets, hashes_of(said)), PlainCopies(tweets, said)
    index = CopyIndex(arrays)
    assert np.array_equal(arrays.common, hashes_of([" ".join(four) for four in plain.anybodys]))
    assert len(index) == len(plain.tweets)
    assert index.check(text, prompt) == plain.check(text, prompt)


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
    index = index_of([TWEET, "A second tweet about gulls"], ["17", "18"])
    found = index.check(text)
    assert (found.verdict, found.longest) == (verdict, longest)
    assert found.tweet_id == ("17" if longest else None)


@pytest.mark.parametrize(
    ("runs", "size", "verdict"),
    [
        ([4], 4, "verbatim"), ([3], 3, "new"), ([12], 15, "verbatim"), ([12], 16, "near"),
        ([11], 13, "near"), ([7], 20, "near"), ([6], 20, "new"), ([5], 10, "near"),
        ([5], 11, "new"), ([4], 5, "new"), ([4, 3], 11, "near"), ([4, 3], 12, "new"),
        ([5, 4], 15, "near"), ([5, 4], 16, "new"), ([3, 3], 7, "new"), ([4, 2], 7, "new"),
    ],
)  # fmt: skip
def test_a_verdict_at_its_limits(runs: list[int], size: int, verdict: str) -> None:
    """Runs of words of one tweet, one after the other, in a text of so many words."""
    tweet = [f"{'abcdefghijklmnopqrstuvwxy'[at]}lorem" for at in range(25)]
    text, at = [], 0
    for run in runs:
        text += [*tweet[at : at + run], f"between{at}"]
        at += run + 1
    text = [*text[: len(text) - 1], *(f"filler{n}" for n in range(size))][:size]
    found = index_of([" ".join(["before", *tweet, "after"])], ["7"]).check(" ".join(text))
    assert (found.verdict, found.longest, found.tweet_id) == (verdict, max(runs), "7")
    covered = 0 if runs == [3] else sum(run for run in runs if run >= 3)
    assert found.share == round(covered / size, 4)


@pytest.mark.parametrize(
    ("runs", "size", "verdict"),
    [
        ([8], 8, "verbatim"), ([7], 7, "new"), ([24], 30, "verbatim"), ([24], 31, "near"),
        ([23], 24, "near"), ([14], 40, "near"), ([13], 40, "new"), ([10], 20, "near"),
        ([10], 21, "new"), ([8, 4], 20, "near"), ([8, 4], 21, "new"), ([8, 3], 18, "new"),
        ([9, 3], 20, "near"), ([7, 7], 15, "new"),
    ],
)  # fmt: skip
def test_in_scripts_without_spaces_the_limits_double(
    runs: list[int], size: int, verdict: str
) -> None:
    tweet = "".join(chr(0x4E00 + at) for at in range(40))
    text, at = "", 0
    for run in runs:
        text += tweet[at : at + run] + chr(0x5000 + at)
        at += run + 1
    text = (text[:-1] + "".join(chr(0x6000 + at) for at in range(size)))[:size]
    found = index_of([f"前{tweet}後"]).check(text)
    assert (found.verdict, found.longest) == (verdict, max(runs))


def test_most_words_say_of_which_script_a_text_is():
    signs = "".join(chr(0x4E00 + at) for at in range(40))
    for spaced, verdict in ((7, "near"), (6, "new")):
        mixed = f"{signs[:7]} {' '.join(f'word{at}' for at in range(spaced))}"
        assert index_of([f"前{signs}後"]).check(mixed).verdict == verdict
    for of_each, verdict in ((8, "verbatim"), (7, "new")):  # two whole tweets
        both = [signs[:of_each], signs[20 : 20 + of_each]]
        assert index_of(both).check("".join(both)).verdict == verdict


def test_what_the_person_typed_is_not_held_against_the_model():
    index = index_of([TWEET], ["17"])
    prompt = "The fog came in like a committee slowly"
    assert index.check(f"{prompt} eating biscuits", prompt).longest == 0
    assert index.check(f"{prompt} and", prompt).longest == 9
    assert index.check(prompt, prompt).verdict == "new"
    half = "The fog came in like a comm"  # the model finished the word, so that one is its own
    assert index.check(f"{half}ittee", half).longest == 7
    assert index.check(f"{half}unist", half).longest == 0


def test_scripts_without_spaces():
    tweet = "今日は静かな火曜日で、やかんもちゃんと動いている。"
    index = index_of([tweet], ["1"])
    assert index.check(tweet).verdict == "verbatim"
    assert index.check("昨日は静かな火曜日だった、雨も風もなかったのに。").verdict == "new"


def test_case_width_and_accents_are_no_disguise():
    index = index_of(["Ein großer Café-Abend in Zürich"], ["1"])
    assert index.check("EIN GROSSER CAFE\u0301 ABEND IN ＺÜRICH").verdict == "verbatim"


def test_equal_tweets_are_kept_once_and_no_tweets_are_fine():
    index = index_of([TWEET, TWEET.upper(), ""], ["1", "2", "3"])
    assert len(index) == 1
    assert index.check(TWEET).tweet_id == "1"
    assert index_of([], []).check(TWEET).longest == 0


LONG = "Twelve gulls stood on the lantern gallery and argued about who had eaten the sandwich."


def test_two_whole_tweets_are_a_copy_of_both_and_half_of_one_is_near():
    index = index_of([TWEET, LONG, "The kettle has opinions about my tea"], ["1", "2", "3"])
    both = index.check(f"{TWEET} {LONG}")
    assert (both.verdict, both.share, both.tweet_ids) == ("verbatim", 1.0, ("1", "2"))
    apart = index.check("The kettle has opinions about my tea. " + TWEET)
    assert (apart.verdict, set(apart.tweet_ids)) == ("verbatim", {"1", "3"})
    half = index.check("Twelve gulls stood on the lantern while nobody painted anything blue")
    assert (half.verdict, half.longest, half.tweet_ids) == ("near", 6, ("2",))


def test_a_few_words_changed_are_near_and_the_shared_words_are_shown():
    index = index_of([TWEET, LONG], ["1", "2"])
    text = "Twelve «gulls» stood ON the roof gallery and argued over who had eaten the cake."
    found = index.check(text)
    assert (found.verdict, found.longest, found.tweet_id) == ("near", 5, "2")
    assert [text[begin:end] for begin, end in found.shared] == [
        "Twelve «gulls» stood ON the", "gallery and argued", "who had eaten the",
    ]  # fmt: skip
    assert found.share == 0.8  # 12 of 15
    assert index.check("Nothing of this was ever said by gulls").shared == ()


@pytest.mark.parametrize("text", ["Thank you so much!", "happy birthday to you", "I love you all"])
def test_what_everybody_says_is_no_copy(text):
    index = index_of([text, TWEET], ["1", "2"])
    assert index.check(text).verdict == "new"
    assert index.check(f"{text} {TWEET}").verdict == "verbatim"


def test_a_run_that_two_other_authors_use_is_no_copy(tmp_path):
    saying = "a rolling stone gathers no moss indeed"
    rows = [(f"{name} says: {saying}", name) for name in ("ann", "bob", "cat")]
    of_two = saying.replace("moss", "money")
    rows += [(f"{name} says: {of_two}", name) for name in ("eve", "fay")]
    texts, handles = zip(*rows, strict=True)
    ids = [str(at) for at in range(len(rows))]
    path = tmp_path / "train.parquet"
    pl.DataFrame({"text": texts, "tweet_id": ids, "handle": handles}).write_parquet(path)
    index = CopyIndex.from_parquet(path)
    assert index.check(saying).verdict == "new"
    assert index.check(of_two).verdict == "verbatim"
    assert index.check(f"ann says {saying}").verdict == "verbatim"


def test_two_whole_tweets_are_found_though_others_begin_or_go_on_alike():
    tweets = [
        "He said the kettle has opinions about my tea", "The kettle has opinions",
        "The kettle has opinions about rust", "About rust and iron I say nothing",
        "Rust and iron I say nothing", "iron I say nothing of it",
    ]  # fmt: skip
    index = index_of(tweets)
    for first, second in ((1, 3), (2, 4), (1, 1), (3, 1)):
        found = index.check(f"{tweets[first]} {tweets[second]}")
        assert (found.verdict, found.share) == ("verbatim", 1), (first, second)
        assert found.tweet_ids == (*dict.fromkeys([str(first), str(second)]),)
    short = ["rust bites iron", "gulls ate grey chips", "fog eats lamps slowly"]
    for first, second, verdict in ((1, 2, "verbatim"), (0, 1, "near"), (0, 0, "new")):
        assert index_of(short).check(f"{short[first]}. {short[second]}").verdict == verdict
    typed = tweets[1]  # the first is the prompt: the model added one tweet
    assert index.check(f"{typed} {tweets[3]}", typed).tweet_ids == ("3",)
    assert index.check(f"{tweets[1]} {tweets[3]}", typed[:-4]).tweet_ids == ("1", "3")


@pytest.mark.parametrize("sign", "½ \u00b4 ™ № ℃".split())
def test_beside_a_sign_that_becomes_words_the_copy_is_shown_in_its_place(sign):
    found = index_of([TWEET]).check(f"{sign} {TWEET}")
    assert (found.verdict, found.shared) == ("verbatim", ((2, len(TWEET) + 1),))


@given(st.text(st.sampled_from("ab 1\u00b4™№½ｶﾞか\u3099é\u0301İßﬁ'-_한ᄒ\u1161") | st.characters()))
def test_every_word_has_a_place_in_the_text(text):
    said, spans = words(text), word_spans(text)
    assert len(said) == len(spans)
    assert sorted(spans) == spans
    for word, (begin, end) in zip(said, spans, strict=True):
        assert word in words(text[begin:end])


@pytest.mark.parametrize(("handles", "verdict"), [("abc", "new"), ("abb", "verbatim")])
def test_three_authors_who_say_the_same_once_are_enough(handles, verdict):
    saying = "rolling stones gather no moss"
    rows = [(f"{saying} {one}{at}", None, one) for at, one in enumerate(handles)]
    index = CopyIndex(build_arrays(rows, hashes_of([])))
    assert index.check(saying).verdict == verdict


def stored(folder):
    """A frozen training set of two tweets, with its index."""
    path = folder / "train.parquet"
    pl.DataFrame({"text": [TWEET, LONG], "tweet_id": ["1", "2"]}).write_parquet(path)
    CopyIndex.from_parquet(path)
    return path


def content(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_an_index_is_stored_beside_its_dataset_and_used_again(tmp_path):
    path = stored(tmp_path)
    made = content(tmp_path / "train.copies")
    before = (tmp_path / "train.copies").stat().st_ino
    index = CopyIndex.from_parquet(path)
    assert (tmp_path / "train.copies").stat().st_ino == before
    assert index.check(TWEET).tweet_ids == ("1",)
    assert not any(b"gulls" in one or b"fog" in one for one in made.values())


@pytest.mark.parametrize("damage", ["cut", "gone", "record", "version", "dataset"])
def test_a_damaged_or_stale_index_is_built_anew(tmp_path, damage):
    path, folder = stored(tmp_path), tmp_path / "train.copies"
    whole = content(folder)
    if damage == "cut":
        (folder / "flat.npy").write_bytes(whole["flat.npy"][:-4])
    elif damage == "gone":
        (folder / "starts.npy").unlink()
    elif damage == "record":
        (folder / "index.json").write_text('{"version": ')
    elif damage == "version":
        record = json.loads(whole["index.json"])
        (folder / "index.json").write_text(json.dumps(record | {"version": 0}))
    else:
        pl.DataFrame({"text": [LONG], "tweet_id": ["9"]}).write_parquet(path)
    index = CopyIndex.from_parquet(path)
    assert index.check(LONG).tweet_id == ("9" if damage == "dataset" else "2")
    if damage != "dataset":
        assert content(folder) == whole


def test_an_index_that_cannot_be_stored_still_answers(tmp_path):
    path = stored(tmp_path)
    shutil.rmtree(tmp_path / "train.copies")
    (tmp_path / "train.copies").write_text("a file in its place")
    (tmp_path / "train.copies.lock").unlink()
    (tmp_path / "train.copies.lock").mkdir()
    assert CopyIndex.from_parquet(path).check(TWEET).tweet_id == "1"


@pytest.mark.parametrize("part", [1, 7, 500])
def test_many_parts_are_sorted_as_one(monkeypatch, part):
    """A part may have no room for all places of one word, and ends in the middle of a tweet."""
    some = [text for texts in authors(ships_only=True).values() for text in texts[:60]]
    texts = [*some, *(f"{handle} says {some[0]}" for handle in "abcde")]
    rows = [(text, str(at), "abcde"[at % 5]) for at, text in enumerate(texts)]
    one = build_arrays(rows)
    monkeypatch.setattr(copy_arrays, "_PART", part)
    many = build_arrays(rows)
    for field in fields(one):
        assert np.array_equal(getattr(one, field.name), getattr(many, field.name)), field.name
    four = [tuple(one.flat[at : at + 4]) for at in one.positions]
    assert four == sorted(four)
    assert sorted(one.positions) == np.flatnonzero(one.flat).tolist()


@pytest.mark.slow
def test_planted_copies_are_found_and_an_author_is_accused_of_little():
    """Thresholds of the table that ``benchmarks.copies`` prints, for the authors that ship."""
    recall = {
        "first half": 0.8, "second half": 0.75, "1 word changed": 0.9, "2 words changed": 0.8,
        "3 words changed": 0.65, "2 words dropped": 0.85, "2 words inserted": 0.85,
        "neighbours swapped": 0.9,
    }  # fmt: skip
    by_author = table(30, ships_only=True).values()
    assert len(by_author) == 3
    for kind in [*PLANTED, "two side by side", "any two"]:
        old, new = (sum(one[kind][rule] for one in by_author) / 3 for rule in (0, 1))
        assert new >= recall.get(kind, 0.99), kind
        assert new >= old, kind
    for found in by_author:
        assert found["held out"][1] <= 0.02
        assert found["somebody else's"][1] <= 0.02


@pytest.mark.parametrize("texts", [["Tea & toast"], ["Write &amp; for it", "Tea & toast"], []])
def test_it_is_known_whether_a_tweet_holds_entities(tmp_path, texts):
    path = tmp_path / "a [b]*" / "train.parquet"
    path.parent.mkdir()
    rows = {"text": [*texts, None], "tweet_id": [str(at) for at in range(len(texts) + 1)]}
    pl.DataFrame(rows, schema={"text": pl.String, "tweet_id": pl.String}).write_parquet(path)
    for _ in range(2):  # built, and read from where it is stored
        assert CopyIndex.from_parquet(path).has_entities == (len(texts) == 2)
