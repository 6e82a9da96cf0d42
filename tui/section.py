"""The five sections and the dialogs above them; each section is imported when it is first shown."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen


def _section(name: str) -> Callable[[], Screen[None]]:
    def made() -> Screen[None]:
        from importlib import import_module

        module = import_module(f"tui.{name}.screen")
        screen = getattr(module, f"{name.capitalize()}Section")()
        assert isinstance(screen, Screen)  # noqa: S101 - the names are ours
        return screen

    return made


SECTION_SCREENS = {name: _section(name) for name in ("data", "filter", "query", "train", "sample")}
