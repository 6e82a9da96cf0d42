"""Exporting in the background, one at a time, and estimating how large an export would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.curation.counts import AccountStats
    from core.curation.recipe import Recipe
    from core.dataset.estimate import Estimate
    from core.dataset.options import ExportOptions
    from core.dataset.write import ExportResult
    from core.errors import MynahError
    from core.progress import Progress


@dataclass
class ExportSized(Report):
    """What an export would hold; ``error`` when its options do not go together."""

    estimate: Estimate | None
    error: MynahError | None


@dataclass
class ExportMoved(Report):
    """How far an export is; a newer one replaces it."""

    progress: Progress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ExportMoved)


@dataclass
class ExportEnded(Report):
    result: ExportResult | None
    error: MynahError | None


class ExportJob(Job):
    """Reports ExportSized; ExportMoved and ExportEnded."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "exporting")
        self._measure = Job(host, "measuring a sample", newest_wins=True)

    def measure(
        self, stats: Sequence[AccountStats], recipe: Recipe, options: ExportOptions
    ) -> None:
        """Ask what an export would hold; the newest question wins."""
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.dataset.estimate import estimate

            return ExportSized(estimate(home, stats, recipe, options), None)

        self._measure.start(work, lambda error: ExportSized(None, error))

    def run(
        self, handles: Sequence[str], recipe: Recipe, out: Path, options: ExportOptions
    ) -> None:
        """Write the tweets as they are in the corpus now."""
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.dataset.write import export_tweets

            result = export_tweets(
                home,
                handles,
                recipe,
                out,
                options,
                progress=lambda moved: attempt.report(ExportMoved(moved)),
                cancelled=attempt.cancelled,
            )
            return ExportEnded(result, None)

        self.start(work, lambda error: ExportEnded(None, error))
