"""A page over a section: open this for the line of keys at its foot, and for its own help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.markup import escape
from textual.screen import ScreenResultType
from textual.widgets import Static

from tui.actions import shown_key
from tui.widgets.key_footer import FooterKey, KeyFooter
from tui.widgets.panel import Dialog


class KeyPage(Dialog[ScreenResultType]):
    """Its keys are its ``BINDINGS``, tuples of keys, action and label: ? lists them all.

    NAME  what the page is called in the title of its help
    FOOT  the actions that stand in the line at its foot, as room allows

    Example: ``yield self.foot()`` as the last of ``compose``.
    """

    NAME: ClassVar[str] = ""
    FOOT: ClassVar[tuple[str, ...]] = ()
    # A subclass has BINDINGS of its own; Textual adds these to them.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "all_keys", "Help", show=False)
    ]

    def foot(self) -> KeyFooter:
        labels = {action: (keys, label) for keys, action, label in self._keys()}
        shown = [
            FooterKey(shown_key(labels[action][0].split(",")[0]), labels[action][1], action)
            for action in self.FOOT
        ]
        return KeyFooter(shown, FooterKey("?", "Help", "all_keys"))

    def _keys(self) -> list[tuple[str, str, str]]:
        return [binding for binding in type(self).BINDINGS if isinstance(binding, tuple)]  # type: ignore[misc]

    def action_all_keys(self) -> None:
        rows = [
            (" ".join(map(shown_key, keys.split(","))), label) for keys, _, label in self._keys()
        ]
        self.app.push_screen(KeysScreen(self.NAME, rows))


class KeysScreen(Dialog[None]):
    """What each key of a page does."""

    BINDINGS = [("escape,q,question_mark,f1", "dismiss", "Close")]

    def __init__(self, page: str, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._page, self._rows = page, rows

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", classes="keys") as dialog:
            dialog.border_title = escape(f"Help: {self._page}")
            dialog.border_subtitle = "esc closes"
            yield Static(two_columns(self._rows))

    def on_mount(self) -> None:
        self.query_one("#dialog").focus()


def two_columns(rows: Sequence[tuple[str, str]]) -> Table:
    """Keys, and what they do."""
    table = Table.grid(padding=(0, 2))
    for keys, what in rows:
        table.add_row(Text(keys, "bold"), Text(what))
    return table
