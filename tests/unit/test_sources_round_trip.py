"""What mynah exports comes back: nothing changes where it came from, and elsewhere it is equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.curation.recipe import load_recipe
from core.sources.detect import detect
from tests.fixtures.formats import HANDLE, POSTS, START, Post, x_archive
from tests.oracles.corpus import tweets
from tests.oracles.datasets import export
from tests.oracles.one_frame import curate

HOSTILE = ["=1+1", "'=1+1", "-minus", "@tern hi", "two\r\nlines", "'quoted'", "''", "it's"]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    corpus = Corpus(tmp_path / "c.duckdb")
    more = [Post(str(900 + n), text, START) for n, text in enumerate(HOSTILE)]
    import_path(corpus, x_archive(tmp_path, POSTS + more))
    return corpus


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("what", ["all", "kept"])
@pytest.mark.parametrize("recipe", ["standard", "classic"])
def test_there_and_back(
    corpus: Corpus, tmp_path: Path, format_: Any, what: Any, recipe: str
) -> None:
    before = tweets(corpus, [HANDLE])
    rules = load_recipe(recipe)
    out = tmp_path / f"out.{format_}"
    export(curate(before, rules), out, format=format_, recipe=rules, what=what)
    assert detect(out).format == "mynah-export"
    (result,) = import_path(corpus, out)
    assert (result.new, result.updated, result.skipped) == (0, 0, {})
    assert result.duplicates == result.read
    assert tweets(corpus, [HANDLE]).equals(before)
    fresh = Corpus(tmp_path / "fresh.duckdb")
    import_path(fresh, out)
    there = tweets(fresh, [HANDLE])
    assert there["tweet_id"].is_in(before["tweet_id"].to_list()).all()
    if what == "all":
        columns = ["tweet_id", "handle", "created_at", "kind", "text", "reply_to"]
        assert there.select(columns).equals(before.select(columns))
    again = tmp_path / f"again.{format_}"
    export(curate(there, rules), again, format=format_, recipe=rules, what=what)
    if what == "all":
        assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_texts_of_several_sources_are_cleaned_alike_elsewhere(tmp_path: Path, format_: Any) -> None:
    """X's archive writes & as &amp;, other files as it is; an export of all has both."""
    corpus = Corpus(tmp_path / "c.duckdb")
    import_path(corpus, x_archive(tmp_path, [Post("901", "rope & tar > wax", START)]))
    other = tmp_path / "other.csv"
    other.write_text("id,text,author\n902,salt & pepper for all,tern\n903,R&B < jazz,tern\n")
    import_path(corpus, other, handle=HANDLE)
    rules = load_recipe("standard")
    out = tmp_path / f"out.{format_}"
    export(curate(tweets(corpus, [HANDLE]), rules), out, format=format_, recipe=rules, what="all")
    fresh = Corpus(tmp_path / "fresh.duckdb")
    import_path(fresh, out)
    there = curate(tweets(fresh, [HANDLE]), rules).sort("tweet_id")
    assert there["clean_text"].to_list() == [
        "rope & tar > wax", "salt & pepper for all", "R&B < jazz"
    ]  # fmt: skip
