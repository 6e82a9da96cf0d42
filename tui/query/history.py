"""The queries that were run before: walking through them, and a list to take one from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.widgets.row_list import Column, ListRows, RowList


class QueryWalk:
    """Steps through ``past`` (oldest first); behind the newest waits what was being typed."""

    def __init__(self, past: Sequence[str], draft: str) -> None:
        self._past = past
        self._draft = draft
        self._at = len(past)
        if past and past[-1] == draft.strip():
            self._at -= 1  # what stands there is the newest one

    def step(self, by: int) -> str | None:
        """The query ``by`` steps on, or None when there is none in that direction."""
        to = max(0, min(self._at + by, len(self._past)))
        if to == self._at:
            return None
        self._at = to
        return self._draft if to == len(self._past) else self._past[to]


class PastQueries(ModalScreen["str | None"]):
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
