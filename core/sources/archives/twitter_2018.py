"""The archive that Twitter gave until 2018 (Grailbird): a script of tweets for each month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl
from msgspec.json import Decoder

from core.errors import InputRefused
from core.sources.archives.archive_files import Files, FolderFiles, Unsafe
from core.sources.archives.x_tweets import archive_account
from core.sources.columns import Canonical
from core.sources.json_formats import V1, Gathering, TweetV1
from core.sources.json_objects import object_of, text_of
from core.sources.json_reader import script_lists, script_value
from core.sources.json_window import Flaw
from core.sources.opened import folder_names, months_of, open_files
from core.sources.source import Account, Detected, SourceSummary, Tick

_ROWS: Final = 20_000
_DECODER: Final = Decoder(list[TweetV1])
_VALUES: Final[Decoder[list[Any]]] = Decoder(list[Any])


class Twitter2018:
    """It names the tweet that was retweeted, so a hand-typed ``RT @`` is the person's own."""

    def __init__(self, found: Detected, owner: str | None) -> None:
        self.summary = SourceSummary(found.path, "grailbird")
        self._root = found.root
        with open_files(self._root) as files:
            if files.damage:
                self.summary.warnings.append(files.damage)
            names = self._names(files)
            self._months = months_of(names)
            details = next((n for n in names if n.endswith("data/js/user_details.js")), None)
            user = self._object(files, details) if details else {}
            if not text_of(user.get("screen_name")) and self._months:
                newest = self._runs(files, self._months[-1], _VALUES, quiet=True)
                user = object_of(next((run[0] for run in newest if run), {}), "user")
        self._account = archive_account(
            str(found.path),
            owner,
            text_of(user.get("screen_name")),
            name=text_of(user.get("full_name")) or user.get("name"),
            account_id=text_of(user.get("id_str")) or user.get("id"),
            bio=user.get("bio"),
            created=user.get("created_at"),
            missing="There is no data/js/user_details.js in it.",
        )
        self.summary.handle = self._account.handle
        self.summary.account = self._account

    @property
    def accounts(self) -> list[Account]:
        return [self._account]

    def outline(self) -> list[str]:
        """Whose it is, and how many months."""
        return [
            f"Twitter archive (until 2018) of @{self._account.handle}",
            f"{len(self._months):,} months",
        ]

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames, month by month; what is broken is counted and left out."""
        handle = self._account.handle
        canonical = Canonical(self.summary, owner=handle, escaped=None, generate_ids=False)
        read, empty = 0, True
        gathering = Gathering(V1)
        with open_files(self._root) as files:
            for month in self._months:
                for run in self._runs(files, month, _DECODER):
                    read += len(run)
                    for _, reason in gathering.take(run, [0] * len(run))[1]:
                        self.summary.skip(handle, reason)
                if tick:
                    tick(read, None)
                for frame in canonical.frame(gathering.frame()).iter_slices(_ROWS):
                    empty = False
                    self.summary.saw(frame)
                    yield frame
        if empty:
            first_broken = "; ".join(map(str, self.summary.broken[:1]))
            raise InputRefused(f"There are no tweets in {self.summary.path}.", first_broken)
        self.summary.warn_of_broken()

    def _names(self, files: Files) -> list[str]:
        return folder_names(self._root) if isinstance(files, FolderFiles) else files.names()

    def _runs(
        self, files: Files, name: str, decoder: Decoder[list[Any]], *, quiet: bool = False
    ) -> Iterator[list[Any]]:
        """The sound elements of a month; what is not goes into the summary unless ``quiet``."""
        summary, part = self.summary, name.rpartition("/")[2]
        where = f"{name} in {summary.path}"

        def report(reason: str, line: int, detail: str) -> None:
            if reason and not quiet:
                summary.skip_line(self._account.handle, reason, line, detail, part)

        def on_flaw(flaw: Flaw) -> None:
            report(flaw.reason, flaw.line, flaw.detail)

        try:
            yield from script_lists(files.blocks(name), where, decoder, on_flaw)
        except Unsafe:
            raise
        except InputRefused as refused:
            why = f"{refused.what} {refused.why}".replace(where, "it").strip()
            report("unreadable_part", 0, why.replace(str(summary.path), "the archive").rstrip("."))

    def _object(self, files: Files, name: str) -> dict[str, Any]:
        """A JSON object; a file that cannot be read becomes a warning and an empty one."""
        where = f"{name} in {self.summary.path}"
        try:
            value = script_value(files.read(name), where)
        except InputRefused as refused:
            self.summary.warnings.append(str(refused))
            return {}
        return value if isinstance(value, dict) else {}
