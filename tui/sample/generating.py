"""The sampling desk: keeps one sampler child, feeds it requests, hands its events to the app."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import MynahError
from tui import messages

if TYPE_CHECKING:
    from core.sampling.request import SampleRequest
    from tui.app import MynahApp

EVENTS_EVERY = 0.04


class SamplingDesk:
    """Loading a model takes seconds, so the child stays for the next request on the same run."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._sampler: Any = None
        self._folder: Path | None = None
        self._lock = threading.Lock()
        self._closed = False
        self.generation = 0
        self.busy = False

    def generate(self, folder: Path, request: SampleRequest) -> int:
        """Start generating; returns the number that its messages will carry."""
        self.generation += 1
        self.busy = True
        number = self.generation
        self._app.in_background("sample", "sampling", lambda: self._work(number, folder, request))
        return number

    def warm(self, folder: Path) -> None:
        """Load the model before it is asked for, so that the first words come sooner."""
        if self.busy or self._closed or self._folder == folder:
            return

        def work() -> None:
            with self._lock:
                if not self._closed:
                    self._for(folder)

        self._app.in_background("warm", "loading the model", work)

    def stop(self) -> bool:
        """Ask the running generation to end with what it has; True when there was one."""
        if not self.busy or self._sampler is None:
            return False
        self._sampler.stop()
        return True

    def close(self) -> None:
        """End the child; bounded, so that quitting never hangs."""
        self._closed = True
        if self._sampler is not None:
            self._sampler.close()
            self._sampler = None

    def _work(self, number: int, folder: Path, request: SampleRequest) -> None:
        error: MynahError | None = None
        try:
            with self._lock:
                sampler = self._for(folder)
                waiting: list[Any] = []
                last = 0.0
                for event in sampler.generate(request):
                    waiting.append(event)
                    now = time.monotonic()
                    if now - last >= EVENTS_EVERY:
                        self._app.post_message(messages.Sampled(number, waiting))
                        waiting, last = [], now
                if waiting:
                    self._app.post_message(messages.Sampled(number, waiting))
        except MynahError as refused:
            self._sampler = None
            error = refused
        finally:
            if number == self.generation:
                self.busy = False
            if not self._closed:
                self._app.post_message(messages.SamplingEnded(number, error))

    def _for(self, folder: Path) -> Any:
        from core.sampling.client import Sampler

        if self._sampler is None or self._folder != folder:
            if self._sampler is not None:
                self._sampler.close()
            self._sampler = Sampler.for_run(folder)
            self._folder = folder
            self._sampler.start()
        return self._sampler
