"""The document that the Community Archive keeps of an X archive: one JSON with its parts inside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.sources.archives.long_posts import join_long_posts, read_long_posts
from core.sources.archives.x_tweets import TweetReader, archive_account
from core.sources.json_objects import object_of, text_of
from core.sources.json_reader import elements
from core.sources.opened import Content
from core.sources.source import Account, Detected, SourceSummary, Tick

_TWEETS: Final = {"tweets": "public", "tweet": "public", "community-tweet": "community",
                  "deleted-tweets": "deleted", "twitter-circle-tweet": "circle"}  # fmt: skip

# Elements that are taken in at once.
_RUN: Final = 1_000
_ALWAYS: Final = ("public", "community")


class CommunityArchive:
    """``{"account": […], "profile": […], "tweets": [{"tweet": …}], "note-tweet": […], …}``."""

    def __init__(
        self, found: Detected, content: Content, owner: str | None, include: frozenset[str]
    ) -> None:
        self._content = content
        self._include = include
        self.summary = SourceSummary(found.path, "community-archive")
        self._account = self._owner(owner)
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
        self._content.read_through()
        summary, handle = self.summary, self._account.handle
        reader = TweetReader(summary, handle, tick, None)
        notes: list[Any] = []

        def bad(line: int, reason: str, detail: str) -> None:
            summary.skip_line(handle, reason, line, detail)

        def tweets(found: Iterator[tuple[int, str, Any]]) -> Iterator[list[Any]]:
            while some := list(islice(found, _RUN)):
                yield [item for _, _, item in some]

        found = elements(self._content.blocks(), bad)
        for key, some in groupby(found, itemgetter(1)):
            audience = _TWEETS.get(key)
            if key == "note-tweet":
                notes += [item for _, _, item in some]
            elif audience and (audience in _ALWAYS or audience in self._include):
                reader.read(tweets(some), summary.file_name, audience)
            elif audience:
                summary.skip(handle, audience, sum(1 for _ in some))
        long, unusable = read_long_posts([notes])
        if unusable:
            summary.warnings.append(f"{unusable:,} long posts are incomplete.")
        frames, joined = join_long_posts(reader.frames(), long)
        summary.of(handle).notes_joined = joined
        if not any(frame.height for frame in frames):
            raise InputRefused(f"There are no tweets in {self._content.title}.")
        if self._content.damage:
            summary.warnings.append(self._content.damage)
        summary.warn_of_broken()
        for frame in frames:
            summary.saw(frame)
            yield frame

    def _owner(self, given: str | None) -> Account:
        account: dict[str, Any] = {}
        profile: dict[str, Any] = {}
        for _, key, item in elements(self._content.blocks(), lambda *_: None):
            if key == "account":
                account = account or object_of(item, "account")
            elif key == "profile":
                profile = profile or object_of(item, "profile")
            if account and (profile or key == "tweets"):
                break
        return archive_account(
            self._content.title,
            given,
            text_of(account.get("username")),
            name=account.get("accountDisplayName"),
            account_id=account.get("accountId"),
            bio=object_of(profile, "description").get("bio"),
            created=account.get("createdAt"),
        )
