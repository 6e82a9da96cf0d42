"""The training tweets that are nearest to a text."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from pathlib import Path

import polars as pl
import pytest

from core.curation.recipe import load_recipe
from core.errors import InputRefused
from core.sampling.nearest import nearest_tweets
from tests.oracles.datasets import freeze
from tests.oracles.frames import different_texts, frame
from tests.oracles.one_frame import curate

TWEETS = ["the lamp is lit", "the gull is rude", "a lamp and a gull", "the the is"]


def dataset(folder: Path, texts: list[str]) -> Path:
    when = datetime(2019, 5, 1, tzinfo=timezone.utc)
    columns = {
        "handle": ["keeper"] * len(texts),
        "tweet_id": [str(at) for at in range(len(texts))],
        "created_at": [when] * len(texts),
        "text": texts,
    }
    pl.DataFrame(columns).write_parquet(folder / "train.parquet")
    return folder


def test_it_is_the_cosine_of_tf_idf(tmp_path: Path) -> None:
    found = nearest_tweets(dataset(tmp_path, TWEETS), "Lamp, unheard, the RUDE one")
    the, lamp, gull, rude = (math.log(4 / n) ** 2 for n in (3, 2, 2, 1))
    lit, a, conj = (math.log(4 / n) ** 2 for n in (1, 1, 1))
    asked = math.sqrt(the + lamp + rude)
    by_hand = {
        "0": (the + lamp) / (asked * math.sqrt(the + lamp + the + lit)),
        "1": (the + rude) / (asked * math.sqrt(the + gull + the + rude)),
        "2": lamp / (asked * math.sqrt(a + lamp + conj + gull)),
        "3": the / (asked * math.sqrt(2 * the)),
    }
    assert {one.tweet_id: one.score for one in found} == pytest.approx(by_hand)
    assert [one.score for one in found] == pytest.approx(sorted(by_hand.values(), reverse=True))
    first = found[0]
    assert (first.tweet_id, first.shared) == ("1", ("rude", "the"))
    assert [first.text[begin:end] for begin, end in first.spans()] == ["the", "rude"]
    assert first.created_at is not None
    assert first.created_at.year == 2019


def test_what_was_typed_does_not_count_and_strangers_have_none(tmp_path: Path) -> None:
    home = dataset(tmp_path, TWEETS)
    assert [one.tweet_id for one in nearest_tweets(home, "my lamp is rude", "my lamp is")] == ["1"]
    assert nearest_tweets(home, "nothing known 🌊") == []
    assert nearest_tweets(home, "") == []
    assert nearest_tweets(dataset(tmp_path, ["same words", "same words"]), "same words") == []
    assert (
        len(nearest_tweets(dataset(tmp_path, [f"gull {n}" for n in range(9)] + ["x"]), "gull")) == 5
    )
    with pytest.raises(InputRefused, match="not in its folder"):
        nearest_tweets(tmp_path / "gone", "text")


def test_it_says_why_a_tweet_was_kept(tmp_path: Path) -> None:
    texts = [*different_texts(40), "the lamp is lit again", "write to lamp@example.org today"]
    recipe = load_recipe("standard").replace(personal_data="flag")
    freeze(curate(frame(texts), recipe), tmp_path / "dataset", recipe=recipe, seed=2)

    def found(text: str) -> dict[str, str]:
        near = nearest_tweets(tmp_path / "dataset", text)
        return {one.text: one.kept for one in near}

    both = found("is lit again, example org today")
    assert both == {
        texts[-2]: "kept by the recipe standard, changed: none of its rules drops it",
        texts[-1]: "kept by the recipe standard, changed, but flagged: lamp@example.org",
    }
    # a damaged manifest says nothing, and takes nothing else away
    (tmp_path / "dataset" / "manifest.json").write_text("{")
    assert set(found("is lit again").values()) == {""}


def test_tweets_that_cannot_be_read_are_told_of(tmp_path: Path) -> None:
    file = dataset(tmp_path, TWEETS) / "train.parquet"
    whole = file.read_bytes()
    for damaged in (whole[:100], None):
        if damaged is None:
            file.write_bytes(whole)
            pl.read_parquet(file).drop("created_at").write_parquet(file)
        else:
            file.write_bytes(damaged)
        with pytest.raises(InputRefused, match="Nobody can say") as refused:
            nearest_tweets(tmp_path, "the lamp")
        assert "cannot be read: " in refused.value.why
