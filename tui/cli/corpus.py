"""import, accounts, stats."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import Interrupted, WrongUsage
from core.handles import normal_handle, normal_handles
from core.home import Home
from tui.cli.output import ProgressNote, emit, emit_json, home_option, json_option, narrate, table
from tui.cli.patience import stoppable
from tui.cli.standard_input import as_named, from_stdin

if TYPE_CHECKING:
    from core.corpus.importing import ImportProgress, ImportResult
    from core.curation.stats import AccountStats

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
@click.option("--include", metavar="deleted,circle,forgotten", help="Left out unless named here.")
@json_option
@home_option
def import_(
    paths: tuple[Path, ...],
    format_: str | None,
    handle: str | None,
    mapping: str | None,
    encoding: str | None,
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

        read_encoding(encoding)  # a wrong name is said before anything is read
    results: list[ImportResult] = []
    try:
        with from_stdin(paths) as files:
            _import_each(home, files, format_, of, wanted, columns, encoding, results)
    finally:
        _show_imported([as_named(result) for result in results], as_json)


def _import_each(
    home: Home,
    paths: tuple[Path, ...],
    format_: str | None,
    handle: str | None,
    include: frozenset[str],
    columns: dict[str, str] | None,
    encoding: str | None,
    results: list[ImportResult],
) -> None:
    """Adds to ``results`` what became of each path, until all are in or one is refused."""
    from core.workflow import import_paths

    stop = threading.Event()
    note = ProgressNote()

    def progress(moved: ImportProgress) -> None:
        of = f" of {moved.total:,}" if moved.total else ""
        note(
            f"{moved.phase} {moved.path.name}: {moved.read:,}{of} · "
            f"{moved.rate:,.0f} a second · ctrl+c stops"
        )

    def work() -> None:
        for path in paths:
            if stop.is_set():
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
                    progress=progress,
                    cancelled=stop.is_set,
                )
            )

    try:
        stoppable(work, stop.set)
    finally:
        note.done()


def _show_imported(results: list[ImportResult], as_json: bool) -> None:
    for result in results:
        for warning in result.warnings:
            narrate(f"▲ {result.path}: {warning}")
        for place in result.broken[:SHOWN]:
            narrate(f"  {result.path}: {place}")
        if len(result.broken) > SHOWN:
            broken = {place.reason for place in result.broken}
            of_file = [r for r in results if r.path == result.path]
            more = sum(r.skipped.get(reason, 0) for r in of_file for reason in broken) - SHOWN
            narrate(f"  {more:,} more; --json lists up to a thousand")
    if as_json:
        emit_json([result.to_json() for result in results])
    elif results:
        rows = [
            [f"@{r.handle}", r.format, r.read, r.new, r.updated, r.duplicates,
             ", ".join(f"{count:,} {reason}" for reason, count in sorted(r.skipped.items())) or "-",
             r.notes_joined, Path(r.path).name]
            for r in results
        ]  # fmt: skip
        columns = ["account", "format", "read", "new", "updated", "known", "left out",
                   "long posts", "file"]  # fmt: skip
        emit(table(columns, rows, right=(2, 3, 4, 5, 7)))


@click.command()
@json_option
@home_option
def accounts(as_json: bool, home: Home) -> None:
    """Who is in the corpus, and how much of each."""
    from core.corpus.reading import accounts as read_accounts
    from core.corpus.store import Corpus

    found = read_accounts(Corpus(home.corpus))
    if as_json:
        emit_json([account.to_json() for account in found])
    elif not found:
        narrate("No tweets yet. `mynah import PATH` brings some in, `mynah demo` brings samples.")
    else:
        rows = [
            [f"@{a.handle}", a.name, a.tweets, a.first and f"{a.first:%Y-%m-%d}",
             a.last and f"{a.last:%Y-%m-%d}", ", ".join(a.sources)]
            for a in found
        ]  # fmt: skip
        emit(table(["account", "name", "tweets", "first", "last", "from"], rows, right=(2,)))


@click.command()
@click.argument("handles", metavar="[HANDLE]...", nargs=-1)
@click.option("--recipe", default="standard", show_default=True, help="A recipe's name or file.")
@json_option
@home_option
def stats(handles: tuple[str, ...], recipe: str, as_json: bool, home: Home) -> None:
    """How many tweets of each account a recipe keeps, and why not the others.

    Without a handle: of everybody. downloaded = retweets + short + the other reasons + kept.
    """
    from core.curation.stats import total_stats
    from core.runs.advise import advise, in_words
    from core.workflow import stats as count_stats

    note = ProgressNote()
    stop = threading.Event()

    def progress(what: str, done: int, total: int) -> None:
        note(f"{what}: {done:,} of {total:,} tweets · ctrl+c stops")

    def work() -> list[AccountStats]:
        of = normal_handles(list(handles))
        return count_stats(home, of, recipe, progress=progress, cancelled=stop.is_set)

    try:
        found = stoppable(work, stop.set)
    finally:
        note.done()
    if as_json:
        emit_json([one.to_json() for one in found])
        return
    reasons = sorted({reason for one in found for reason in one.dropped})
    names = ["downloaded", "retweets", "short", *reasons, "kept", "characters", "tokens"]
    lines = [(f"@{one.handle}", one) for one in found]
    if len(found) > 1:
        lines.append(("all", total_stats(found)))
    rows = [
        [name, one.downloaded, one.retweets, one.short,
         *(one.dropped.get(reason, 0) for reason in reasons), one.kept, one.kept_chars,
         f"about {one.tokens:,}" if one.tokens_about else one.tokens]
        for name, one in lines
    ]  # fmt: skip
    header = ["account", *(name.replace("_", " ") for name in names)]
    emit(table(header, rows, right=range(1, len(header))))
    for one in found:
        for warning in one.warnings:
            narrate(f"▲ @{one.handle}: {warning}")
    total = total_stats(found)
    if total.kept:
        narrate(in_words(advise(home, kept=total.kept, tokens=total.tokens)))
