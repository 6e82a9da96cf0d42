"""The section Query of the plain mode: SQL over tweets and runs, and its rows as lines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from core.errors import WrongUsage
from core.home import in_full
from tui.plain.menu import Item, browse, menu
from tui.plain.session import Session, Tell
from tui.text.numbers import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.query.result import QueryResult

_HELP: Final = (
    "A query asks in SQL over accounts, tweets, excluded_tweets, curated, account_stats, runs, "
    "metrics, samples and run_tweets. "
    "Nothing can be changed by one. It ends with a semicolon or an empty line."
)
# Rows that are fetched to be read one by one; a file has them all.
_MOST_ROWS: Final = 100_000


def query(session: Session) -> None:
    """The menu of the section."""
    menu(session.console, "Query", partial(_items, session), _HELP)


def _items(session: Session) -> list[Item]:
    return [
        Item("Type a query", partial(_type, session)),
        Item("Saved queries", partial(_saved, session)),
        Item("Queries that you ran before", partial(_history, session)),
        Item("Tables and their columns", partial(_tables, session)),
    ]


def _type(session: Session) -> None:
    console = session.console
    lines = [console.ask("Type the query. It ends with a semicolon, or with an empty line.", _HELP)]
    while not lines[-1].rstrip().endswith(";"):
        line = console.line()
        if not line:
            break
        lines.append(line)
    run(session, "\n".join(lines))


def _saved(session: Session) -> None:
    from core.query.saved import saved_queries

    found = saved_queries(session.home)

    def open_one(place: int) -> None:
        session.console.show(found[place].sql.strip())
        if session.console.yes("Run this query?"):
            run(session, found[place].sql)

    browse(
        session.console,
        found,
        lambda place: found[place].title,
        "to hear that query and run it",
        open_one,
    )


def _history(session: Session) -> None:
    from core.query.history import query_history

    found = list(dict.fromkeys(reversed(query_history(session.home))))
    if not found:
        session.console.say("You have run no query yet.")
    browse(
        session.console,
        found,
        lambda place: " ".join(found[place].split()),
        "to run that query again",
        lambda place: run(session, found[place]),
    )


def _tables(session: Session) -> None:
    from core.query.catalogue import catalogue

    tables = session.work(lambda _, __: catalogue(session.corpus, session.home)).tables

    def columns(place: int) -> None:
        table = tables[place]
        listed = ", ".join(f"{name} ({kind})" for name, kind in table.columns)
        session.console.say(f"The columns of {table.name}: {listed}.")

    browse(
        session.console,
        tables,
        lambda place: f"{tables[place].name}, {plural(len(tables[place].columns), 'column')}",
        "to hear the columns of that table",
        columns,
    )


def run(session: Session, sql: str) -> None:
    """Runs a query and reads its rows out, a page at a time."""
    from core.query.history import remember_query
    from core.query.recipes import lacking_verdicts
    from core.query.refusal import QueryRefused
    from core.query.run import QueryOptions, run_query

    remember_query(session.home, sql)

    def work(tell: Tell, stopped: Callable[[], bool]) -> QueryResult:
        options = QueryOptions(
            cancelled=stopped, fetched=lambda rows: tell(f"{plural(rows, 'row')} so far.")
        )
        return run_query(session.corpus, session.home, sql, limit=_MOST_ROWS, options=options)

    try:
        result = session.work(work)
    except QueryRefused as error:
        if error.span is not None:
            span = error.span
            wrong = span.text[span.column - 1 : span.column - 1 + span.length]
            session.console.say(
                f"Line {span.line}, character {span.column}, at {wrong or 'the end'}:"
            )
        raise
    more = "; there are more, which a file would hold" if result.truncated else ""
    names = [name for name, _, _ in result.layout()]
    session.console.say(
        f"{plural(len(result), 'row')} in {result.seconds:.2f} seconds{more}. "
        f"{plural(len(names), 'column')}: {', '.join(names)}."
    )
    if note := lacking_verdicts(session.home, sql):
        session.console.say(note)
    browse(
        session.console,
        result,
        lambda place: _row(result, names, place),
        "to hear that row in full",
        lambda place: _open(session, result, names, place),
        {
            "file": (
                "file and a path to write all rows there",
                lambda typed: _write(session, result, sql, typed),
            ),
            "save": (
                "save and a title to keep the query",
                lambda typed: _keep(session, sql, typed),
            ),
        },
        "A file ends in .csv, .json, .jsonl or .parquet.",
    )


def _row(result: QueryResult, names: list[str], place: int) -> str:
    """``handle: keeper; tweets: 987``; of one column the cell alone."""
    cells = result.cells(place)
    if len(names) == 1:
        return cells[0] or "empty"
    return "; ".join(f"{name}: {cell or 'empty'}" for name, cell in zip(names, cells, strict=True))


def _open(session: Session, result: QueryResult, names: list[str], place: int) -> None:
    for column, name in enumerate(names):
        session.console.show(f"{name}: {result.value(place, column) or 'empty'}")


def _write(session: Session, result: QueryResult, sql: str, typed: str) -> None:
    from core.query.result_files import format_of, write_result
    from core.query.run import QueryOptions, save_query

    if not typed:
        raise WrongUsage("No file was named.", "", "Type it behind the word, as in: file rows.csv")
    path = in_full(typed)
    kind = format_of(path)
    if not session.may_write([path]):
        return

    def work(_: Tell, stopped: Callable[[], bool]) -> int:
        if not result.truncated:
            write_result(result, kind, path)
            return len(result)
        options = QueryOptions(cancelled=stopped)
        return save_query(session.corpus, session.home, sql, kind, path, options=options)

    session.console.say(f"{plural(session.work(work), 'row')} written to {path.absolute()}.")


def _keep(session: Session, sql: str, title: str) -> None:
    from core.query.saved import keep_query

    kept = keep_query(session.home, title, sql)
    session.console.say(f"The query is saved as {kept.title}.")
