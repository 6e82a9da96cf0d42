"""The preview in Add tweets: what a typed path or account holds, read in the background."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Interrupted, MynahError
from core.files import is_there
from core.home import Home
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
    from core.sources.preview import Preview


@dataclass
class Previewed(Report):
    """What ``text`` stands for: files (``ready``), an account (``estimate``), or neither yet.

    ``named`` asks for a handle: "must" where nothing names one, "may" where only a number does.
    ``undated`` asks how dates are written. ``refused``: ``lines`` say what is in the way.
    ``so_far``: the look goes on, and may come to another end.
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

    def run(self, text: str, encoding: str | None, date_format: str | None) -> None:
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
                return _file(attempt, text, paths[0], encoding, date_format)
            return _files(attempt, text, paths)

        self.start(work)


def _file(
    attempt: Attempt, text: str, path: Path, encoding: str | None, date_format: str | None
) -> Report | None:
    """What one file holds, and its first tweets as they will be stored, while it is read."""
    from core.sources.preview import preview
    from core.sources.source import DatesUnclear

    def show(seen: Preview) -> None:
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
            )
        )

    try:
        preview(
            path,
            encoding=encoding,
            date_format=date_format,
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
        return Previewed(text, lines, guessed=encoding is not None, undated=undated, refused=True)
    return None


def _files(attempt: Attempt, text: str, paths: list[Path]) -> Report:
    """A line for each of several files."""
    from core.sources.preview import preview

    lines: list[Line] = []
    ready = True
    for path in paths:
        try:
            seen = preview(path, cancelled=attempt.cancelled)
        except Interrupted:
            raise
        except MynahError as error:
            ready = False
            lines += error_lines(error)
        else:
            lines.append(short_line_of(seen))
            if seen.needs_handle:
                ready = False
                words = f"{path.name} does not say whose it is: add it by itself."
                lines.append((words, "bold"))
        attempt.report(Previewed(text, list(lines), so_far=True))
    return Previewed(text, lines, ready=ready)


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
