"""The runs desk: reads what the runs have written since the last look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.worker import WorkerState

from tui import messages

if TYPE_CHECKING:
    from tui.app import MynahApp


class RunsDesk:
    """Reads run folders only; it shares nothing else with a trainer."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._follower: Any = None

    def poll(self) -> None:
        """One reading at a time; a message only when something is new."""
        app = self._app
        if any(w.group == "runs" and w.state == WorkerState.RUNNING for w in app.workers):
            return

        def work() -> None:
            from core.runs.summary import RunsFollower

            if self._follower is None:
                self._follower = RunsFollower(app.state.home)
            summaries, histories, changed = self._follower.poll()
            if changed or app.state.runs is None:
                app.post_message(messages.RunsRead(summaries, histories))

        app.in_background("runs", "reading the runs", work)
