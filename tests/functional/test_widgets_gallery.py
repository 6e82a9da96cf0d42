"""Pictures of all widgets together. New ones: ``pytest --snapshot-update``, then look at them."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.functional.gallery import Gallery, losses
from tui.train.loss_plot import LossPlot
from tui.widgets.field_form import FieldForm

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="pictures are compared on one Python only"
)


@pytest.mark.parametrize(
    ("theme", "size"),
    [("textual-dark", (120, 40)), ("textual-light", (80, 24)), ("ansi-dark", (120, 40))],
)
def test_gallery(snap_compare: Any, theme: str, size: tuple[int, int]) -> None:
    assert snap_compare(Gallery(theme), terminal_size=size)


def test_plot_with_cursor_and_other_runs(snap_compare: Any) -> None:
    async def before(pilot: Pilot[None]) -> None:
        plot = pilot.app.query_one(LossPlot)
        steps, ys = losses(300)
        plot.set_series("breakfast", steps, [y + 0.4 for y in ys])
        plot.smoothing = 0.9
        plot.focus()
        await pilot.press("left", "shift+left", "shift+left")

    assert snap_compare(Gallery("nord"), terminal_size=(120, 40), run_before=before)


def test_open_choice(snap_compare: Any) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.query_one(FieldForm).field("base").focus()
        await pilot.press("enter")
        await pilot.pause()

    assert snap_compare(Gallery(), terminal_size=(80, 24), run_before=before)
