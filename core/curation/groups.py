"""Tweets that must stay on one side of a held-out split: threads, conversations, near copies."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from core.curation.near_duplicates import near_duplicates
from core.curation.rules import ALIKE
from core.curation.words import one_line
from core.tweet import id_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

Check = Callable[[], None]

_NUMBER: Final = r"\p{N}+"
_SEEDS: Final = (0x67726F757073, 0x74686561647)
_TEXTS_IN_A_FILE: Final = 20_000


def held_together(
    rows: pl.DataFrame | Iterable[pl.DataFrame],
    folder: Path | None = None,
    check: Check | None = None,
) -> pl.Series:
    """A number for each kept tweet: tweets with the same one belong on one side of a split.

    ``rows`` are the kept tweets with the columns tweet_id, handle, clean_text, and reply_to_id and
    conversation_id where there are any. One frame may be in any order. An iterable of frames,
    such as the kept rows of ``stream.curated_batches``, must come in the order of
    ``core.tweet``; its words then lie in files in ``folder`` (a temporary one without), and in
    memory are some fifty bytes a tweet. ``check`` is called often, and may raise Interrupted.
    The result (UInt32, one for each row, in the order given) is the same whatever the order of
    a frame's rows: the place of the group's first tweet by handle, id and words.

    One group are, over as many steps as it takes:

    - a tweet of an account and what the same account answered it with (reply_to_id), also where
      the tweet answered is not among ``rows``; and all its tweets in one conversation;
    - near copies, by whichever account: texts that share ALIKE percent of their wording, case and
      numbers aside ("day 12 of 100" is like "day 13 of 100"), found as the rule near_duplicates
      finds them, whether the recipe has that rule or not.
    """
    if isinstance(rows, pl.DataFrame):
        place = pl.int_range(pl.len(), dtype=pl.UInt32)
        order = rows.select(place.alias("given"), "handle", "tweet_id", "clean_text").sort(
            "handle", *id_order(), "clean_text", "given"
        )["given"]
        groups = _groups(rows[order].iter_slices(_TEXTS_IN_A_FILE), folder, check)
        return groups.gather(order.arg_sort())
    return _groups(rows, folder, check)


def _groups(frames: Iterable[pl.DataFrame], folder: Path | None, check: Check | None) -> pl.Series:
    with tempfile.TemporaryDirectory(dir=folder) as made:
        words = _Words(Path(made), check)
        keys = [pl.DataFrame(schema=_KEYS)]
        for frame in frames:
            for part in frame.iter_slices(_TEXTS_IN_A_FILE):
                texts = one_line(
                    part["clean_text"].str.to_lowercase().str.replace_all(_NUMBER, "0")
                )
                words.put(texts)
                keys.append(_keys(part, texts))
        every = pl.concat(keys).with_row_index("place")
        keys.clear()
        edges = [_same(every, "words", "words_too"), *_threads(every)]
        alone = every.select(
            "place", pl.lit(0, pl.UInt64).alias("account"), "words", "words_too"
        ).filter(pl.struct("words", "words_too").is_first_distinct())
        del every
        copies = near_duplicates(alone, ALIKE, words.of, Path(made))
        edges.append(copies.select(one="place", other="like"))
        rows = words.rows
    joined = pl.concat([edge.cast(pl.UInt32) for edge in edges])
    return _components(rows, joined["one"].to_numpy(), joined["other"].to_numpy())


_KEYS: Final = {
    "words": pl.UInt64(),
    "words_too": pl.UInt64(),
    "tweet": pl.UInt64(),
    "answered": pl.UInt64(),
    "conversation": pl.UInt64(),
}


def _keys(part: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    """Numbers for the words, the tweet, the tweet it answers and its conversation, or null."""

    def number(name: str) -> pl.Expr:
        if name not in part.columns:
            return pl.lit(None, pl.UInt64)
        return (
            pl.when(pl.col(name).is_not_null())
            .then(pl.struct("handle", pl.col(name).alias("id")).hash(_SEEDS[0]))
            .otherwise(None)
        )

    return part.select(
        words=texts.hash(_SEEDS[0]),
        words_too=texts.hash(_SEEDS[1]),
        tweet=number("tweet_id"),
        answered=number("reply_to_id"),
        conversation=number("conversation_id"),
    )


def _same(keys: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Each row that is like an earlier one in ``columns``, with the first of those."""
    there = keys.filter(pl.all_horizontal(pl.col(columns).is_not_null()))
    first = pl.col("place").first().over(columns)
    return there.select(one="place", other=first).filter(pl.col("one") != pl.col("other"))


def _threads(keys: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows that name the same tweet, as their own or as the one they answer; conversations.

    The id of a conversation is that of its first tweet, so that both are one kind of name.
    """
    names = pl.concat(
        [
            keys.select("place", name=column).drop_nulls()
            for column in ("tweet", "answered", "conversation")
        ]
    ).sort("place")
    return [_same(names, "name")]


def _components(rows: int, some: NDArray[Any], others: NDArray[Any]) -> pl.Series:
    """For each row the smallest that is connected to it by pairs of ``some`` and ``others``."""
    label = np.arange(rows, dtype=np.uint32)
    while True:
        one, other = label[some], label[others]
        if (one == other).all():
            return pl.Series("group", label)
        least = np.minimum(one, other)
        np.minimum.at(label, one, least)
        np.minimum.at(label, other, least)
        while (further := label[label]).tobytes() != label.tobytes():
            label = further


class _Words:
    """The texts of rows in files, to be looked up by place."""

    def __init__(self, folder: Path, check: Check | None) -> None:
        self._folder = folder
        self._check = check
        self._starts: list[int] = []
        self.rows = 0

    def put(self, texts: pl.Series) -> None:
        """The texts of the next rows."""
        file = self._folder / f"{len(self._starts)}.arrow"
        texts.to_frame("words").write_ipc(file, compression="lz4")
        self._starts.append(self.rows)
        self.rows += len(texts)

    def of(self, places: pl.Series) -> pl.Series:
        """In the order of ``places``."""
        if self._check is not None:
            self._check()
        wanted = places.to_frame("place").with_row_index("row").sort("place")
        found = [pl.Series("words", [], pl.String)]
        ends = [*self._starts[1:], self.rows]
        done = 0
        for number, (start, end) in enumerate(zip(self._starts, ends, strict=True)):
            upto = int(wanted["place"].search_sorted(end))
            if upto > done:
                file = self._folder / f"{number}.arrow"
                texts = pl.scan_ipc(file, glob=False, hive_partitioning=False).collect().to_series()
                # texts picked from a column hold on to all of it, unless they are made anew
                found.append(texts.gather(wanted["place"][done:upto] - start) + "")
                done = upto
        return pl.concat(found).gather(wanted["row"].arg_sort())
