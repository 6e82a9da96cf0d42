"""The line below the tweets that says how far an import or a fetch is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.data.fetching import FetchEnded, FetchMoved
from tui.data.importing import ImportEnded, ImportMoved, ImportStarted
from tui.job import Report
from tui.text.numbers import clock, usd
from tui.widgets.progress_line import ProgressLine

if TYPE_CHECKING:
    from core.corpus.importing import ImportProgress
    from core.fetching.outcome import FetchProgress


class ImportLine(ProgressLine):
    """Empty while nothing comes in."""

    def take(self, report: Report) -> None:
        """Draw what a job reports; reports on other things change nothing."""
        if isinstance(report, ImportStarted):
            self.start("Importing", unit="tweets")
        elif isinstance(report, ImportMoved):
            self._import_moved(report.progress)
        elif isinstance(report, FetchMoved):
            self._fetch_moved(report.progress)
        elif isinstance(report, (ImportEnded, FetchEnded)):
            self.clear()

    def _import_moved(self, progress: ImportProgress) -> None:
        self.advance_to(
            progress.read,
            progress.total,
            what=f"{progress.phase} {progress.path.name}",
            rate=progress.rate,
        )

    def _fetch_moved(self, progress: FetchProgress) -> None:
        if not self.is_busy:
            self.start(f"Fetching @{progress.handle}", unit="pages")
        what = f"Fetching @{progress.handle}: {progress.new:,} new, {usd(progress.cost_usd)}"
        if progress.kind == "waiting":
            what = f"X's rate limit: goes on in {clock(progress.seconds)}"
        elif progress.kind == "retrying":
            what = f"{progress.why} Try {progress.attempt} in {clock(progress.seconds)}"
        elif progress.kind == "storing":
            what = "Waiting for another program to let go of the corpus"
        self.advance_to(progress.pages, progress.pages_at_most, what=what)
