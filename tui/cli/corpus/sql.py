"""``mynah sql``: one query over the corpus and the runs."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import InputRefused, WrongUsage
from core.home import Home
from core.numbers import plural
from core.safe_text import printable, printable_json
from tui.cli.asking import may_replace
from tui.cli.long_work import stoppable
from tui.cli.options import FiniteRange, OutPath, force_option, home_option
from tui.cli.output import ProgressNote, emit, narrate, table
from tui.cli.paging import emit_table

if TYPE_CHECKING:
    from core.corpus.store import Corpus
    from core.query.refusal import QueryRefused
    from core.query.result import QueryResult
    from core.query.run import QueryOptions

FORMATS = ("table", "csv", "json", "jsonl", "parquet")
TABLE_ROWS = 1000  # on a terminal
PIPED_ROWS = 100_000  # into a pipe or a file
TABLE_CELL = 60
EXAMPLE = "For example: mynah sql 'FROM accounts'"


@click.command()
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.Path(path_type=Path, allow_dash=True),
              help="Read the query here; - is stdin.")  # fmt: skip
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="Default: table, or what the name after -o says.",
)
@click.option("-o", "--output", type=OutPath(), help="Write here, not to stdout.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--raw-cells",
    is_flag=True,
    help="CSV: do not guard cells that begin with = + - @ against spreadsheets.",
)
@click.option(
    "--explain", "explain_", is_flag=True, help="Show how it would be run; do not run it."
)
@click.option("--analyse", is_flag=True, help="Run it, and show how long each part took.")
@click.option("--write", is_flag=True,
              help="Allow one statement that changes tables. There is no undo.")  # fmt: skip
@click.option("--timeout", type=FiniteRange(min=0, min_open=True), metavar="SECONDS",
              help="Stop after so long. Default: no limit.")  # fmt: skip
@click.option("--memory", default="2GB", show_default=True,
              help="What it may hold; what is beyond goes to a file meanwhile.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 1024), help="Default: one for each core.")
@force_option
@home_option
def sql(
    query: str | None,
    file: Path | None,
    format_: str | None,
    output: Path | None,
    as_json: bool,
    raw_cells: bool,
    explain_: bool,
    analyse: bool,
    write: bool,
    timeout: float | None,
    memory: str,
    threads: int | None,
    force: bool,
    home: Home,
) -> None:
    """Run one query over the corpus and the runs.

    Tables: accounts, tweets, excluded_tweets. Views: curated, account_stats, runs, metrics,
    samples, run_tweets.

    Nothing can be changed, and no file, network or extension be reached. With --write, one INSERT,
    UPDATE, DELETE, MERGE, CREATE, DROP or ALTER works on the tables of the corpus, whole or not at
    all; all else stays out of reach, and mynah's own tables keep their columns.
    """
    if (query is None) == (file is None):
        raise WrongUsage("Give either a QUERY or -f FILE.", "", EXAMPLE)
    if as_json and format_ not in (None, "json"):
        raise WrongUsage(f"--json and --format {format_} do not go together.")
    if (explain_ or analyse) and (write or as_json or format_ or output):
        raise WrongUsage("A plan is text.", "--explain and --analyse take no format and no -o.")
    kind = _kind(output, "json" if as_json else format_)
    text = query or "" if file is None else _read(file)
    if output is not None:
        may_replace([output], force=force)

    from core.corpus.store import Corpus
    from core.query.refusal import QueryRefused
    from core.query.run import QueryOptions

    stop = threading.Event()
    note = ProgressNote()
    options = QueryOptions(
        memory=memory,
        threads=threads,
        seconds=timeout,
        cancelled=stop.is_set,
        fetched=lambda rows: note(f"{plural(rows, 'row')} so far"),
    )
    work = _Work(Corpus(home.corpus), home, text, options, raw_cells)
    try:
        if explain_ or analyse:
            emit(printable(stoppable(lambda: work.plan(analyse), stop.set), keep_newlines=True))
        elif not (write and stoppable(work.change, stop.set)):
            result = stoppable(lambda: work.run(kind, output, note), stop.set)
            if result is not None:  # not in a thread: a pager has the keys meanwhile
                note.done()
                # a table that was asked for by name is the same on a terminal and in a pipe
                _show(result, _most_rows(), fitted=format_ is None)
    except QueryRefused as error:
        note.done()
        _point_at(error)
        raise
    finally:
        note.done()


class _Work:
    """What is done with one query, in a thread that can be stopped."""

    def __init__(
        self, corpus: Corpus, home: Home, sql: str, options: QueryOptions, raw_cells: bool
    ) -> None:
        self._corpus, self._home, self._sql = corpus, home, sql
        self._options, self._safe = options, not raw_cells

    def plan(self, analyse: bool) -> str:
        from core.query.plan import explain

        return explain(self._corpus, self._home, self._sql, analyse=analyse, options=self._options)

    def change(self) -> bool:
        """True when it was a change; False when it is a query, which is still to be run."""
        from core.query.changing import change

        done = change(self._corpus, self._home, self._sql, options=self._options)
        if done is None:
            return False
        narrate(f"{done} in {done.seconds:.2f} s")
        return True

    def run(self, kind: str, output: Path | None, note: ProgressNote) -> QueryResult | None:
        """A result for a table; any other is written or printed here."""
        from core.query.recipes import lacking_verdicts
        from core.query.run import run_query, save_query

        if lacking := lacking_verdicts(self._home, self._sql):
            narrate(lacking)
        where = self._corpus, self._home, self._sql
        if output is not None:
            rows = save_query(
                *where, kind, output, spreadsheet_safe=self._safe, options=self._options
            )
            note.done()
            narrate(f"{plural(rows, 'row')} in {output}")
            return None
        limit = _most_rows() if kind == "table" else None
        result = run_query(*where, limit=limit, options=self._options)
        if kind == "table":
            return result
        note.done()
        _print(result, kind, self._safe)
        return None


def _most_rows() -> int:
    """Of a table."""
    return TABLE_ROWS if sys.stdout.isatty() else PIPED_ROWS


def _kind(output: Path | None, given: str | None) -> str:
    """The output format; raises WrongUsage when it is unknown or does not suit the output."""
    if given == "parquet" and output is None:
        raise WrongUsage("Parquet is not text.", "", "Name a file: -o result.parquet")
    if output is None:
        return given or "table"
    if given == "table":
        raise WrongUsage(
            "A table is for reading, not for a file.",
            "",
            "Add --format csv, json, jsonl or parquet.",
        )
    from core.query.result_files import format_of

    return given or format_of(output)


def _read(file: Path) -> str:
    from core.query.statements import LONGEST, too_long

    most = 4 * LONGEST  # bytes: no character has more than four
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with file.open("rb") as stream:
                data = stream.read(most + 1)
        text = data.decode("utf-8-sig") if len(data) <= most else ""
    except OSError as error:
        raise InputRefused(f"{file} cannot be read.", f"{error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise InputRefused(f"{file} is not a query.", "It is not UTF-8 text.") from None
    if len(data) > most or len(text) > LONGEST:
        raise too_long()
    return text


def _point_at(error: QueryRefused) -> None:
    """The line with the mistake, and a caret under it."""
    span = error.span
    if span is None:
        return
    from rich.cells import cell_len

    before = printable(span.text[: span.column - 1])
    cut = max(0, len(before) - TABLE_CELL)  # of a very long line, what stands before the mistake
    before = ("…" if cut else "") + before[cut:]
    wrong = printable(span.text[span.column - 1 : span.column - 1 + span.length])[:TABLE_CELL]
    behind = printable(span.text[span.column - 1 + span.length :])[:TABLE_CELL]
    number = f"{span.line:>4} │ "
    narrate(f"{number}{before}{wrong}{behind}".rstrip())
    carets = "^" * max(1, cell_len(wrong))
    narrate(f"     │ {' ' * cell_len(before)}{carets}")


def _show(result: QueryResult, most: int, *, fitted: bool) -> None:
    """A table for reading: long cells end in …, unless there is only one column."""
    layout = result.layout()
    names = [name for name, _, _ in layout]
    right = [index for index, (_, _, is_number) in enumerate(layout) if is_number]
    rows = (result.cells(index) for index in range(len(result)))
    widest = TABLE_CELL if len(names) > 1 else None
    if fitted:
        emit_table(names, rows, right=right, widest=widest, whole=True)
    else:
        emit(table(names, rows, right=right, widest=widest, fitted=False))
    if result.truncated:
        narrate(
            f"The first {most:,} rows; there are more. --format csv prints all, "
            "-o FILE.csv or .parquet writes all."
        )


def _print(result: QueryResult, kind: str, safe: bool) -> None:
    from core.query.result_files import write_result

    if kind == "json":
        emit(printable_json(result.records(), indent=1))
    elif kind == "jsonl":
        if len(result):
            emit("\n".join(printable_json(row, indent=None) for row in result.records()))
    else:
        text = write_result(result, kind, None, spreadsheet_safe=safe) or ""
        emit(text.removesuffix("\n"))
