"""What several other people say, frozen with a run's dataset so that no copy is made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from core.corpus.store import Corpus
from core.dataset import sayings
from core.dataset.sayings import (
    SAYINGS,
    freeze_sayings,
    frozen_sayings,
    grams_of,
    joined_hashes,
    word_hash,
)
from core.forgetting import forget
from core.home import Home
from core.sampling.copies import CopyIndex
from core.workflow.data import import_paths

SAYING = "a rolling stone gathers no moss indeed"
OF_ONE = "every lamp on this coast owes me a pension"
PASSED_ON = "the harbour eats its breakfast before the gulls do"
OWN = [
    f"As my uncle said, {SAYING}", OF_ONE, PASSED_ON,
    *(f"Entry {at}: the number {at * 7} stood on door {at} of hall {at}" for at in range(40)),
]  # fmt: skip


def imported(home: Home, folder: Path, tweets: dict[str, list[str]]) -> None:
    """One import for each handle."""
    for number, (handle, texts) in enumerate(tweets.items(), 1):
        ids = [str(number * 10_000 + at) for at in range(len(texts))]
        path = folder / f"{handle}.csv"
        pl.DataFrame({"id": ids, "author": handle, "text": texts}).write_csv(path)
        import_paths(home, [path])


def dataset_of(folder: Path, texts: list[str]) -> Path:
    folder.mkdir()
    ids = [str(at) for at in range(len(texts))]
    frame = pl.DataFrame({"text": texts, "tweet_id": ids, "handle": "ann"})
    frame.write_parquet(folder / "train.parquet")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


def test_what_two_other_accounts_of_the_corpus_say_is_no_copy(home: Home, tmp_path: Path) -> None:
    imported(
        home,
        tmp_path,
        {
            "ann": OWN,
            "bob": [f"{SAYING}, they say", OF_ONE, f"RT @ann: {PASSED_ON}"],
            "cat": [f"Well: {SAYING}!", f"RT @ann: {PASSED_ON}"],
        },
    )
    dataset = dataset_of(tmp_path / "dataset", OWN)
    before = CopyIndex.from_parquet(dataset / "train.parquet")
    assert before.check(SAYING).verdict == "verbatim", "the authors that ship do not say it"
    freeze_sayings(dataset, home, ["ann"])
    index = CopyIndex.from_parquet(dataset / "train.parquet")
    assert index.check(SAYING).verdict == "new"
    assert index.check(OWN[0]).verdict == "verbatim", "with words that only ann put around it"
    assert index.check(OF_ONE).verdict == "verbatim", "one other is not two"
    assert index.check(PASSED_ON).verdict == "verbatim", "who passes a tweet on does not say it"


def test_what_is_frozen_does_not_change_with_the_corpus(home: Home, tmp_path: Path) -> None:
    imported(home, tmp_path, {"ann": OWN, "bob": [SAYING], "cat": [SAYING]})
    dataset = dataset_of(tmp_path / "dataset", OWN)
    freeze_sayings(dataset, home, ["ann"])
    CopyIndex.from_parquet(dataset / "train.parquet")
    made = {file.name: file.read_bytes() for file in (dataset / "train.copies").iterdir()}
    content = (dataset / SAYINGS).read_bytes()
    assert b"rolling" not in content
    assert b"bob" not in content
    forget(Corpus(home.corpus), home, handles=["bob"])
    for file in (dataset / "train.copies").iterdir():
        file.unlink()
    assert CopyIndex.from_parquet(dataset / "train.parquet").check(SAYING).verdict == "new"
    assert {one.name: one.read_bytes() for one in (dataset / "train.copies").iterdir()} == made
    # other sayings are another index
    (dataset / SAYINGS).unlink()
    assert CopyIndex.from_parquet(dataset / "train.parquet").check(SAYING).verdict == "verbatim"
    (dataset / SAYINGS).write_bytes(content[:-3])
    assert frozen_sayings(dataset / "train.parquet") is None
    assert CopyIndex.from_parquet(dataset / "train.parquet").check(SAYING).verdict == "verbatim"


def test_the_author_under_other_names_is_nobody_else(home: Home, tmp_path: Path) -> None:
    imported(home, tmp_path, {"ann": OWN, "ann2": OWN, "ann3": OWN[:30], "bob": [SAYING]})
    dataset = dataset_of(tmp_path / "dataset", OWN)
    freeze_sayings(dataset, home, ["ann"])
    index = CopyIndex.from_parquet(dataset / "train.parquet")
    assert {index.check(text).verdict for text in OWN} == {"verbatim"}


def test_an_account_alone_has_nothing_frozen(home: Home, tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "dataset", OWN)
    freeze_sayings(dataset, home, ["ann"])
    assert not home.corpus.exists()
    imported(home, tmp_path, {"ann": OWN})
    freeze_sayings(dataset, home, ["ann"])
    assert not (dataset / SAYINGS).exists()


def test_of_many_tweets_everybodys_are_read_in_turn(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"Line {at} of a long and rather windy diary of {at} days" for at in range(50)]
    imported(home, tmp_path, {"ann": OWN, "zoe": many, "bob": [SAYING], "cat": [SAYING]})
    monkeypatch.setattr(sayings, "_MOST_TWEETS", 6)
    dataset = dataset_of(tmp_path / "dataset", OWN)
    freeze_sayings(dataset, home, ["ann"])
    assert CopyIndex.from_parquet(dataset / "train.parquet").check(SAYING).verdict == "new"


def hashes_of(text: str) -> list[int]:
    """A hash for every four words in a row, by a plain loop."""
    words = [np.array([word_hash(word)], np.uint64) for word in text.split()]
    return [int(joined_hashes(words[at : at + 4])[0]) for at in range(len(words) - 3)]


def test_hashes_are_the_same_in_every_version() -> None:
    """They lie beside the datasets of runs, and are compared with those of today."""
    assert word_hash("moss") == 10348437521000581406
    assert hashes_of("gathers no moss indeed") == [13326740184640676196]


@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 5, 6, 7, 8, 100])
def test_every_four_words_in_a_row_whatever_is_looked_at_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sayings, "_CHUNK", at_once)
    texts = ["a b c d e f g", "", "a a a a", "b c d", "e", "g f e d c b a", "c d e f"]
    vocabulary = np.array([word_hash(word) for word in "abcdefg"], np.uint64)
    flat = [number for text in texts for number in [*map("_abcdefg".index, text.split()), 0]]
    for numbers in (flat, flat[:-1]):
        found = [*grams_of(vocabulary, np.array(numbers, np.int32))]
        expected = [one for text in texts for one in hashes_of(text)]
        assert [int(one) for some in found for one in some] == expected
    assert [*grams_of(vocabulary, np.array([1, 2, 3], np.int32))] == []


def test_what_is_frozen_are_the_runs_of_words_that_two_share(home: Home, tmp_path: Path) -> None:
    texts = {"bob": [SAYING, "only bob is saying this"], "cat": [f"{SAYING} now"]}
    imported(home, tmp_path, {"ann": OWN} | texts)
    dataset = dataset_of(tmp_path / "dataset", OWN)
    freeze_sayings(dataset, home, ["ann"])
    frozen = frozen_sayings(dataset / "train.parquet")
    assert frozen is not None
    there = set(frozen.tolist())
    assert there >= set(hashes_of(SAYING))
    assert not there & {*hashes_of("only bob is saying this"), *hashes_of("no moss indeed now")}


def test_a_file_that_would_run_code_is_not_read(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    with (tmp_path / SAYINGS).open("wb") as file:
        np.save(file, np.array([Trap()], dtype=object), allow_pickle=True)
    assert frozen_sayings(tmp_path / "train.parquet") is None
    assert not (tmp_path / "sprung").exists()
    for other in (np.zeros((2, 2), np.uint64), np.zeros(2, np.int64), np.uint64(3)):
        np.save(tmp_path / "x.npy", other)
        (tmp_path / "x.npy").replace(tmp_path / SAYINGS)
        assert frozen_sayings(tmp_path / "train.parquet") is None


def test_a_run_that_is_started_has_them(home: Home, tmp_path: Path) -> None:
    from core.curation.recipe import load_recipe
    from core.curation.stream import curated_batches
    from core.runs.launch import create_run
    from core.runs.settings import RunRequest, settings_for

    imported(home, tmp_path, {"ann": OWN, "bob": [SAYING], "cat": [SAYING]})
    recipe = load_recipe("standard", home)
    batches = curated_batches(Corpus(home.corpus), ["ann"], recipe, explain=False)
    run = create_run(home, RunRequest(["ann"], recipe, settings_for("fast", "scratch")), batches)
    assert frozen_sayings(run.dataset / "train.parquet") is not None
