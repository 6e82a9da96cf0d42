"""The query desk: one query at a time, which can be stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from core.errors import Interrupted, MynahError
from tui import messages

if TYPE_CHECKING:
    from tui.app import MynahApp


class QueryDesk:
    """Runs read-only SQL in a worker; the result arrives as a QueryEnded message."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._stop = threading.Event()
        self.busy = False

    def run(self, sql: str, most: int) -> None:
        if self.busy:
            self._app.notify("esc stops it.", title="A query is running")
            return
        self.busy = True
        self._stop.clear()
        home = self._app.state.home

        def work() -> None:
            from core.corpus import Corpus, run_query

            try:
                result = run_query(
                    Corpus(home.corpus), home, sql, limit=most, cancelled=self._stop.is_set
                )
                ended = messages.QueryEnded(result, None, False)
            except MynahError as error:
                ended = messages.QueryEnded(None, error, isinstance(error, Interrupted))
            finally:
                self.busy = False
            self._app.post_message(ended)

        self._app.in_background("query", "running the query", work)

    def stop(self) -> bool:
        """True when there was a query to stop."""
        self._stop.set()
        return self.busy
