"""The document that the Community Archive keeps of an X archive: one JSON with its parts inside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.handles import normal_handle
from core.sources import json_stream
from core.sources.content import Content
from core.sources.source import Account, Detected, HandleMissing, SourceSummary, Tick
from core.sources.times import parse_times
from core.sources.x_archive import TweetReader, _dict
from core.sources.x_notes import join_notes, read_notes
from core.sources.x_tweet import text_of

_TWEETS: Final = {"tweets": "public", "tweet": "public", "community-tweet": "community",
                  "deleted-tweets": "deleted", "twitter-circle-tweet": "circle"}  # fmt: skip


class CommunityArchive:
    """``{"account": […], "profile": […], "tweets": [{"tweet": …}], "note-tweet": […], …}``."""

    def __init__(
        self, found: Detected, content: Content, owner: str | None, include: frozenset[str]
    ) -> None:
        self._content = content
        self._include = include
        self.summary = SourceSummary(found.path, "community-archive")
        self._account = self._who(owner)
        self.summary.handle = self._account.handle
        self.summary.account = self._account

    @property
    def accounts(self) -> list[Account]:
        return [self._account]

    def outline(self) -> list[str]:
        return [f"Community Archive of @{self._account.handle}"]

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; everything is read before the first, for edits and notes reach across.

        Raises InputRefused when there are no tweets in it.
        """
        self._content.settle()
        summary, handle = self.summary, self._account.handle
        reader = TweetReader(summary, handle, tick, None)
        notes: list[Any] = []

        def bad(line: int, reason: str, detail: str) -> None:
            summary.skip_line(handle, reason, line, detail)

        for _, key, item in json_stream.elements(self._content, bad):
            if key == "note-tweet":
                notes.append(item)
            elif audience := _TWEETS.get(key):
                if audience in ("public", "community") or audience in self._include:
                    reader.read(iter([item]), summary.file_name, audience)
                else:
                    summary.skip(handle, audience)
        long, unusable = read_notes(notes)
        if unusable:
            summary.warnings.append(f"{unusable:,} long posts are incomplete.")
        frames, joined = join_notes(reader.frames(), long)
        summary.of(handle).notes_joined = joined
        if not any(frame.height for frame in frames):
            raise InputRefused(f"There are no tweets in {self._content.title}.")
        if self._content.damage:
            summary.warnings.append(self._content.damage)
        summary.warn_of_broken()
        for frame in frames:
            summary.saw(frame)
            yield frame

    def _who(self, owner: str | None) -> Account:
        account: dict[str, Any] = {}
        profile: dict[str, Any] = {}
        for _, key, item in json_stream.elements(self._content, lambda *_: None):
            if key == "account":
                account = account or _dict(item, "account")
            elif key == "profile":
                profile = profile or _dict(item, "profile")
            if account and (profile or key == "tweets"):
                break
        username = text_of(account.get("username"))
        if not owner and not username:
            raise HandleMissing(
                f"{self._content.title} does not say whose tweets it holds.",
                "",
                "Name the account with --handle.",
            )
        written = pl.Series([text_of(account.get("createdAt"))], dtype=pl.String)
        created = parse_times(written)[0]
        return Account(
            handle=owner or normal_handle(username or ""),
            name=text_of(account.get("accountDisplayName")),
            account_id=text_of(account.get("accountId")),
            bio=text_of(_dict(profile, "description").get("bio")),
            created=created if isinstance(created, datetime) else None,
        )
