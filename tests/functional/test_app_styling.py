"""What the walks remember of the style sheets is what Textual finds."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App
from textual.dom import DOMNode

from core.home import Home
from tests.functional.styling import styles_as_textual
from tests.functional.walk import settled
from tui.app import MynahApp


def styles_of(app: App[Any]) -> list[tuple[DOMNode, dict[str, Any], dict[str, Any]]]:
    """Of each node in view: its own, and those of its component classes."""
    return [
        (
            node,
            dict(node._css_styles._rules),
            {name: dict(own.base._rules) for name, own in node._component_styles.items()},
        )
        for node in app.screen.walk_children(with_self=True)
    ]


@pytest.mark.slow
async def test_they_are_what_textual_finds(told_home: Home) -> None:
    app, seen = MynahApp(told_home), 0
    app.animation_level = "none"
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for keys in (
            ("2", "tab", "down"), ("3", "tab"), ("4", "slash", "x"), ("5",), ("1", "f1"),
            ("escape", "shift+tab"),
        ):  # fmt: skip
            await pilot.press(*keys)
            await settled(pilot)
            seen += _compare(app)
        app.theme = "ansi-dark" if "ansi-dark" in app.available_themes else "textual-light"
        await settled(pilot)
        await pilot.resize_terminal(80, 24)
        await pilot.hover("#tabs")
        await settled(pilot)
        seen += _compare(app)
    assert seen > 200


def _compare(app: App[Any]) -> int:
    before = styles_of(app)
    with pytest.MonkeyPatch.context() as patch:
        styles_as_textual(patch)
        app.stylesheet.update(app.screen)
    for (node, own, parts), (_, own_then, parts_then) in zip(before, styles_of(app), strict=True):
        assert own == own_then, node
        assert parts == parts_then, node
    return len(before)
