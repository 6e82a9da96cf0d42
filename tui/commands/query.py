"""sql."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import InputRefused, WrongUsage
from core.home import Home
from core.plain import plain_json
from tui.commands.output import emit, home_option, narrate, table
from tui.commands.patience import stoppable
from tui.words import plural

if TYPE_CHECKING:
    from core.corpus import QueryResult

FORMATS = ("table", "csv", "json", "jsonl", "parquet")
TABLE_ROWS = 1000
TABLE_CELL = 60
EXAMPLE = "For example: mynah sql 'FROM accounts'"
# what a file's name says about the format that is wanted
BY_SUFFIX = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


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
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here, not to stdout.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@home_option
def sql(
    query: str | None,
    file: Path | None,
    format_: str | None,
    output: Path | None,
    as_json: bool,
    home: Home,
) -> None:
    """Run one read-only query over the corpus and the runs.

    Tables: accounts, tweets. Views: curated, account_stats, runs, metrics, samples.
    """
    if (query is None) == (file is None):
        raise WrongUsage("Give either a QUERY or -f FILE.", "", EXAMPLE)
    if as_json and format_ not in (None, "json"):
        raise WrongUsage(f"--json and --format {format_} do not go together.")
    kind = "json" if as_json else format_ or _format_of(output)
    if kind == "parquet" and output is None:
        raise WrongUsage("Parquet is not text.", "", "Name a file: -o result.parquet")
    if kind == "table" and output is not None:
        raise WrongUsage(
            f"What format {output} should have cannot be told from its name.",
            "",
            "Add --format csv, json, jsonl or parquet.",
        )
    result = _run(home, query if file is None else _read(file))
    if output is not None:
        from core.corpus import write_result

        write_result(result, kind, output)
        narrate(f"{plural(len(result), 'row')} in {output}")
    elif kind == "table":
        _show(result)
    else:
        _print(result, kind)


def _format_of(output: Path | None) -> str:
    return "table" if output is None else BY_SUFFIX.get(output.suffix.lower(), "table")


def _read(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InputRefused(f"{file} cannot be read.", f"{error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise InputRefused(f"{file} is not a query.", "It is not UTF-8 text.") from None


def _run(home: Home, query: str | None) -> QueryResult:
    from core.corpus import Corpus, run_query

    stop = threading.Event()

    def work() -> QueryResult:
        return run_query(Corpus(home.corpus), home, query or "", cancelled=stop.is_set)

    return stoppable(work, stop.set)


def _show(result: QueryResult) -> None:
    """A table for reading: long cells end in …, unless there is only one column."""
    layout = result.layout()
    names = [name for name, _, _ in layout]
    right = [index for index, (_, _, is_number) in enumerate(layout) if is_number]
    rows = (result.cells(index) for index in range(min(len(result), TABLE_ROWS)))
    emit(table(names, rows, right=right, widest=TABLE_CELL if len(names) > 1 else None))
    if len(result) > TABLE_ROWS:
        narrate(f"first {TABLE_ROWS:,} of {plural(len(result), 'row')}; --format csv gives all")


def _print(result: QueryResult, kind: str) -> None:
    from core.corpus import write_result

    if kind == "json":
        emit(plain_json(result.records(), indent=1))
    elif kind == "jsonl":
        if len(result):
            emit("\n".join(plain_json(row, indent=None) for row in result.records()))
    else:
        emit((write_result(result, kind, None) or "").removesuffix("\n"))
