"""Long posts: joining a note's full text to the shortened tweet that announces it.

A note carries no tweet id. The two are recognised by their time (the note is made up to two
seconds from the tweet) and by their words: the tweet shows the first part of the note, written
with HTML entities and followed by an ellipsis and a link. Comparing raw text misses those, so
both sides are brought to one form first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final

import polars as pl

from core.sources.json_objects import text_of
from core.sources.times import parse_times

_WINDOW_US: Final = 2_000_000
_COMPARED: Final = 160
_LEAST: Final = 20
_SHORT_LINK = re.compile(r"https?://t\.co/\w*")


@dataclass(frozen=True)
class LongPost:
    note_id: str
    text: str
    microseconds: int


def read_long_posts(runs: Iterable[list[Any]]) -> tuple[list[LongPost], int]:
    """Notes from the objects of note-tweet.js, and how many objects could not be used."""
    found: list[tuple[str, str, str]] = []
    unusable = 0
    for item in chain.from_iterable(runs):
        note = item.get("noteTweet", item) if isinstance(item, dict) else None
        core = note.get("core") if isinstance(note, dict) else None
        text = text_of(core.get("text")) if isinstance(core, dict) else None
        note_id = text_of(note.get("noteTweetId")) if isinstance(note, dict) else None
        written = text_of(note.get("createdAt")) if isinstance(note, dict) else None
        if text and note_id and written:
            found.append((note_id, text, written))
        else:
            unusable += 1
    times = parse_times(pl.Series("at", [written for _, _, written in found], dtype=pl.String))
    notes = [
        LongPost(note_id, text, round(at.timestamp() * 1_000_000))
        for (note_id, text, _), at in zip(found, times, strict=True)
        if isinstance(at, datetime)
    ]
    return notes, unusable + len(found) - len(notes)


def join_long_posts(
    frames: list[pl.DataFrame], notes: list[LongPost]
) -> tuple[list[pl.DataFrame], int]:
    """Give each note's text and id to the one tweet it belongs to; returns how many were joined.

    Frames need ``created_at`` and ``text``. Every note and every tweet is used at most once, the
    nearest pair in time first.
    """
    by_second: dict[int, list[int]] = defaultdict(list)
    for index, note in enumerate(notes):
        by_second[note.microseconds // 1_000_000].append(index)
    seconds = {s + d for s in by_second for d in (-2, -1, 0, 1, 2)}
    pairs: list[tuple[int, int, int, int]] = []
    for number, frame in enumerate(frames):
        at = pl.col("created_at").dt.timestamp("us")
        near = (
            frame.lazy()
            .select("text", "kind", at=at)
            .with_row_index("row")
            .filter((pl.col("at") // 1_000_000).is_in(list(seconds)))
            .filter(pl.col("kind") != "retweet")
            .collect()
        )
        for row, text, _, us in near.iter_rows():
            start = _tweet_form(text)
            for second in range(us // 1_000_000 - 2, us // 1_000_000 + 3):
                for index in by_second.get(second, ()):
                    apart = abs(notes[index].microseconds - us)
                    if apart <= _WINDOW_US and _begins(notes[index].text, start):
                        pairs.append((apart, number, row, index))
    pairs.sort()
    used_tweets: set[tuple[int, int]] = set()
    used_notes: set[int] = set()
    chosen: dict[int, dict[int, LongPost]] = defaultdict(dict)
    for _, number, row, index in pairs:
        if (number, row) not in used_tweets and index not in used_notes:
            used_tweets.add((number, row))
            used_notes.add(index)
            chosen[number][row] = notes[index]
    return [_with_notes(f, chosen.get(i, {})) for i, f in enumerate(frames)], len(used_notes)


def _with_notes(frame: pl.DataFrame, notes: dict[int, LongPost]) -> pl.DataFrame:
    """A note's text has no HTML entities; ``text_escaped`` of its row becomes false."""
    if not notes:
        return frame
    change = pl.DataFrame(
        {
            "row": list(notes),
            "note_text": [note.text for note in notes.values()],
            "joined": [note.note_id for note in notes.values()],
        },
        schema_overrides={"row": pl.get_index_type()},
    )
    joined = frame.with_row_index("row").join(change, on="row", how="left", maintain_order="left")
    return joined.with_columns(
        text=pl.coalesce("note_text", "text"),
        text_escaped=pl.when(pl.col("joined").is_not_null())
        .then(pl.lit(False))
        .otherwise(pl.col("text_escaped")),
        note_id=pl.coalesce("joined", "note_id"),
    ).select(frame.columns)


def _one_line(text: str) -> str:
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(text.split())


def _tweet_form(text: str) -> str:
    """What a tweet shows of its note: without the links at the end and the ellipsis before them."""
    words = text.split()
    while words and _SHORT_LINK.fullmatch(words[-1]):
        words.pop()
    return _one_line(" ".join(words)).rstrip("….").rstrip()


def _begins(note: str, start: str) -> bool:
    """Whether the note begins with what the tweet shows, as far as the first _COMPARED signs."""
    compared = start[:_COMPARED]
    if len(compared) < _LEAST:
        return False
    return _one_line(note[: _COMPARED * 4]).startswith(compared)
