"""The rungs of the benchmark: each is guarded, and skipped with a reason when the time is up."""

from __future__ import annotations

import contextlib
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

Figures = dict[str, Any]


class Skip(Exception):
    """A rung that makes no sense here; the message says why."""


@dataclass
class Report:
    """``device`` to measure on, ``dtype`` to multiply in, ``seconds`` for each figure, and
    ``until`` (time.monotonic), after which nothing is begun. ``peak``: operations a second.
    """

    device: torch.device
    dtype: torch.dtype
    seconds: float
    until: float
    small: bool
    peak: float = 0.0
    rungs: list[Figures] = field(default_factory=list)

    @property
    def on_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def left(self) -> float:
        """Seconds."""
        return self.until - time.monotonic()

    def rung(self, name: str, work: Callable[[], Figures], *, needs: float = 0.0) -> None:
        """Adds what ``work`` measures; ``needs`` are the seconds that it takes at least."""
        began = time.perf_counter()
        entry: Figures = {"name": name}
        try:
            if self.left <= 0:
                raise Skip("the time is up")
            if self.left < needs:
                raise Skip(f"{self.left:.0f} seconds are left, and it may take {needs:.0f}")
            entry |= {"state": "done", **work()}
        except Skip as reason:
            entry |= {"state": "skipped", "reason": str(reason)}
        except Exception as error:
            traceback.print_exc()
            first_line = (str(error).strip().splitlines() or [""])[0]
            entry |= {"state": "failed", "reason": f"{type(error).__name__}: {first_line}"[:500]}
        except KeyboardInterrupt:
            entry |= {"state": "skipped", "reason": "the time was up before it had ended"}
            raise
        finally:
            entry["took"] = round(time.perf_counter() - began, 3)
            self.rungs.append(entry)
            shown = {key: value for key, value in entry.items() if key not in ("name", "took")}
            print(f"{name:44} {shown}", file=sys.stderr, flush=True)
        if self.on_cuda:
            with contextlib.suppress(RuntimeError):  # a device that an error left unusable
                torch.cuda.empty_cache()

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def seconds_each(self, call: Callable[[], object], *, least: int = 2) -> float:
        """Of ``call``, over about ``seconds``, after one call that is not counted."""
        call()
        self.wait()
        count, began = 0, time.perf_counter()
        while count < least or time.perf_counter() - began < self.seconds:
            for _ in range(least):
                call()
            count += least
            self.wait()
        return (time.perf_counter() - began) / count


def of_peak(operations: float, report: Report) -> float | None:
    """Operations a second as a share of the peak."""
    return round(operations / report.peak, 4) if report.peak else None
