"""The exporting desk: how large an export would be, and one export at a time; esc stops it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import MynahError
from tui import messages

if TYPE_CHECKING:
    from core.curation.recipe import Recipe
    from core.curation.stats import AccountStats
    from core.dataset.options import ExportOptions
    from core.dataset.write import ExportResult
    from core.progress import Progress
    from tui.app import MynahApp


class ExportingDesk:
    """Sizes, progress and results arrive as ExportSized, ExportMoved and ExportEnded."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._stop = threading.Event()
        self.busy = False

    def size(self, stats: Sequence[AccountStats], recipe: Recipe, options: ExportOptions) -> None:
        """Ask what an export would hold; the newest question wins."""
        home = self._app.state.home

        def work() -> None:
            from textual.worker import get_current_worker

            from core.dataset.estimate import estimate

            worker = get_current_worker()
            sized: messages.ExportSized
            try:
                sized = messages.ExportSized(estimate(home, stats, recipe, options), None)
            except MynahError as error:
                sized = messages.ExportSized(None, error)
            if not worker.is_cancelled:
                self._app.post_message(sized)

        self._app.in_background("export-size", "measuring a sample", work)

    def start(
        self, handles: Sequence[str], recipe: Recipe, out: Path, options: ExportOptions
    ) -> None:
        """Write the tweets as they are in the corpus now."""
        self._stop.clear()
        self.busy = True
        app, home = self._app, self._app.state.home

        def work() -> None:
            from core.dataset.write import export_tweets

            def report(moved: Progress) -> None:
                app.post_message(messages.ExportMoved(moved))

            error: MynahError | None = None
            result: ExportResult | None = None
            try:
                result = export_tweets(
                    home,
                    handles,
                    recipe,
                    out,
                    options,
                    progress=report,
                    cancelled=self._stop.is_set,
                )
            except MynahError as refused:
                error = refused
            finally:  # also when it broke: the screen has to know that nothing more comes
                self.busy = False
                app.post_message(messages.ExportEnded(result, error))

        app.in_background("export", "exporting", work)

    def stop(self) -> bool:
        """True when there was an export to stop."""
        self._stop.set()
        return self.busy
