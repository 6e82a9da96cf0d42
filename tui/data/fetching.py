"""The fetching desk: posts from the X API, paid for after a yes; esc stops, nothing is lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from core.errors import MynahError
from tui import messages

if TYPE_CHECKING:
    from core.fetching.plan import FetchPlan
    from core.fetching.result import FetchProgress, FetchResult
    from tui.app import MynahApp


class FetchingDesk:
    """One fetch at a time; each page is in the corpus before the next one is paid for."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._stop = threading.Event()
        self.busy = False

    def start(self, plan: FetchPlan, budget: float | None) -> None:
        app = self._app
        if self.busy:
            app.notify("esc stops the present one.", title="A fetch is running")
            return
        self._stop.clear()
        self.busy = True
        home = app.state.home

        def work() -> None:
            from core.fetching.engine import fetch

            def report(moved: FetchProgress) -> None:
                app.post_message(messages.FetchMoved(moved))

            error: MynahError | None = None
            result: FetchResult | None = None
            try:
                result = fetch(
                    home, plan, budget=budget, progress=report, cancelled=self._stop.is_set
                )
            except MynahError as refused:
                error = refused
                result = getattr(refused, "result", None)
            finally:
                self.busy = False
            app.post_message(messages.FetchEnded(plan.handle, result, error))

        app.in_background("fetch", "fetching from X", work)

    def stop(self) -> bool:
        """Ask it to end after the present page; True when there was one."""
        self._stop.set()
        return self.busy
