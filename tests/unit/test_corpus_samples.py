"""The bundled sample archives: rebuilt from their texts, reviewed by the checker, importable."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.corpus.importing import import_path
from core.corpus.reading import accounts
from core.corpus.store import Corpus
from tests.oracles.corpus import tweets
from tests.samples import build as samples

AUTHORS = samples.authors()


def test_archives_are_what_a_rebuild_gives() -> None:
    assert samples.verify() == []


@pytest.mark.parametrize("handle", AUTHORS)
def test_texts_keep_the_rules(handle: str) -> None:
    assert samples.report(handle) == []


@pytest.mark.parametrize("handle", AUTHORS)
def test_building_is_repeatable(handle: str) -> None:
    assert samples.build(handle) == samples.build(handle)


@pytest.mark.parametrize("handle", AUTHORS)
def test_import_gives_the_texts_back(handle: str, tmp_path: Path) -> None:
    path = tmp_path / "sample.zip"
    path.write_bytes(samples.build(handle))
    corpus = Corpus(tmp_path / "tweets.duckdb")
    (result,) = import_path(corpus, path)
    lines = samples.read_lines(samples.HERE / f"{handle}.txt")
    kinds = [line.kind for line in lines]
    assert result.warnings == []
    assert result.handle == handle
    assert result.new == len(lines) - kinds.count("deleted")
    assert result.skipped == {"deleted": kinds.count("deleted")}
    assert result.notes_joined == kinds.count("note")
    found = tweets(corpus, [handle], newest_first=False)
    assert found["created_at"].is_sorted()
    counted = dict(found["kind"].value_counts().iter_rows())
    assert counted["retweet"] == kinds.count("retweet")
    assert counted["reply"] == kinds.count("reply")
    live = [line for line in lines if line.kind != "deleted"]
    for line, text, kind, escaped in zip(
        live, *found.select("text", "kind", "text_escaped").get_columns(), strict=True
    ):
        if kind == "retweet":
            assert text.startswith("RT @")
            continue
        plain = text
        if escaped:
            plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        pieces = [piece for piece in samples.MARK.split(line.text)[::3] if piece]
        assert all(piece in plain for piece in pieces)
    assert found.filter(pl.col("kind") == "quote").height > 0
    (account,) = accounts(corpus)
    assert account.name == samples.Author(handle).name
    assert b"post.example" not in corpus.path.read_bytes()
