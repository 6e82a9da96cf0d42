"""Opening the app, where there is a terminal to open it in."""

from __future__ import annotations

import os
import sys

from core.errors import WrongUsage
from core.home import Home


def require_terminal(instead: str) -> None:
    """Raises WrongUsage when stdin gives no keys or stderr is no screen."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return  # a driver of its own choice, such as textual-web's, needs none
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise WrongUsage("The app needs a terminal.", "There is none here.", f"Try `{instead}`.")


def open_app(home: Home, *, section: str = "data") -> None:
    """Show the app until the person leaves it; SystemExit with its code when it broke."""
    require_terminal("mynah --help")
    from tui.app import run_app

    if code := run_app(home, section=section):
        raise SystemExit(code)
