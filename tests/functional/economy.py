"""Work of Textual that is the same in every test, done once; open this when the app looks stale.

One process starts several hundred apps here, and none of them has a terminal.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import RenderableType
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.app import App, ScreenStackError
from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.geometry import Region
from textual.message_pump import MessagePump
from textual.pilot import Pilot, WaitForScreenTimeout
from textual.screen import Screen

from tests.functional.styling import remember_styles

_render_update = Compositor.render_update
_parse = Stylesheet.parse
_set_variables = Stylesheet.set_variables
_Parsed = LRUCache[tuple[Any, ...], list[RuleSet]]
# by what the variables of the theme were: the same style sheet has other colours in another theme
_parsed: dict[frozenset[tuple[str, str]], _Parsed] = {}


def draw(app: App[Any]) -> None:
    """Draw the widgets that have changed since the last time, as the app would for a terminal."""
    if app.is_running and app._batch_count == 0:
        compositor = app.screen._compositor
        if changed := compositor._dirty_regions:
            visible_screen_stack.set(app._background_screens)
            crop = Region.from_union(changed).intersection(compositor.size.region)
            changed.clear()
            # not put together to lines that nobody would read
            deque(compositor._get_renders(crop), maxlen=0)


@contextmanager
def economy() -> Iterator[None]:
    """Frames are drawn when a test looks, style sheets are parsed once, and garbage can wait."""
    patch = pytest.MonkeyPatch()
    # Textual draws each frame of an app without a terminal too, and throws it away
    patch.setattr(Compositor, "render_update", _render_no_part)
    patch.setattr(Stylesheet, "parse", _parse_once)
    patch.setattr(Stylesheet, "set_variables", _set_own_variables)
    # a process of its own in each test that looks at Train; test_runs_advise has a real one
    patch.setattr("core.runs.advise.measure_speed", lambda *_, **__: None)
    patch.setattr(Pilot, "_wait_for_screen", _wait_for_screen)
    remember_styles(patch)
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    patch.undo()


def _render_no_part(
    compositor: Compositor,
    full: bool = False,
    screen_stack: list[Screen[Any]] | None = None,
    simplify: bool = False,
) -> RenderableType | None:
    """Whole frames are for pictures; of parts, those that have changed are kept for ``draw``."""
    return _render_update(compositor, True, screen_stack, simplify) if full else None


async def _wait_for_screen(pilot: Pilot[Any], timeout: float = 30.0) -> bool:
    """As Textual's, which also wakes each of the widgets that have nothing to do."""
    app = pilot.app
    try:
        screen = app.screen
    except ScreenStackError:
        return False
    handled = [
        asyncio.create_task(done.wait())
        for node in (app, *screen.walk_children(with_self=True))
        if not _waits_for_messages(node) and node.call_later((done := asyncio.Event()).set)
    ]
    if handled:
        broken = asyncio.create_task(app._exception_event.wait())
        all_handled = asyncio.gather(*handled)
        await asyncio.wait(
            (all_handled, broken), timeout=timeout, return_when=asyncio.FIRST_COMPLETED
        )
        if not all_handled.done() and not broken.done():
            raise WaitForScreenTimeout("Timed out while widgets handle their messages.")
        broken.cancel()
        return all_handled.done() or not all_handled.cancel()
    return True


def _waits_for_messages(node: MessagePump) -> bool:
    queue = node._message_queue
    return bool(
        queue.empty()
        and any(not waiter.done() for waiter in queue.ready_event._waiters)  # type: ignore[attr-defined]
        and not node._next_callbacks
    )


def _parse_once(sheet: Stylesheet) -> None:
    sheet._parse_cache = _parsed.setdefault(frozenset(sheet._variables.items()), LRUCache(1024))
    _parse(sheet)


def _set_own_variables(sheet: Stylesheet, variables: dict[str, str]) -> None:
    """As Textual's, which would empty the cache that others share."""
    sheet._parse_cache = LRUCache(1)
    _set_variables(sheet, variables)
