"""The query desk: one query at a time, which can be stopped, and what can be named in one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from core.errors import InputRefused, MynahError
from tui import messages

if TYPE_CHECKING:
    from core.query.result import QueryResult
    from core.query.run import QueryOptions
    from tui.app import MynahApp

MOST_ROWS: Final = 5_000_000
MOST_BYTES: Final = 500_000_000
How = Literal["run", "explain", "analyse", "write"]


class QueryDesk:
    """Runs SQL in a worker; what came of it arrives as a QueryEnded or QuerySaved message.

    While ``busy``, ``rows`` have arrived and ``seconds`` have passed.
    """

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._stop = threading.Event()
        self._started = 0.0
        self.busy = False
        self.stopping = False
        self.rows = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def run(self, sql: str, how: How = "run") -> bool:
        """Start; False, with a word to the person, when a query is still running."""
        home = self._app.state.home

        def work() -> messages.QueryEnded:
            from core.corpus.store import Corpus
            from core.query.changing import change
            from core.query.history import remember_query
            from core.query.run import explain, run_query

            corpus, options = Corpus(home.corpus), self._options()
            remember_query(home, sql)
            try:
                if how in ("explain", "analyse"):
                    plan = explain(corpus, home, sql, analyse=how == "analyse", options=options)
                    return messages.QueryEnded(plan=plan)
                if how == "write" and (changed := change(corpus, home, sql, options=options)):
                    return messages.QueryEnded(changed=changed)
                result = run_query(
                    corpus, home, sql, limit=MOST_ROWS, most_bytes=MOST_BYTES, options=options
                )
                return messages.QueryEnded(result=result)
            except MynahError as error:
                return messages.QueryEnded(error=error)

        return self._begin("running the query", work)

    def save(self, result: QueryResult, sql: str, path: Path) -> bool:
        """Write a result to a file; one that was cut short is asked for again, whole."""
        home = self._app.state.home

        def work() -> messages.QuerySaved:
            from core.corpus.store import Corpus
            from core.query.result_files import format_of, write_result
            from core.query.run import save_query

            try:
                kind = format_of(path)
                if not result.truncated:
                    write_result(result, kind, path)
                    return messages.QuerySaved(path, len(result), None)
                corpus = Corpus(home.corpus)
                rows = save_query(corpus, home, sql, kind, path, options=self._options())
                return messages.QuerySaved(path, rows, None)
            except MynahError as error:
                return messages.QuerySaved(path, 0, error)

        return self._begin("writing the result", work)

    def read_catalogue(self) -> None:
        """What there is to name; arrives as CatalogueRead. A corpus in use is no news here."""
        home = self._app.state.home

        def work() -> None:
            from core.corpus.store import Corpus
            from core.query.catalogue import catalogue

            try:
                self._app.post_message(messages.CatalogueRead(catalogue(Corpus(home.corpus), home)))
            except InputRefused:
                return

        self._app.in_background("catalogue", "looking at the tables", work)

    def stop(self) -> bool:
        """True when there was a query to stop."""
        self._stop.set()
        self.stopping = self.busy
        return self.busy

    def _options(self) -> QueryOptions:
        from core.query.run import QueryOptions

        def fetched(rows: int) -> None:
            self.rows = rows

        return QueryOptions(cancelled=self._stop.is_set, fetched=fetched)

    def _begin(
        self, doing: str, work: Callable[[], messages.QueryEnded | messages.QuerySaved]
    ) -> bool:
        if self.busy:
            self._app.notify("esc stops it.", title="A query is running")
            return False
        self.busy, self.stopping, self.rows = True, False, 0
        self._started = time.monotonic()
        self._stop.clear()

        def guarded() -> None:
            ended: messages.QueryEnded | messages.QuerySaved
            try:
                ended = work()
            except Exception:
                ended = messages.QueryEnded(error=MynahError("Something broke: F12 shows what."))
                raise
            finally:
                self.busy = self.stopping = False
                self._app.post_message(ended)

        self._app.in_background("query", doing, guarded)
        return True
