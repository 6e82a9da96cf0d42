"""The preview in Add tweets: what a typed path or account holds, read in the background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import Interrupted, MynahError
from core.files import is_there
from core.home import Home
from core.sources.source import DatesUnclear, TextMissing
from tui.actions import shown_key
from tui.job import Attempt, Host, Job, Report
from tui.text.paths import paths_in
from tui.text.previews import (
    Line,
    error_lines,
    is_account,
    lines_of,
    lines_of_fetch,
    notes_of,
    rows_of,
    short_line_of,
)

if TYPE_CHECKING:
    from core.fetching.estimate import FetchEstimate
    from core.sources.preview import Preview, TableColumn

# Role → column by file, for files of which somebody said so.
Mappings = Mapping[Path, Mapping[str, str]]
COLUMNS_KEY: Final = "ctrl+t"


@dataclass
class Previewed(Report):
    """What ``text`` stands for: files (``ready``), an account (``estimate``), or neither yet.

    ``named`` asks for a handle: "must" where nothing names one, "may" where only a number does.
    ``undated`` asks how dates are written. ``refused``: ``lines`` say what is in the way.
    ``so_far``: the look goes on, and may come to another end. ``tables`` has the columns of each
    file that has columns to name; ``textless`` are those of them where none is known for the text.
    """

    text: str
    lines: list[Line]
    preview: list[str] = field(default_factory=list)
    notes: list[Line] = field(default_factory=list)
    ready: bool = False
    named: str = ""
    guessed: bool = False
    undated: bool = False
    refused: bool = False
    so_far: bool = False
    estimate: FetchEstimate | None = None
    tables: dict[Path, list[TableColumn]] = field(default_factory=dict)
    textless: list[Path] = field(default_factory=list)


@dataclass
class PathsFound(Report):
    """The files that ``text`` stands for, patterns and folders of tables too; none where one of
    them is not there."""

    text: str
    paths: list[Path]


class PreviewJob(Job):
    """Reports PathsFound, then Previewed, again and again while files are counted.

    The newest start wins.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(host, "previewing what to add", newest_wins=True)

    def run(
        self, text: str, encoding: str | None, date_format: str | None, mappings: Mappings
    ) -> None:
        """Preview the paths or the account in ``text``; nothing is written, asked of X or paid."""
        home = self._host.state.home

        def work(attempt: Attempt) -> Report | None:
            if is_account(text):
                return _account(text, home)
            from core.workflow.several import files_at

            paths = [file for path in paths_in(text) for file in files_at(path)]
            missing = [path for path in paths if not is_there(path)]
            attempt.report(PathsFound(text, [] if missing else paths))
            if not paths:
                return Previewed(text, [])
            if missing:
                which = f": {missing[0].name}" if len(paths) > 1 else ""
                return Previewed(text, [(f"There is nothing at that path yet{which}.", "dim")])
            if len(paths) == 1:
                path = paths[0]
                mapping = mappings.get(path, {})
                return _file(attempt, text, path, encoding, date_format, mapping)
            return _files(attempt, text, paths, mappings)

        self.start(work)


def _file(
    attempt: Attempt,
    text: str,
    path: Path,
    encoding: str | None,
    date_format: str | None,
    mapping: Mapping[str, str],
) -> Report | None:
    """What one file holds, and its first tweets as they will be stored, while it is read."""
    from core.sources.preview import preview

    tables: dict[Path, list[TableColumn]] = {}

    def show(seen: Preview) -> None:
        if seen.table and not tables:
            tables.update(_columns(path, encoding))
        attempt.report(
            Previewed(
                text,
                lines_of(seen),
                rows_of(seen),
                notes_of(seen),
                ready=True,
                named="must" if seen.needs_handle else "may" if seen.number else "",
                guessed=seen.guessed or encoding is not None,
                undated=seen.dates_unread > 0 or date_format is not None,
                so_far=not seen.counted,
                tables=tables,
            )
        )

    try:
        preview(
            path,
            encoding=encoding,
            date_format=date_format,
            columns=mapping,
            show=show,
            cancelled=attempt.cancelled,
        )
    except Interrupted:
        raise
    except MynahError as error:
        lines = error_lines(error)
        undated = isinstance(error, DatesUnclear) or date_format is not None
        if isinstance(error, DatesUnclear):
            lines = [(error.what, "bold"), (f"{error.why} Type it above.", "")]
        if not tables and (mapping or isinstance(error, TextMissing)):
            tables = _columns(path, encoding)
        textless = [path] if isinstance(error, TextMissing) and tables else []
        if isinstance(error, TextMissing):
            lines = _without_text(error, bool(tables))
        return Previewed(
            text,
            lines,
            guessed=encoding is not None,
            undated=undated,
            refused=True,
            tables=tables,
            textless=textless,
        )
    return None


def _without_text(error: TextMissing, can_choose: bool) -> list[Line]:
    """In place of the command line's next step, the app's, where there are columns to choose."""
    step = f" {shown_key(COLUMNS_KEY)} chooses the one with the texts." if can_choose else ""
    return [(error.what, "bold"), (f"{error.why}{step}", "")]


def _columns(path: Path, encoding: str | None = None) -> dict[Path, list[TableColumn]]:
    """The columns of a file; none where it cannot be read any more."""
    from core.sources.preview import table_columns

    try:
        return {path: table_columns(path, encoding=encoding)}
    except MynahError:
        return {}


def _files(attempt: Attempt, text: str, paths: list[Path], mappings: Mappings) -> Report:
    """A line for each of several files."""
    from core.sources.preview import preview

    lines: list[Line] = []
    ready = True
    tables: dict[Path, list[TableColumn]] = {}
    textless: list[Path] = []
    for path in paths:
        mapping = mappings.get(path, {})
        try:
            seen = preview(path, columns=mapping, cancelled=attempt.cancelled)
        except Interrupted:
            raise
        except MynahError as error:
            ready = False
            if mapping or isinstance(error, TextMissing):
                tables |= _columns(path)
            if isinstance(error, TextMissing):
                textless += [path] if path in tables else []
                lines += _without_text(error, path in tables)
            else:
                lines += error_lines(error)
        else:
            lines.append(short_line_of(seen, mapping))
            if seen.table:
                tables |= _columns(path)
            if seen.needs_handle:
                ready = False
                words = f"{path.name} does not say whose it is: add it by itself."
                if seen.table:
                    key = shown_key(COLUMNS_KEY)
                    words = f"{words[:-1]}, or choose the column that does with {key}."
                lines.append((words, "bold"))
        attempt.report(
            Previewed(text, list(lines), so_far=True, tables=dict(tables), textless=list(textless))
        )
    return Previewed(text, lines, ready=ready, tables=tables, textless=textless)


def _account(text: str, home: Home) -> Report:
    """What a fetch would cost at most."""
    from core.fetching.estimate import estimate_fetch
    from core.fetching.token import find_token

    if len(text.strip()) < 2:
        return Previewed(text, [])
    try:
        token = find_token(home)
        estimate = estimate_fetch(home, text, token=token)
    except MynahError as error:
        return Previewed(text, error_lines(error))
    lines = lines_of_fetch(estimate, "enter pays and fetches.")
    return Previewed(text, lines, estimate=estimate if token is not None else None)
