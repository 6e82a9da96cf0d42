"""Real tweets by other people: those in the corpus, else the three authors that ship with mynah."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.corpus.reading import frame, tweet_counts
from core.corpus.store import Corpus
from core.curation.judge import judge
from core.curation.recipe import Recipe
from core.home import Home, bundled
from core.words import words

if TYPE_CHECKING:
    import polars as pl

MOST_AUTHORS: Final = 20
_MOST_TWEETS: Final = 1000  # of each
# With fewer usable tweets of others in the corpus, the authors that ship are taken.
_FEWEST: Final = 100
# Somebody so much of whose tweets are the author's own is the author, under whatever name.
_SAME_PERSON: Final = 0.1
_SOME_OF_EACH: Final = (
    "SELECT * EXCLUDE (place) FROM (SELECT *, row_number() OVER "
    "(PARTITION BY handle ORDER BY hash(tweet_id)) AS place FROM tweets "
    "WHERE handle IN (SELECT unnest($handles))) WHERE place <= $most ORDER BY handle, place"
)


@dataclass(frozen=True)
class Impostors:
    """``texts`` in a seeded order, by ``handles``; ``bundled``: the ones that ship with mynah."""

    texts: list[str]
    handles: list[str]
    bundled: bool


def find_impostors(
    home: Home, recipe: Recipe, handles: Sequence[str], own: Sequence[str], seed: int
) -> Impostors:
    """Tweets cleaned and chosen by ``recipe``, of nobody in ``handles`` (the authors).

    ``own`` are the authors' texts: an account that has many of them is left out, and single ones
    are wherever they stand. Raises CorpusBusy.
    """
    known = {tuple(words(text)) for text in own}
    for found, ships in (
        (_in_corpus(home, recipe, handles, seed), False),
        (_shipped(recipe), True),
    ):
        others = {
            handle: rest
            for handle, texts in found
            if handle not in handles and (rest := _not_of(known, texts)) is not None
        }
        texts = [text for rest in others.values() for text in rest]
        if len(texts) >= _FEWEST or ships:
            random.Random(f"{seed}/impostors").shuffle(texts)  # noqa: S311 - repeatable on purpose
            return Impostors(texts, sorted(others), ships)
    raise AssertionError  # the second turn returns


def _not_of(known: set[tuple[str, ...]], texts: Sequence[str]) -> list[str] | None:
    """Different ``texts`` without the ``known`` ones; None where these are too large a part."""
    different = {tuple(words(text)): text for text in texts}
    rest = [text for said, text in different.items() if said and said not in known]
    if not rest or len(different) - len(rest) > _SAME_PERSON * len(different):
        return None
    return rest


def _in_corpus(
    home: Home, recipe: Recipe, handles: Sequence[str], seed: int
) -> Iterable[tuple[str, list[str]]]:
    corpus = Corpus(home.corpus)
    others = [handle for handle in tweet_counts(corpus) if handle not in handles]
    chosen = random.Random(f"{seed}/authors").sample(  # noqa: S311 - repeatable on purpose
        others, min(MOST_AUTHORS, len(others))
    )
    if not chosen:
        return []
    with corpus.reading() as connection:
        rows = frame(
            connection.sql(_SOME_OF_EACH, params={"handles": sorted(chosen), "most": _MOST_TWEETS})
        )
    return _kept(rows, recipe)


def _shipped(recipe: Recipe) -> Iterable[tuple[str, list[str]]]:
    from core.sources.detect import open_source

    for archive in sorted(Path(bundled("samples")).glob("*.zip")):
        for batch in open_source(archive).batches():
            yield from _kept(batch.head(2 * _MOST_TWEETS), recipe)


def _kept(rows: pl.DataFrame, recipe: Recipe) -> list[tuple[str, list[str]]]:
    import polars as pl

    judged = judge(rows, recipe, explain=False).filter(pl.col("reason").is_null())
    return [
        (str(handle), some["clean_text"].head(_MOST_TWEETS).to_list())
        for (handle,), some in judged.group_by("handle", maintain_order=True)
    ]
