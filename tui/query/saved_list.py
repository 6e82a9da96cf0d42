"""The saved queries at the side of Query, each with what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult

from core.home import Home
from core.safe_text import printable
from tui.widgets.panel import Panel
from tui.widgets.row_list import Column, ListRows, RowList
from tui.widgets.words import Words

if TYPE_CHECKING:
    from core.query.saved import SavedQuery


class SavedQueries(Panel):
    """``queries`` are those of the home, one's own first, then those that come with mynah."""

    def __init__(self) -> None:
        super().__init__(title="Saved queries", id="saved-panel")
        self.queries: list[SavedQuery] = []

    def compose(self) -> ComposeResult:
        yield RowList((Column(flex=1), Column(width=3, align="right")), empty="None.", id="saved")
        yield Words("", id="saved-about", markup=False)

    def read(self, home: Home) -> None:
        from core.query.saved import saved_queries

        self.queries = saved_queries(home)
        rows = [((q.title, ""), ("own" if q.own else "", "muted")) for q in self.queries]
        self.query_one(RowList).set_rows(ListRows(rows), keep_cursor=True)
        self.status = str(len(self.queries))

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        about = self.queries[event.index].about if event.index < len(self.queries) else ""
        self.query_one("#saved-about", Words).update(Text(printable(about)))
