"""The section Settings of the plain mode: what a person chooses once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from core.config import SETTINGS, config_file, read_config
from tui.plain.menu import Item, menu
from tui.plain.session import Session
from tui.settings.checking import set_checked

if TYPE_CHECKING:
    from core.config import Setting, Value

_HELP: Final = "The number of a setting tells what it means, and asks for another value."


def settings(session: Session) -> None:
    """The menu of the section."""
    session.console.say(f"Settings that you change are kept in {config_file(session.home)}.")
    menu(session.console, "Settings", partial(_items, session), _HELP)


def _items(session: Session) -> list[Item]:
    chosen = read_config(session.home)
    return [
        Item(
            f"{one.name}: {_shown(chosen.get(one.name, one.default))}",
            partial(_change, session, one),
        )
        for one in SETTINGS
    ]


def _shown(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else value or "nothing chosen"


def _change(session: Session, setting: Setting) -> None:
    console = session.console
    wanted = f" It is one of {', '.join(setting.choices)}." if setting.choices else ""
    typed = console.ask(
        f"{setting.about}{wanted} Type a value, or none to have it as mynah ships it.",
        "The value is used from now on, in the app as well.",
    )
    value = set_checked(session.home, setting.name, None if typed == "none" else typed)
    session.state.take_setting(setting.name)
    console.say(
        f"{setting.name} is as mynah ships it."
        if value is None
        else f"{setting.name} is {_shown(value)}."
    )
