"""Reading every favourite and every stored sample, for the page that lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.home import Home
    from core.sampling.favourites import Favourite
    from core.sampling.store import StoredSample


@dataclass(frozen=True)
class Kept:
    """A favourite, a stored sample, or both."""

    favourite: Favourite | None
    stored: StoredSample | None

    @property
    def id(self) -> str:
        return self.favourite.id if self.favourite else self.stored.id if self.stored else ""

    @property
    def text(self) -> str:
        return self.favourite.text if self.favourite else self.stored.text if self.stored else ""

    @property
    def run(self) -> str:
        return self.favourite.run if self.favourite else self.stored.run if self.stored else ""

    @property
    def note(self) -> str:
        return self.favourite.note if self.favourite else ""

    @property
    def when(self) -> Any:
        if self.favourite is not None:
            return self.favourite.when
        return self.stored.created_at if self.stored is not None else None


@dataclass
class KeptRead(Report):
    """``found`` in the order of making, the oldest first."""

    found: list[Kept]


class KeptJob(Job):
    """Reports KeptRead: every stored sample, and favourites of which none is stored."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "reading the samples", newest_wins=True)

    def read(self) -> None:
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            return KeptRead(all_kept(home))

        self.start(work)


def all_kept(home: Home) -> list[Kept]:
    from core.runs.folder import all_runs
    from core.sampling.favourites import favourites
    from core.sampling.store import stored_samples

    kept = {one.id: one for one in favourites(home)}
    found = [
        Kept(kept.pop(stored.id, None), stored)
        for run in all_runs(home)
        for stored in stored_samples(run)
    ]
    found += [Kept(favourite, None) for favourite in kept.values()]
    return sorted(found, key=lambda one: one.when)
