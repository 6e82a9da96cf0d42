"""The archive that Twitter gave until 2018 (Grailbird): a script of tweets for each month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.handles import normal_handle
from core.sources.archive_files import Files, FolderFiles, Unsafe, open_files
from core.sources.bundles import folder_names, months_of
from core.sources.columns import GUESSES, Canonical
from core.sources.decoding import decode, decode_sound
from core.sources.json_rows import v1_rows
from core.sources.source import Account, Detected, HandleMissing, SourceSummary, Tick
from core.sources.times import parse_times
from core.sources.x_archive import _dict
from core.sources.x_script import Flaw, read_list, read_object
from core.sources.x_tweet import text_of

_COLUMNS: Final = (*GUESSES, "urls")
_ROWS: Final = 20_000


class Grailbird:
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
                newest = self._list(files, self._months[-1], told=False)
                first: dict[str, Any] = next(newest, {})
                user = _dict(first, "user")
        name = text_of(user.get("screen_name"))
        if not owner and not name:
            raise HandleMissing(
                f"{found.path} does not say whose tweets it holds.",
                "There is no data/js/user_details.js in it.",
                "Name the account with --handle.",
            )
        written = pl.Series([text_of(user.get("created_at"))], dtype=pl.String)
        created = parse_times(written)[0]
        self._account = Account(
            handle=owner or normal_handle(name or ""),
            name=text_of(user.get("full_name")) or text_of(user.get("name")),
            account_id=text_of(user.get("id_str")) or text_of(user.get("id")),
            bio=text_of(user.get("bio")),
            created=created if isinstance(created, datetime) else None,
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
        """Canonical frames, month by month; what is broken is told and left out."""
        handle = self._account.handle
        canonical = Canonical(self.summary, owner=handle, escaped=None, generate_ids=False)
        schema = dict.fromkeys(_COLUMNS, pl.String())
        read, empty = 0, True
        with open_files(self._root) as files:
            for month in self._months:
                rows: list[tuple[str | None, ...]] = []
                for item in self._list(files, month):
                    for row in v1_rows(item):
                        read += 1
                        if isinstance(row, str):
                            self.summary.skip(handle, row)
                        else:
                            rows.append(tuple(row.get(role) for role in _COLUMNS))
                if tick:
                    tick(read, None)
                whole = canonical.frame(pl.DataFrame(rows, schema=schema, orient="row"))
                for frame in whole.iter_slices(_ROWS):
                    empty = False
                    self.summary.saw(frame)
                    yield frame
        if empty:
            said = "; ".join(map(str, self.summary.broken[:1]))
            raise InputRefused(f"There are no tweets in {self.summary.path}.", said)
        self.summary.warn_of_broken()

    def _names(self, files: Files) -> list[str]:
        return folder_names(self._root) if isinstance(files, FolderFiles) else files.names()

    def _list(self, files: Files, name: str, *, told: bool = True) -> Iterator[Any]:
        """The sound elements of a month; what is not goes into the summary when ``told``."""
        summary, part = self.summary, name.rpartition("/")[2]
        where = f"{name} in {summary.path}"

        def left_out(reason: str, line: int, detail: str) -> None:
            if told and reason:
                summary.skip_line(self._account.handle, reason, line, detail, part)

        def tell(flaw: Flaw) -> None:
            left_out(flaw.reason, flaw.line, flaw.detail)

        try:
            text, wrong = decode_sound(files.read(name), where)
            yield from read_list(text, where, tell, undecoded=wrong is not None)
        except Unsafe:
            raise
        except InputRefused as refused:
            why = f"{refused.what} {refused.why}".replace(where, "it").strip()
            why = why.replace(str(summary.path), "the archive").rstrip(".")
            left_out("unreadable_part", 0, why)

    def _object(self, files: Files, name: str) -> dict[str, Any]:
        """Whose it is can be told by other means: trouble with it becomes a warning."""
        where = f"{name} in {self.summary.path}"
        try:
            value = read_object(decode(files.read(name), where), where)
        except InputRefused as refused:
            self.summary.warnings.append(str(refused))
            return {}
        return value if isinstance(value, dict) else {}
