"""``mynah import``: archives and files into the corpus."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import Interrupted, WrongUsage
from core.files import temporary_folder
from core.handles import normal_handle
from core.home import Home
from core.numbers import plural
from core.sources.source import reasons_in_words
from tui.cli.long_work import Stopped, with_progress
from tui.cli.options import home_option, json_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate, table
from tui.text.numbers import rate

if TYPE_CHECKING:
    from core.corpus.importing import ImportProgress, ImportResult

STDIN = "standard-input"  # the temporary file that - is copied to: readers look twice
SHOWN = 10  # broken places that are listed on a terminal
LEFT_OUT = frozenset({"deleted", "circle", "forgotten"})


@click.command("import")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--format",
    "format_",
    metavar="F",
    help="Read as this format, whatever it looks like; a wrong name lists them.",
)
@click.option("--handle", metavar="H", help="Whose tweets these are, where the file does not say.")
@click.option(
    "--map",
    "mapping",
    metavar="text=body,date=when",
    help="Which column is which, where names are not the usual ones.",
)
@click.option(
    "--encoding", metavar="NAME", help="Of a CSV or JSON file, where mynah guesses it wrong."
)
@click.option(
    "--date-format",
    metavar="F",
    help="day-first, month-first, or a form such as '%d.%m.%y %H:%M', where mynah asks for it.",
)
@click.option("--include", metavar="deleted,circle,forgotten", help="Left out unless named here.")
@json_option
@home_option
def import_(
    paths: tuple[Path, ...],
    format_: str | None,
    handle: str | None,
    mapping: str | None,
    encoding: str | None,
    date_format: str | None,
    include: str | None,
    as_json: bool,
    home: Home,
) -> None:
    """Bring archives (zip or folder) and files into the corpus, each recognised by its content.

    - reads standard input. Importing the same file again changes nothing. Each file is taken whole
    or not at all: when one is refused or ctrl+c is pressed, the files before it are in.
    """
    wanted = frozenset(part.strip().lower() for part in (include or "").split(",") if part.strip())
    if wanted - LEFT_OUT:
        raise WrongUsage(
            f"--include takes deleted, circle and forgotten, not {min(wanted - LEFT_OUT)!r}.",
            "",
            "For two: --include deleted,circle",
        )
    of = normal_handle(handle) if handle else None
    columns = None
    if mapping:
        from core.sources.columns import read_map

        columns = read_map(mapping)
    if encoding:
        from core.sources.encoding import read_encoding

        read_encoding(encoding)  # a wrong name is refused before anything is read
    if date_format:
        from core.sources.times import read_date_format

        read_date_format(date_format)
    results: list[ImportResult] = []
    try:
        with _from_stdin(paths) as files:
            _import_each(home, files, format_, of, wanted, columns, encoding, date_format, results)
    finally:
        _show_imported([_as_named(result) for result in results], as_json)


def _import_each(
    home: Home,
    paths: tuple[Path, ...],
    format_: str | None,
    handle: str | None,
    include: frozenset[str],
    columns: dict[str, str] | None,
    encoding: str | None,
    date_format: str | None,
    results: list[ImportResult],
) -> None:
    """Adds to ``results`` what became of each path, until all are in or one is refused."""
    from core.workflow.data import import_paths

    def work(note: ProgressNote, stopped: Stopped) -> None:
        def progress(moved: ImportProgress) -> None:
            of = f" of {moved.total:,}" if moved.total else ""
            note(
                f"{moved.phase} {moved.path.name}: {moved.read:,}{of} · "
                f"{rate(moved.rate)} · ctrl+c stops"
            )

        for path in paths:
            if stopped():
                raise Interrupted(f"The import stopped before {path}.", "What is in stays in.")
            results.extend(
                import_paths(
                    home,
                    [path],
                    format=format_,
                    handle=handle,
                    include=include,
                    columns=columns,
                    encoding=encoding,
                    date_format=date_format,
                    progress=progress,
                    cancelled=stopped,
                )
            )

    with_progress(work)


def _show_imported(results: list[ImportResult], as_json: bool) -> None:
    for path, of_path in groupby(results, key=lambda result: result.path):
        files = list(of_path)
        for warning in files[0].warnings:  # of the file, whatever its accounts
            narrate(f"▲ {path}: {warning}")
        if undated := sum(result.undated for result in files):
            narrate(f"▲ {path}: {plural(undated, 'tweet')} without a date")
    for result in results:
        for line in result.broken[:SHOWN]:
            narrate(f"  {result.path}: {line}")
        if len(result.broken) > SHOWN:
            broken = {line.reason for line in result.broken}
            of_file = [r for r in results if r.path == result.path]
            more = sum(r.skipped.get(reason, 0) for r in of_file for reason in broken) - SHOWN
            narrate(f"  {more:,} more; --json lists up to a thousand")
    if as_json:
        emit_json([result.to_json() for result in results])
    elif results:
        rows = [
            [f"@{r.handle}", r.format, r.read, r.new, r.updated, r.duplicates,
             reasons_in_words(r.skipped) or "-",
             r.notes_joined, Path(r.path).name]
            for r in results
        ]  # fmt: skip
        columns = ["account", "format", "read", "new", "updated", "known", "left out",
                   "long posts", "file"]  # fmt: skip
        emit(table(columns, rows, right=(2, 3, 4, 5, 7)))


@contextmanager
def _from_stdin(paths: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """The paths with a file in the place of ``-``; it is gone at the end."""
    if Path("-") not in paths:
        yield tuple(paths)
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise WrongUsage(
            "- reads standard input, and nothing is piped in.",
            "",
            "For example: zcat tweets.jsonl.gz | mynah import -",
        )
    with temporary_folder("stdin") as folder:
        file = folder / STDIN
        with file.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
        yield tuple(file if path == Path("-") else path for path in paths)


def _as_named(result: ImportResult) -> ImportResult:
    """The result under the name that the person gave."""
    return replace(result, path="-") if Path(result.path).name == STDIN else result
