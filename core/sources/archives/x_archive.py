"""The archive that X gives its users: since late 2022, and in the same shape 2019-2022."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import polars as pl
from msgspec.json import Decoder

from core.errors import InputRefused
from core.sources.archives.archive_files import (
    Files,
    Unsafe,
    cut_off,
    find_data_folder,
    is_tweet_part,
)
from core.sources.archives.long_posts import LongPost, join_long_posts, read_long_posts
from core.sources.archives.x_tweets import TweetReader, archive_account
from core.sources.batches import read_ahead
from core.sources.json_objects import object_of, text_of
from core.sources.json_reader import script_lists, script_value
from core.sources.json_window import Flaw
from core.sources.opened import open_files
from core.sources.source import (
    Account,
    Detected,
    SourceSummary,
    Tick,
)

_T = TypeVar("_T")
# Elements of a list, some at a time.
Runs = Iterator[list[Any]]

_PLAIN: Final[Decoder[list[Any]]] = Decoder(list[Any])
_NOTES = re.compile(r"note-tweet(-part\d+)?\.js")
# Posts in communities: the person's own, and anybody on X can read them.
_COMMUNITY = re.compile(r"community-tweet(-part\d+)?\.js")
# what `include` calls it → the names of its files
_LEFT_OUT: Final = {
    "deleted": re.compile(r"deleted-tweets?(-part\d+)?\.js"),
    "circle": re.compile(r"twitter-circle-tweet(-part\d+)?\.js"),
}


class XArchive:
    """An X archive, as a zip or a folder. Likes, direct messages and e-mail are never read."""

    def __init__(self, found: Detected, handle: str | None, include: frozenset[str]) -> None:
        self.summary = SourceSummary(found.path, "x-archive")
        self._root = found.root
        self._include = include
        self._refused: list[InputRefused] = []  # what is broken, for when nothing is sound
        with open_files(self._root) as files:
            self._cut = bool(files.damage)
            if self._cut:
                self.summary.warnings.append(files.damage)
            self._folder = find_data_folder(files.names()) or ""
            self._names = {
                name[len(self._folder) :]: name
                for name in files.names()
                if name.startswith(self._folder) and "/" not in name[len(self._folder) :]
            }
            manifest = self._manifest(files)
            self._account = self._owner(files, manifest, handle)
        self._parts, self._expected = self._tweet_parts(manifest)
        self.summary.handle = self._account.handle
        self.summary.account = self._account

    @property
    def accounts(self) -> list[Account]:
        return [self._account]

    def outline(self) -> list[str]:
        """Format, account, and the number of tweets that the archive's own list gives."""
        who = f"@{self._account.handle}"
        if self._account.name:
            who += f" ({self._account.name})"
        expected = sum(self._expected.values())
        count = f"{expected:,} tweets" if self._expected else f"{len(self._parts)} lists of tweets"
        also = [
            name
            for name, pattern in _LEFT_OUT.items()
            if any(map(pattern.fullmatch, self._names)) and name not in self._include
        ]
        lines = [f"X archive of {who}", count]
        if any(map(_COMMUNITY.fullmatch, self._names)):
            lines.append("Posts in communities come in too.")
        if also:
            lines.append(f"Left out unless you include them: {', '.join(also)} tweets.")
        return lines + self.summary.warnings

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; everything is read before the first, for edits and notes reach across.

        What is broken is left out and listed in the summary; raises InputRefused when nothing is
        sound or the archive holds no tweets.
        """
        summary, handle = self.summary, self._account.handle
        reader = TweetReader(summary, handle, tick, sum(self._expected.values()) or None)
        with open_files(self._root) as files:
            notes = self._notes(files)
            for part in self._parts:
                seen = self._tweets(files, part, reader, "public")
                expected = self._expected.get(part)
                if expected is not None and seen != expected:
                    summary.warnings.append(
                        f"{part} holds {seen:,} tweets; the archive's own list says {expected:,}."
                    )
            for part in self._named(_COMMUNITY):
                self._tweets(files, part, reader, "community")
            for audience, names in _LEFT_OUT.items():
                for part in self._named(names):
                    if audience in self._include:
                        self._tweets(files, part, reader, audience)
                    else:
                        summary.skip(handle, audience, self._part(files, part, _count) or 0)
        frames = reader.frames()
        frames, joined = join_long_posts(frames, notes)
        summary.of(handle).notes_joined = joined
        if len(notes) > joined:
            summary.warnings.append(
                f"{len(notes) - joined:,} of {len(notes):,} long posts belong to no tweet here."
            )
        if not any(frame.height for frame in frames):
            if self._refused:
                raise self._refused[0]
            raise InputRefused(
                f"There are no tweets in {summary.path}.",
                "Its list of tweets is empty." if not summary.skipped else _why(summary.skipped),
            )
        summary.warn_of_broken()
        for frame in frames:
            summary.saw(frame)
            yield frame

    def _named(self, names: re.Pattern[str]) -> list[str]:
        return sorted(filter(names.fullmatch, self._names), key=_part_number)

    def _tweets(self, files: Files, part: str, reader: TweetReader, audience: str) -> int:
        """How many elements a list of tweets has; 0 when it is damaged."""

        def take(runs: Runs) -> int:
            return reader.read(runs, part, audience)

        return self._part(files, part, take, reader.decoder) or 0

    def _part(
        self,
        files: Files,
        part: str,
        take: Callable[[Runs], _T],
        decoder: Decoder[list[Any]] = _PLAIN,
    ) -> _T | None:
        """What ``take`` makes of the sound elements of a part; what is not goes into the summary.

        None when the part is damaged: then nothing of it is taken.
        """
        summary = self.summary
        where = f"{self._names[part]} in {summary.path}"
        flaws: list[Flaw] = []
        blocks = read_ahead(files.blocks(self._names[part]))
        try:
            taken = take(script_lists(blocks, where, decoder, flaws.append))
        except Unsafe:
            raise
        except InputRefused as refused:
            self._refused.append(refused)
            why = f"{refused.what} {refused.why}".replace(where, "it").strip()
            why = why.replace(str(summary.path), "the archive").rstrip(".")
            summary.skip_line(self._account.handle, "unreadable_part", 0, why, part)
            return None
        for flaw in flaws:
            if flaw.reason:
                summary.skip_line(self._account.handle, flaw.reason, flaw.line, flaw.detail, part)
            elif not any(warning.startswith(f"{part}, ") for warning in summary.warnings):
                repaired = f"{part}, line {flaw.line:,}: {flaw.problem}; no tweet is lost by that."
                summary.warnings.append(repaired)
        self._refused += [flaw.refusal(where) for flaw in flaws[:1]]
        return taken

    def _object(self, files: Files, part: str) -> Any:
        where = f"{self._names[part]} in {self.summary.path}"
        return script_value(files.read(self._names[part]), where)

    def _optional(self, files: Files, part: str) -> Any:
        """A file that the tweets can do without: trouble with it becomes a warning."""
        if part not in self._names:
            return None
        try:
            return self._object(files, part)
        except Unsafe:
            raise
        except InputRefused as refused:
            self.summary.warnings.append(str(refused))
            return None

    def _manifest(self, files: Files) -> dict[str, Any]:
        manifest = self._optional(files, "manifest.js")
        return manifest if isinstance(manifest, dict) else {}

    def _owner(self, files: Files, manifest: dict[str, Any], given: str | None) -> Account:
        account = _first(self._optional(files, "account.js"), "account")
        description = object_of(
            _first(self._optional(files, "profile.js"), "profile"), "description"
        )
        user = object_of(manifest, "userInfo")
        username = text_of(account.get("username")) or text_of(user.get("userName"))
        return archive_account(
            str(self.summary.path),
            given,
            username,
            name=text_of(account.get("accountDisplayName")) or user.get("displayName"),
            account_id=text_of(account.get("accountId")) or user.get("accountId"),
            bio=description.get("bio"),
            created=account.get("createdAt"),
            missing="There is no account.js or manifest.js that could be read.",
        )

    def _tweet_parts(self, manifest: dict[str, Any]) -> tuple[list[str], dict[str, int]]:
        """The lists of tweets: those the manifest names and any other that lies there."""
        here = {name for name in self._names if is_tweet_part(name)}
        expected: dict[str, int] = {}
        types = object_of(manifest, "dataTypes")
        for type_name in ("tweets", "tweet"):
            listed = object_of(types, type_name).get("files")
            for entry in listed if isinstance(listed, list) else ():
                path = text_of(entry.get("fileName")) if isinstance(entry, dict) else None
                name = path.rsplit("/", 1)[-1] if path else ""
                count = text_of(entry.get("count")) if isinstance(entry, dict) else None
                if name and name not in self._names:
                    self.summary.warnings.append(f"The archive lists {name}, but it is missing.")
                elif is_tweet_part(name):
                    here.add(name)
                    if count and re.fullmatch(r"\d{1,12}", count, re.ASCII):
                        expected[name] = int(count)
        if not here and self._cut:
            raise cut_off(self.summary.path)
        if not here:
            raise InputRefused(
                f"No tweets were found in {self.summary.path}.",
                "There is no data/tweets.js in it.",
                "In X's settings, ask for the archive again with your posts included.",
            )
        return sorted(here, key=_part_number), expected

    def _notes(self, files: Files) -> list[LongPost]:
        notes: list[LongPost] = []
        for part in self._named(_NOTES):
            found = self._part(files, part, read_long_posts)
            if found is None:
                continue
            notes += found[0]
            if found[1]:
                self.summary.warnings.append(f"{found[1]:,} long posts in {part} are incomplete.")
        return notes


def _count(runs: Runs) -> int:
    return sum(len(run) for run in runs)


def _part_number(name: str) -> tuple[int, str]:
    match = re.search(r"-part(\d+)\.js$", name)
    return (int(match[1]) if match else 0, name)


def _first(value: Any, key: str) -> dict[str, Any]:
    return object_of(value[0], key) if isinstance(value, list) and value else {}


def _why(skipped: dict[str, int]) -> str:
    parts = ", ".join(f"{reason} {count:,}" for reason, count in sorted(skipped.items()))
    return f"Everything in it was left out: {parts}."
