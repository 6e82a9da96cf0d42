"""The question before SQL may change the corpus."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from core.safe_text import printable
from tui.text.changing import NO_UNDO, WHAT_STAYS
from tui.widgets.panel import Dialog

_TEXT = f"""\
One statement at a time may then change the tables: INSERT, UPDATE, DELETE, MERGE, CREATE, DROP, \
ALTER. It happens as a whole or not at all.

{NO_UNDO}
{{path}}

{WHAT_STAYS}

Writing ends when you leave this section, or with {{key}}."""


class AllowWriting(Dialog[bool]):
    """Answers True on y, False on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "dismiss(True)", "Allow"),
        ("escape,n,q", "dismiss(False)", "Cancel"),
    ]

    def __init__(self, path: str, key: str) -> None:
        super().__init__()
        self._path, self._key = path, key

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="ask") as dialog:
            dialog.border_title = "▲ Allow SQL to change the corpus?"
            dialog.border_subtitle = "y allows · esc cancels"
            text = _TEXT.format(path=printable(self._path), key=self._key)
            yield Static(Text(text), markup=False)
