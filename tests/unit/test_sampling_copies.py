"""Copies: the longest shared run against a search that tries everything."""

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
from core.words import words
from tests.oracles.planted_copies import PLANTED, authors, table

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


@settings(max_examples=150, deadline=None)
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
    found = CopyIndex([" ".join(["before", *tweet, "after"])], ["7"]).check(" ".join(text))
    assert (found.verdict, found.longest, found.tweet_id) == (verdict, max(runs), "7")
    covered = 0 if runs == [3] else sum(run for run in runs if run >= 3)
    assert found.share == round(covered / size, 4)


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


LONG = "Twelve gulls stood on the lantern gallery and argued about who had eaten the sandwich."


def test_two_whole_tweets_are_a_copy_of_both_and_half_of_one_is_near():
    index = CopyIndex([TWEET, LONG, "The kettle has opinions about my tea"], ["1", "2", "3"])
    both = index.check(f"{TWEET} {LONG}")
    assert (both.verdict, both.share, both.tweet_ids) == ("verbatim", 1.0, ("1", "2"))
    apart = index.check("The kettle has opinions about my tea. " + TWEET)
    assert (apart.verdict, set(apart.tweet_ids)) == ("verbatim", {"1", "3"})
    half = index.check("Twelve gulls stood on the lantern while nobody painted anything blue")
    assert (half.verdict, half.longest, half.tweet_ids) == ("near", 6, ("2",))


def test_a_few_words_changed_are_near_and_the_shared_words_are_shown():
    index = CopyIndex([TWEET, LONG], ["1", "2"])
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
    index = CopyIndex([text, TWEET], ["1", "2"])
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


def test_many_parts_are_sorted_as_one(monkeypatch):
    texts = [text for texts in authors(ships_only=True).values() for text in texts[:100]]
    one = build_arrays((text, str(at), "a") for at, text in enumerate(texts))
    monkeypatch.setattr(copy_arrays, "_PART", 500)
    many = build_arrays((text, str(at), "a") for at, text in enumerate(texts))
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
    path = tmp_path / "train.parquet"
    rows = {"text": [*texts, None], "tweet_id": [str(at) for at in range(len(texts) + 1)]}
    pl.DataFrame(rows, schema={"text": pl.String, "tweet_id": pl.String}).write_parquet(path)
    for _ in range(2):  # built, and read from where it is stored
        assert CopyIndex.from_parquet(path).has_entities == (len(texts) == 2)
