"""The panel around the SQL editor: open this for its titles, and the words under the query."""

from __future__ import annotations

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from core.safe_text import printable
from tui.query.editor import FIRST_QUERY, SqlEditor, pieces
from tui.widgets.panel import Panel


class EditorPanel(Panel):
    """``text`` is what the editor begins with; empty for a first query to try."""

    def __init__(self, text: str) -> None:
        super().__init__(title="Query", id="editor-panel")
        self._text = text

    def compose(self) -> ComposeResult:
        yield SqlEditor(self._text or FIRST_QUERY, pieces=pieces, id="editor")
        yield Static("", id="query-note", markup=False)

    def note(self, text: str) -> None:
        """Words on a query that was refused; empty takes them away."""
        note = self.query_one("#query-note", Static)
        note.display = bool(text)
        note.update(Text(printable(text)))

    def show_writing(self, writing: bool, key: str) -> None:
        """Whether a query may change the tables; ``key`` switches it."""
        self.set_class(writing, "-writing")
        self.title = "▲ writing" if writing else "Query"
        self.status = (
            f"f5 may change the corpus · {key} ends it"
            if writing
            else f"read-only · {key} to write"
        )

    @on(SqlEditor.ModeChanged)
    def _mode_changed(self, event: SqlEditor.ModeChanged) -> None:
        self.border_subtitle = Content(printable(event.label))
