"""Reading the sweeps in the background, while somebody looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.sweeps.overview import Sweep, SweepsReader


@dataclass
class SweepsRead(Report):
    sweeps: list[Sweep]


class SweepsJob(Job):
    """Reads the folders of sweeps only. Reports SweepsRead."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "reading the sweeps")
        self._reader: SweepsReader | None = None
        self._all_of_it = False  # is asked for

    def poll(self, *, all_of_it: bool = False) -> None:
        """One reading at a time; a report when something is new, or ``all_of_it`` is asked for:
        by the next reading, where one goes on that has begun before.
        """
        self._all_of_it |= all_of_it

        def work(_: Attempt) -> Report | None:
            from core.sweeps.overview import SweepsReader

            if self._reader is None:
                self._reader = SweepsReader(self._host.state.home)
            all_of_it, self._all_of_it = self._all_of_it, False
            sweeps, changed = self._reader.poll()
            return SweepsRead(sweeps) if changed or all_of_it else None

        self.start(work)
