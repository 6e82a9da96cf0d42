"""A corpus of the sample authors, and what a corpus holds, as a frame, for tests to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from core.corpus.importing import import_path
from core.corpus.reading import frame
from core.corpus.store import Corpus
from core.home import Home
from core.tweet import id_order, tweet_schema
from core.workflow.data import sample_archives


def sample_authors(root: Path) -> Home:
    """A home in ``root`` with the three of them, and no verdicts."""
    home = Home.at(root)
    for archive in sample_archives():
        import_path(Corpus(home.corpus), archive)
    return home


def tweets(corpus: Corpus, handles: Sequence[str], *, newest_first: bool = True) -> pl.DataFrame:
    """The tweets of ``handles`` (canonical columns), in order of time; none without a corpus.

    Tweets without a date come last, and equal dates are ordered by id, so that the order is
    always the same.
    """
    schema = tweet_schema()
    if not corpus.exists or not handles:
        return pl.DataFrame(schema=schema)
    with corpus.reading() as connection:
        found = frame(
            connection.sql(
                f"SELECT {', '.join(schema)} FROM tweets WHERE list_contains($handles, handle)",  # noqa: S608
                params={"handles": list(handles)},
            )
        )
    ordered = found.sort(
        "created_at",
        *id_order(),
        "handle",
        descending=[newest_first, newest_first, newest_first, False],
        nulls_last=True,
    )
    return ordered.cast(schema)  # type: ignore[arg-type]
