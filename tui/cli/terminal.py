"""Opening the app, where there is a terminal to open it in."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading

from core.errors import WrongUsage
from core.home import Home


def require_terminal(instead: str) -> None:
    """Raises WrongUsage when stdin gives no keys or stderr is no screen."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return  # a driver of its own choice, such as textual-web's, needs none
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise WrongUsage("The app needs a terminal.", "There is none here.", f"Try `{instead}`.")
    if not moves_its_cursor():
        raise WrongUsage(
            "The app needs a terminal that can move its cursor.",
            "This one cannot.",
            "`mynah --plain` says and asks the same in sentences.",
        )


def moves_its_cursor() -> bool:
    """Whether the terminal here can show the app; True where there is none, to be refused later.

    One that says it is dumb, or nothing of itself, gets lines; so does one that terminfo knows to
    be without cursor addressing, such as a teletype. One that terminfo does not know is trusted.
    """
    if os.environ.get("TEXTUAL_DRIVER") or os.name == "nt":
        return True
    if not (sys.stdin and sys.stdout and sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    term = os.environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return False
    try:
        import curses
    except ImportError:  # some builds of Python are without it
        return True
    try:
        curses.setupterm(term, sys.stdout.fileno())
    except curses.error:
        return True
    return bool(curses.tigetstr("cup"))


def open_app(home: Home, *, section: str | None = None) -> None:
    """Show the app until the person leaves it; SystemExit with its code when it broke."""
    require_terminal("mynah --help")
    from tui.app import run_app

    _leave_with_the_terminal()
    if code := run_app(home, section=section):
        raise SystemExit(code)


def _leave_with_the_terminal() -> None:
    """Hangs up when the terminal is gone. SIGHUP says so to the terminal's own session alone; a
    process of another one would read the end of its input for ever, on a whole core.
    """
    if not (hasattr(select, "poll") and sys.stdin.isatty()):
        return
    waiting = select.poll()
    waiting.register(sys.stdin.fileno(), 0)  # for a hang-up, which need not be asked for

    def wait() -> None:
        if any(happened & select.POLLHUP for _, happened in waiting.poll()):
            os.kill(os.getpid(), signal.SIGHUP)

    threading.Thread(target=wait, name="hang-up", daemon=True).start()
