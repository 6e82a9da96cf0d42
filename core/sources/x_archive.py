"""The archive that X gives its users: since late 2022, and in the same shape 2019-2022."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.handles import normal_handle
from core.sources.archive_files import Files, Unsafe, find_data_folder, is_tweet_part, open_files
from core.sources.decoding import decode, decode_sound
from core.sources.source import Account, Detected, HandleMissing, SourceSummary, Tick
from core.sources.times import parse_times, snowflake_times
from core.sources.x_notes import Note, join_notes, read_notes
from core.sources.x_script import Flaw, read_list, read_object
from core.sources.x_tweet import ROW_COLUMNS, earlier_versions, row_of, text_of
from core.tweet import canonical

_ROWS: Final = 20_000
_NOTES = re.compile(r"note-tweet(-part\d+)?\.js")
# Posts in communities: the person's own, and anybody on X can read them.
_COMMUNITY = re.compile(r"community-tweet(-part\d+)?\.js")
# what `include` calls it → the names of its files
_LEFT_OUT: Final = {
    "deleted": re.compile(r"deleted-tweets?(-part\d+)?\.js"),
    "circle": re.compile(r"twitter-circle-tweet(-part\d+)?\.js"),
}
_INT_COLUMNS: Final = {"favourites": pl.Int64(), "reposts": pl.Int64(), "sensitive": pl.Boolean()}


class XArchive:
    """An X archive, as a zip or a folder. Likes, direct messages and e-mail are never read."""

    def __init__(self, found: Detected, handle: str | None, include: frozenset[str]) -> None:
        self.summary = SourceSummary(found.path, "x-archive")
        self._root = found.root
        self._include = include
        self._refused: list[InputRefused] = []  # what is broken, for when nothing is sound
        with open_files(self._root) as files:
            if files.damage:
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
                seen = reader.read(self._list(files, part), part, "public")
                expected = self._expected.get(part)
                if expected is not None and seen != expected:
                    summary.warnings.append(
                        f"{part} holds {seen:,} tweets; the archive's own list says {expected:,}."
                    )
            for part in self._named(_COMMUNITY):
                reader.read(self._list(files, part), part, "community")
            for audience, names in _LEFT_OUT.items():
                for part in self._named(names):
                    if audience in self._include:
                        reader.read(self._list(files, part), part, audience)
                    else:
                        left_out = sum(1 for _ in self._list(files, part))
                        summary.skip(handle, audience, left_out)
        frames = reader.frames()
        frames, joined = join_notes(frames, notes)
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

    def _list(self, files: Files, part: str) -> Iterator[Any]:
        """The sound elements of a part; what is not goes into the summary."""
        summary = self.summary
        where = f"{self._names[part]} in {summary.path}"

        def tell(flaw: Flaw) -> None:
            if flaw.reason:
                summary.skip_line(self._account.handle, flaw.reason, flaw.line, flaw.detail, part)
            elif not any(warning.startswith(f"{part}, ") for warning in summary.warnings):
                said = f"{part}, line {flaw.line:,}: {flaw.problem}; no tweet is lost by that."
                summary.warnings.append(said)
            if not self._refused:
                self._refused.append(flaw.refusal(where))

        try:
            text, wrong = decode_sound(files.read(self._names[part]), where)
            if wrong is not None:
                self._refused.append(wrong)
            yield from read_list(text, where, tell, undecoded=wrong is not None)
        except Unsafe:
            raise
        except InputRefused as refused:
            self._refused.append(refused)
            why = f"{refused.what} {refused.why}".replace(where, "it").strip()
            why = why.replace(str(self.summary.path), "the archive").rstrip(".")
            summary.skip_line(self._account.handle, "unreadable_part", 0, why, part)

    def _object(self, files: Files, part: str) -> Any:
        where = f"{self._names[part]} in {self.summary.path}"
        return read_object(decode(files.read(self._names[part]), where), where)

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
        description = _dict(_first(self._optional(files, "profile.js"), "profile"), "description")
        user = _dict(manifest, "userInfo")
        username = text_of(account.get("username")) or text_of(user.get("userName"))
        if not given and not username:
            raise HandleMissing(
                f"{self.summary.path} does not say whose tweets it holds.",
                "There is no account.js or manifest.js that could be read.",
                "Name the account with --handle.",
            )
        created = text_of(account.get("createdAt"))
        when = parse_times(pl.Series([created], dtype=pl.String))[0]
        return Account(
            handle=given or normal_handle(username or ""),
            name=text_of(account.get("accountDisplayName")) or text_of(user.get("displayName")),
            account_id=text_of(account.get("accountId")) or text_of(user.get("accountId")),
            bio=text_of(description.get("bio")),
            created=when if isinstance(when, datetime) else None,
        )

    def _tweet_parts(self, manifest: dict[str, Any]) -> tuple[list[str], dict[str, int]]:
        """The lists of tweets: those the manifest names and any other that lies there."""
        here = {name for name in self._names if is_tweet_part(name)}
        expected: dict[str, int] = {}
        types = _dict(manifest, "dataTypes")
        for type_name in ("tweets", "tweet"):
            listed = _dict(types, type_name).get("files")
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
        if not here:
            raise InputRefused(
                f"No tweets were found in {self.summary.path}.",
                "There is no data/tweets.js in it.",
                "In X's settings, ask for the archive again with your posts included.",
            )
        return sorted(here, key=_part_number), expected

    def _notes(self, files: Files) -> list[Note]:
        notes: list[Note] = []
        for part in self._named(_NOTES):
            found, unusable = read_notes(self._list(files, part))
            notes += found
            if unusable:
                self.summary.warnings.append(f"{unusable:,} long posts in {part} are incomplete.")
        return notes


class TweetReader:
    """Collects rows into frames, counts what is passed over, and remembers edit histories."""

    def __init__(
        self, summary: SourceSummary, handle: str, tick: Tick | None, expected: int | None
    ) -> None:
        self._summary = summary
        self._handle = handle
        self._tick = tick
        self._expected = expected
        self._read = 0
        self._rows: list[tuple[object, ...]] = []
        self._frames: list[pl.DataFrame] = []
        self._later: dict[str, set[str]] = {}  # id → ids of later versions of that tweet

    def read(self, items: Iterator[Any], part: str, audience: str) -> int:
        """Take in one list; returns how many entries it has."""
        seen = 0
        for item in items:
            seen += 1
            self._read += 1
            if self._tick and self._read % 2_000 == 0:
                self._tick(self._read, self._expected)
            tweet = item.get("tweet", item) if isinstance(item, dict) else None
            if not isinstance(tweet, dict):
                self._pass_over("not_a_tweet", seen, part)
                continue
            row, reason = row_of(tweet, audience=audience, source_file=part)
            if row is None:
                self._pass_over(reason, seen, part)
                continue
            if "edit_info" in tweet:
                earlier, last = earlier_versions(tweet)
                for tweet_id in earlier:
                    self._later.setdefault(tweet_id, set()).add(last)
            self._rows.append(row)
            if len(self._rows) >= _ROWS:
                self._flush()
        return seen

    def _pass_over(self, reason: str, entry: int, part: str) -> None:
        self._summary.skip(self._handle, reason)
        self._summary.passed_over(reason, 0, f"entry {entry:,}", part)

    def frames(self) -> list[pl.DataFrame]:
        """All rows as canonical frames, without earlier versions of edited tweets."""
        self._flush()
        superseded: list[str] = []
        if self._later:
            here = {tweet_id for frame in self._frames for tweet_id in frame["tweet_id"]}
            superseded = [tweet_id for tweet_id, later in self._later.items() if later & here]
        kept: list[pl.DataFrame] = []
        for frame in self._frames:
            rest = frame.filter(~pl.col("tweet_id").is_in(superseded))
            self._summary.skip(self._handle, "superseded_edit", frame.height - rest.height)
            kept.append(rest)
        self._frames = []
        return kept

    def _flush(self) -> None:
        if not self._rows:
            return
        schema = {name: _INT_COLUMNS.get(name, pl.String()) for name in ROW_COLUMNS}
        raw = pl.DataFrame(self._rows, schema=schema, orient="row")
        self._rows = []
        times = parse_times(raw["written_at"])
        if times.null_count():
            times = pl.select(pl.coalesce(times, snowflake_times(raw["tweet_id"]))).to_series()
        frame = raw.with_columns(
            created_at=times,
            handle=pl.lit(self._handle),
            text_escaped=pl.lit(True),
            note_id=pl.lit(None, dtype=pl.String),
            source=pl.lit(self._summary.format),
        )
        self._frames.append(canonical(frame))


def _part_number(name: str) -> tuple[int, str]:
    match = re.search(r"-part(\d+)\.js$", name)
    return (int(match[1]) if match else 0, name)


def _dict(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _first(value: Any, key: str) -> dict[str, Any]:
    return _dict(value[0], key) if isinstance(value, list) and value else {}


def _why(skipped: dict[str, int]) -> str:
    parts = ", ".join(f"{reason} {count:,}" for reason, count in sorted(skipped.items()))
    return f"Everything in it was left out: {parts}."
