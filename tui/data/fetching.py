"""Fetching posts from the X API in the background, one account at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from core.numbers import plural
from tui.job import Attempt, Host, Job, Report
from tui.text.numbers import usd

if TYPE_CHECKING:
    from core.errors import MynahError
    from core.fetching.estimate import FetchEstimate
    from core.fetching.outcome import FetchProgress, FetchResult


@dataclass
class FetchMoved(Report):
    """A page, or a tick of a countdown; a newer one replaces it."""

    progress: FetchProgress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FetchMoved)


@dataclass
class FetchEnded(Report):
    """``result`` also of a fetch that ended early, as far as it came."""

    handle: str
    result: FetchResult | None
    error: MynahError | None


class FetchJob(Job):
    """Reports FetchMoved and FetchEnded; a page is in the corpus before the next is paid for."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "fetching from X")

    def run(self, estimate: FetchEstimate, budget: float | None) -> None:
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.fetching.engine import fetch

            result = fetch(
                home,
                estimate,
                budget=budget,
                progress=lambda moved: attempt.report(FetchMoved(moved)),
                cancelled=attempt.cancelled,
            )
            return FetchEnded(estimate.handle, result, None)

        def failed(error: MynahError) -> Report:
            return FetchEnded(estimate.handle, getattr(error, "result", None), error)

        if not self.start(work, failed):
            self._host.notify("esc stops the present one.", title="A fetch is running")


def what_was_fetched(result: FetchResult) -> str:
    """One sentence on a fetch that has ended, for `with_keys`."""
    rest = "" if result.complete else f" {{data.add}} and @{result.handle} go on from there."
    return f"{result.new:,} new of {plural(result.posts, 'post')} for {usd(result.cost_usd)}.{rest}"
