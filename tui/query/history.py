"""The queries that were run before: a list to take one from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from tui.widgets.panel import Dialog
from tui.widgets.row_list import Column, ListRows, RowList


class PastQueries(Dialog["str | None"]):
    """Newest first; answers with the query taken, or None on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss(None)", "Close")]

    def __init__(self, queries: Sequence[str]) -> None:
        super().__init__()
        self._queries = list(reversed(queries))

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="past") as dialog:
            dialog.border_title = "Queries run before"
            dialog.border_subtitle = "enter takes it · esc closes"
            yield RowList(
                (Column(flex=1),),
                ListRows([[(query, "")] for query in self._queries]),
                empty="None yet. Every query that is run is kept here.",
            )

    @on(RowList.Chosen)
    def _taken(self, event: RowList.Chosen) -> None:
        self.dismiss(self._queries[event.index])
