"""Walking through the app as a person would, without sleeping longer than needed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

from textual.message import Message
from textual.notifications import Notify
from textual.pilot import Pilot
from textual.strip import Strip

from tests.functional.economy import draw
from tui.app import MynahApp
from tui.job import Report

SECONDS = 30.0
# what a terminal obeys, and what hides or turns round what one reads
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200c\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]"
)


def mynah(pilot: Pilot[Any]) -> MynahApp:
    assert isinstance(pilot.app, MynahApp)
    return pilot.app


async def until(pilot: Pilot[Any], true: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait for ``true()``, and for what it led to; bounded."""
    if true():
        return
    await _until(pilot, true, seconds, f"not true within {seconds:g} s")
    await pilot.pause(0)


async def runs_there(pilot: Pilot[Any]) -> None:
    """Wait until the runs have been read, of which there are some, and all is at rest."""
    await settled(pilot)
    await until(pilot, lambda: mynah(pilot).state.runs)
    await settled(pilot)


async def settled(pilot: Pilot[Any], seconds: float = SECONDS) -> None:
    """Wait until no worker but the look at the runs is at work, and all messages are handled."""
    app = mynah(pilot)

    def at_rest() -> bool:
        return app.state.accounts is not None and all(
            worker.is_finished for worker in app.workers if worker.name != app.following.doing
        )

    quiet = 0
    while quiet < 3:
        await _until(pilot, at_rest, seconds, f"no rest within {seconds:g} s")
        await pilot.pause(0.01)  # what has ended may have begun something else
        quiet = quiet + 1 if at_rest() else 0
    await pilot.pause()
    draw(app)


async def _until(pilot: Pilot[Any], true: Callable[[], object], seconds: float, why: str) -> None:
    """A pause of the pilot's wakes every widget; this leaves them to themselves."""
    give_up = time.monotonic() + seconds
    while True:
        begun = time.thread_time()
        if true():
            return
        looked = time.thread_time() - begun
        assert time.monotonic() < give_up, f"{why}:\n{screen(pilot)}"
        assert not pilot.app._exception, "the app has ended"
        # who looks at the whole screen looks less often, and leaves the processor to the app
        await asyncio.sleep(max(0.02, 3 * looked))


def strips(pilot: Pilot[Any]) -> list[Strip]:
    """Exactly what would go to the terminal, line by line."""
    return list(pilot.app.screen._compositor.render_strips())


def screen(pilot: Pilot[Any]) -> str:
    """The whole screen as text."""
    return "\n".join(strip.text for strip in strips(pilot))


def unbroken(pilot: Pilot[Any]) -> str:
    """The screen without spaces and borders: for a path, which wraps wherever it happens to."""
    return re.sub(r"[\s│]+", "", screen(pilot))


def assert_safe(pilot: Pilot[Any]) -> None:
    """Nothing on the screen is a character that a terminal acts on."""
    for strip in strips(pilot):
        for segment in strip:
            found = UNSAFE.search(segment.text)
            assert found is None, f"{found[0]!r} in {segment.text!r}"


def status(pilot: Pilot[Any], panel: str) -> str:
    """The right corner of a panel's title."""
    from tui.widgets.panel import Panel

    return pilot.app.screen.query_one(panel, Panel).status


class Heard:
    """A message hook: every message once, in the order they were handled."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> None:
        if not self.messages or self.messages[-1] is not message:
            self.messages.append(message)

    def names(self) -> list[str]:
        """What the jobs reported, without the looks at the runs."""
        named = [type(m).__name__ for m in self.messages if isinstance(m, Report)]
        return [name for name in named if name != "RunsRead"]

    def of(self, kind: type[Any]) -> list[Any]:
        return [m for m in self.messages if isinstance(m, kind)]

    @property
    def toasts(self) -> list[str]:
        """Every toast so far, also those that have gone: ``title: message``."""
        return [f"{m.notification.title}: {m.notification.message}" for m in self.of(Notify)]
