"""The section Query of the plain mode: SQL over tweets and runs, and its rows as lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from core.errors import WrongUsage
from core.home import in_full
from core.numbers import percent, plural
from tui.plain.menu import Item, browse, menu
from tui.plain.session import Session, Tell
from tui.text.changing import NO_UNDO, WHAT_STAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.query.plan import PlanStep
    from core.query.result import QueryResult

_HELP: Final = (
    "A query asks in SQL over accounts, tweets, excluded_tweets, curated, account_stats, runs, "
    "metrics, samples and run_tweets. It ends with a semicolon or an empty line. A statement that "
    "changes tables is run after a yes."
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
        Item("Type a query to hear how it would be run", partial(_type_to_explain, session)),
    ]


def _type(session: Session) -> None:
    run(session, _typed(session))


def _type_to_explain(session: Session) -> None:
    from core.query.history import remember_query

    sql = _typed(session)
    remember_query(session.home, sql)
    _explain(session, sql)


def _typed(session: Session) -> str:
    console = session.console
    lines = [console.ask("Type the query. It ends with a semicolon, or with an empty line.", _HELP)]
    while not lines[-1].rstrip().endswith(";"):
        line = console.line()
        if not line:
            break
        lines.append(line)
    return "\n".join(lines)


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
    """Runs a query and reads its rows out, a page at a time; or a change, after a yes."""
    from core.query.history import remember_query
    from core.query.recipes import lacking_verdicts
    from core.query.run import QueryOptions, run_query
    from core.query.statements import change_kind
    from core.query.tokens import explained

    remember_query(session.home, sql)

    def work(tell: Tell, stopped: Callable[[], bool]) -> QueryResult:
        options = QueryOptions(
            cancelled=stopped, fetched=lambda rows: tell(f"{plural(rows, 'row')} so far.")
        )
        return run_query(session.corpus, session.home, sql, limit=_MOST_ROWS, options=options)

    with _pointing(session):
        if change_kind(sql) is not None:
            _change(session, sql)
            return
        inside = explained(sql)
        if inside is not None:  # whose only cell would be a drawing
            head = sql[: len(sql) - len(inside.lstrip())]
            _explain(session, inside, analyse="ANALYZE" in head.upper())
            return
        result = session.work(work)
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
            "explain": ("explain to hear how it was run", lambda _: _explain(session, sql)),
            "analyse": (
                "analyse to run it once more and hear how long each step took",
                lambda _: _explain(session, sql, analyse=True),
            ),
        },
        "A file ends in .csv, .json, .jsonl or .parquet.",
    )


@contextmanager
def _pointing(session: Session) -> Iterator[None]:
    """Says where in the query the mistake is that it is refused for."""
    from core.query.refusal import QueryRefused

    try:
        yield
    except QueryRefused as error:
        if error.span is not None:
            span = error.span
            wrong = span.text[span.column - 1 : span.column - 1 + span.length]
            session.console.say(
                f"Line {span.line}, character {span.column}, at {wrong or 'the end'}:"
            )
        raise


def _change(session: Session, sql: str) -> None:
    from core.query.changing import Changed, change
    from core.query.run import QueryOptions

    console = session.console
    console.say("This statement changes the corpus, as a whole or not at all.", NO_UNDO)
    console.show(str(session.home.corpus))
    console.say(WHAT_STAYS)
    if not console.yes("Run it?"):
        console.say("Nothing was changed.")
        return

    def work(_: Tell, stopped: Callable[[], bool]) -> Changed | None:
        return change(session.corpus, session.home, sql, options=QueryOptions(cancelled=stopped))

    done = session.work(work)
    if done is not None:
        console.say(f"{done} in {done.seconds:.2f} seconds.")


def _explain(session: Session, sql: str, *, analyse: bool = False) -> None:
    """The plan of a query, a line for each step."""
    from core.query.plan import plan_steps
    from core.query.run import QueryOptions

    def work(_: Tell, stopped: Callable[[], bool]) -> list[PlanStep]:
        options = QueryOptions(cancelled=stopped)
        return plan_steps(session.corpus, session.home, sql, analyse=analyse, options=options)

    with _pointing(session):
        steps = session.work(work)
    total = sum(step.seconds or 0.0 for step in steps)
    many = plural(len(steps), "step")
    if not steps:  # as counting all rows of a table, which the table knows
        session.console.say("DuckDB has no steps for it: the answer is known without reading rows.")
    elif analyse:
        session.console.say(f"It ran in {many}, which took {total:.3f} seconds of a core.")
    else:
        session.console.say(f"DuckDB would run it in {many}:")
    session.console.numbered(_step(step, total) for step in steps)


def _step(step: PlanStep, total: float) -> str:
    """``Hash join of steps 1 and 2. Conditions: handle = handle. 12 rows, 40 % of the time.``"""
    name = step.name.replace("_", " ").capitalize()
    numbers = [f"{place + 1}" for place in step.reads]
    if numbers:
        of = " and ".join(filter(None, [", ".join(numbers[:-1]), numbers[-1]]))
        name += f" of {'step' if len(numbers) == 1 else 'steps'} {of}"
    sentences = [name, *(f"{fact}: {value}" for fact, value in step.facts.items() if value)]
    if step.rows is not None:
        about = "" if step.seconds is not None else "About "
        sentences.append(f"{about}{plural(step.rows, 'row')}")
    if step.seconds is not None and total:
        share = step.seconds / total
        took = percent(share, 0) if share >= 0.01 else "less than 1 %"
        sentences[-1] += f", {took} of the time"
    return f"{'. '.join(sentences)}."


def _row(result: QueryResult, names: list[str], place: int) -> str:
    """``handle: keeper; tweets: 987``; of one column the cell alone."""
    cells = _said(result, place, result.cells(place))
    if len(names) == 1:
        return cells[0]
    return "; ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True))


def _said(result: QueryResult, place: int, cells: list[str]) -> list[str]:
    """``cells`` of a row; no value is NULL, as in the app, and a text without letters is empty."""
    from core.query.result import NULL

    nulls = result.nulls(place)
    return [NULL if null else cell or "empty" for cell, null in zip(cells, nulls, strict=True)]


def _open(session: Session, result: QueryResult, names: list[str], place: int) -> None:
    whole = [result.value(place, column) for column in range(len(names))]
    for name, cell in zip(names, _said(result, place, whole), strict=True):
        session.console.show(f"{name}: {cell}")


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

    if not title:
        raise WrongUsage("No title was typed.", "", "Type it behind the word, as in: save mine")
    kept = keep_query(session.home, title, sql)
    session.console.say(f"The query is saved as {kept.title}.")
