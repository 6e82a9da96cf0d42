"""A curated frame as rows that a screen can show, a window at a time, without knowing Polars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Which = Literal["all", "kept", "dropped", "edited"]

_COLUMNS = (
    "tweet_id handle created_at text text_escaped clean_text kept reason kind lang reply_to "
    "sensitive note_id "
    "audience source source_file favourites reposts"
).split()


@dataclass(frozen=True)
class TweetRow:
    """One tweet with its verdict. ``text`` is as the source gave it, ``clean_text`` as learned.

    ``published`` is what people saw: the source's escaping of & < > undone, once.
    """

    tweet_id: str
    handle: str
    created_at: datetime | None
    text: str
    text_escaped: bool
    clean_text: str
    kept: bool
    reason: str | None
    kind: str
    lang: str | None
    reply_to: str | None
    sensitive: bool | None
    note_id: str | None
    audience: str
    source: str
    source_file: str
    favourites: int | None
    reposts: int | None

    @property
    def published(self) -> str:
        if not self.text_escaped or "&" not in self.text:
            return self.text
        # &amp; last, so that "&amp;lt;" becomes "&lt;" and no further
        return self.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class TweetRows:
    """An immutable view over a curated frame; filters give new views, rows are made when asked."""

    def __init__(self, curated: pl.DataFrame) -> None:
        self._frame = curated.select(_COLUMNS)

    def __len__(self) -> int:
        return self._frame.height

    def __getitem__(self, index: int) -> TweetRow:
        return TweetRow(*self._frame.row(index))

    def only(self, which: Which) -> TweetRows:
        """The rows that are kept, dropped, or edited (kept, but not as they were published)."""
        import polars as pl

        if which == "all":
            return self
        condition = {
            "kept": pl.col("kept"),
            "dropped": ~pl.col("kept"),
            "edited": pl.col("kept") & (pl.col("text") != pl.col("clean_text")),
        }[which]
        return TweetRows(self._frame.filter(condition))

    def search(self, words: str) -> TweetRows:
        """The rows whose published text holds ``words``, whatever the case; no pattern language."""
        import polars as pl

        if not words.strip():
            return self
        given = pl.col("text")
        published = given
        for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
            published = published.str.replace_all(entity, sign, literal=True)
        seen = pl.when("text_escaped").then(published).otherwise(given)
        found = seen.str.to_lowercase().str.contains(words.strip().lower(), literal=True)
        return TweetRows(self._frame.filter(found))
