"""Setting a value: open this for what is refused of keys and themes, which only the app knows."""

from __future__ import annotations

import difflib

from core.config import KEYMAP, Value, read_config, set_config
from core.errors import InputRefused
from core.home import Home
from tui.keymap import own_keys
from tui.themes import theme_names

# Of a theme that is not known, so many of those whose names are nearest are named.
_NEAREST = 3


def set_checked(home: Home, name: str, text: str | None) -> Value | None:
    """As `set_config`; refuses also keys that would mean two things, and a theme there is not."""
    if text is not None and name.startswith(f"{KEYMAP}."):
        _check_keys(home, name, text)
    elif text and name == "app.theme":
        _check_theme(home, text)
    return set_config(home, name, text)


def _check_keys(home: Home, name: str, keys: str) -> None:
    given = {
        known.removeprefix(f"{KEYMAP}."): value
        for known, value in (read_config(home) | {name: keys}).items()
        if known.startswith(f"{KEYMAP}.")
    }
    _, refused = own_keys({KEYMAP: given})
    if refused:
        raise InputRefused(refused[0], "", "? in the app shows its keys.")


def _among(near: list[str]) -> str:
    if not near:
        return "There are"
    return "The nearest is" if len(near) == 1 else "The nearest are"


def _check_theme(home: Home, theme: str) -> None:
    names = theme_names(home.themes)
    if theme in names:
        return
    near = difflib.get_close_matches(theme.lower(), names, n=_NEAREST, cutoff=0.4)
    raise InputRefused(
        f"There is no theme {theme!r}.",
        f"{_among(near)} {', '.join(near or names)}.",
        f"One of your own is a file {theme}.toml in {home.themes}." if not near else "",
    )
