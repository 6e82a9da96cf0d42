"""Running SQL, one statement at a time, which can be stopped; and what a query can name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from core.errors import InputRefused, MynahError
from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.query.catalogue import Catalogue
    from core.query.changing import Changed
    from core.query.result import QueryResult
    from core.query.run import QueryOptions

MOST_ROWS: Final = 5_000_000
MOST_BYTES: Final = 500_000_000
How = Literal["run", "explain", "analyse", "write"]


@dataclass
class QueryEnded(Report):
    """Exactly one of the four is there: rows, a plan, a change, or why there is none.

    ``note``: what the rows cannot have, though the query asks for it.
    """

    result: QueryResult | None = None
    note: str | None = None
    plan: str | None = None
    changed: Changed | None = None
    error: MynahError | None = None


@dataclass
class QuerySaved(Report):
    """A result is in a file, or ``error`` says why not."""

    path: Path
    rows: int
    error: MynahError | None


@dataclass
class CatalogueRead(Report):
    """What a query can name."""

    catalogue: Catalogue


class QueryJob(Job):
    """Reports QueryEnded or QuerySaved, and CatalogueRead. While busy, ``rows`` have arrived."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "running the query")
        self._catalogue = Job(host, "looking at the tables", newest_wins=True)
        self.rows = 0

    def run(self, sql: str, how: How = "run") -> bool:
        """False, with a word to the person, when a query is still running."""
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.corpus.store import Corpus
            from core.query.changing import change
            from core.query.history import remember_query
            from core.query.plan import explain
            from core.query.recipes import lacking_verdicts
            from core.query.run import run_query

            corpus, options = Corpus(home.corpus), self._options(attempt)
            remember_query(home, sql)
            if how in ("explain", "analyse"):
                plan = explain(corpus, home, sql, analyse=how == "analyse", options=options)
                return QueryEnded(plan=plan)
            if how == "write" and (changed := change(corpus, home, sql, options=options)):
                return QueryEnded(changed=changed)
            result = run_query(
                corpus, home, sql, limit=MOST_ROWS, most_bytes=MOST_BYTES, options=options
            )
            return QueryEnded(result=result, note=lacking_verdicts(home, sql))

        return self._begin(work, lambda error: QueryEnded(error=error))

    def save(self, result: QueryResult, sql: str, path: Path) -> bool:
        """Write a result to a file; one that was cut short is asked for again, in full."""
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.corpus.store import Corpus
            from core.query.result_files import format_of, write_result
            from core.query.run import save_query

            kind = format_of(path)
            if not result.truncated:
                write_result(result, kind, path)
                return QuerySaved(path, len(result), None)
            corpus, options = Corpus(home.corpus), self._options(attempt)
            return QuerySaved(
                path, save_query(corpus, home, sql, kind, path, options=options), None
            )

        return self._begin(work, lambda error: QuerySaved(path, 0, error))

    def read_catalogue(self) -> None:
        """What there is to name. A corpus in use is no news here."""
        home = self._host.state.home

        def work(_: Attempt) -> Report | None:
            from core.corpus.store import Corpus
            from core.query.catalogue import catalogue

            try:
                return CatalogueRead(catalogue(Corpus(home.corpus), home))
            except InputRefused:
                return None

        self._catalogue.start(work)

    def _options(self, attempt: Attempt) -> QueryOptions:
        from core.query.run import QueryOptions

        def fetched(rows: int) -> None:
            self.rows = rows

        return QueryOptions(cancelled=attempt.cancelled, fetched=fetched)

    def _begin(
        self, work: Callable[[Attempt], Report], failed: Callable[[MynahError], Report]
    ) -> bool:
        if not self.start(work, failed):
            self._host.notify("esc stops it.", title="A query is running")
            return False
        self.rows = 0
        return True
