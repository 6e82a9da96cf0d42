"""3 Query: SQL over the corpus and the runs, read-only by construction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from tui.actions import bindings
from tui.frame import Section
from tui.widgets.panel import Panel
from tui.widgets.row_list import Column, ListRows, RowCells, RowList
from tui.words import count, plural

if TYPE_CHECKING:
    from core.corpus import QueryResult

MOST_ROWS = 100_000
NARROWEST = 12
FIRST_QUERY = """-- f5 or ctrl+r runs it
-- tables: accounts, tweets
-- views: curated, account_stats, runs, metrics, samples
SELECT kind, count(*) AS tweets, round(avg(length(text))) AS characters
FROM tweets GROUP BY kind ORDER BY tweets DESC
"""


class ResultLines:
    """Rows of a query result for RowList; values become text only when they are drawn."""

    def __init__(self, result: QueryResult, first: int = 0) -> None:
        self._result = result
        self._first = first

    def __len__(self) -> int:
        return len(self._result)

    def row(self, index: int) -> RowCells:
        return [(cell, "") for cell in self._result.cells(index)[self._first :]]


class QuerySection(Section):
    """An editor above its result; saved queries at the side."""

    SECTION = "query"
    COLUMNS = ("query-side", "query-main")
    FIRST_COLUMN = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("query"),
        ("right", "columns(1)", "Columns to the right"),
        ("left", "columns(-1)", "Columns to the left"),
    ]

    def compose_body(self) -> ComposeResult:
        with Vertical(id="query-side", classes="column side"):
            with Panel(title="Saved queries", id="saved-panel"):
                yield RowList((Column(flex=1),), empty="None.", id="saved")
        with Vertical(id="query-main", classes="column main"):
            with Panel(title="Query", status="read-only", id="editor-panel"):
                yield TextArea.code_editor(
                    FIRST_QUERY, language=None, theme="css", id="editor", show_line_numbers=False
                )
            with Panel(title="Result", id="result-panel"):
                yield RowList(
                    (Column(flex=1),), empty="f5 runs the query.", id="result", header=True
                )

    def on_mount(self) -> None:
        super().on_mount()
        from core.corpus import saved_queries

        self._saved = saved_queries(self.state.home)
        self._result: QueryResult | None = None
        self._first = 0
        self.query_one("#saved", RowList).set_rows(
            ListRows([((query.title, ""),) for query in self._saved])
        )
        self.mynah.query_moved.subscribe(self, self._query_moved)
        # not the editor: there, the keys 1 to 5 would be typed and nobody would find the way out
        self.query_one("#saved").focus()

    def possible(self, action: str) -> bool:
        return self.mynah.querying.busy == (action == "stop") or action == "saved"

    def action_run(self) -> None:
        editor = self.query_one("#editor", TextArea)
        self.query_one("#result-panel", Panel).status = "running… esc stops"
        self.mynah.querying.run(editor.selected_text or editor.text, MOST_ROWS)

    def action_stop(self) -> None:
        """Esc stops a running query; with none, it leaves the editor so that 1 to 5 work again."""
        if self.mynah.querying.stop():
            self.query_one("#result-panel", Panel).status = "stopping…"
        else:
            self.query_one("#result").focus()

    def action_saved(self) -> None:
        self.query_one("#saved").focus()

    @on(RowList.Chosen, "#saved")
    def _saved_chosen(self, event: RowList.Chosen) -> None:
        self.query_one("#editor", TextArea).load_text(self._saved[event.index].sql)
        self.action_run()

    def action_columns(self, step: int) -> None:
        """Look further right or left in a result wider than the window."""
        if self._result is not None:
            last = len(self._result.layout()) - 1
            self._first = max(0, min(self._first + step, last))
            self._show_columns()

    def _show_columns(self) -> None:
        """Columns from the first one on; those that do not fit are counted in the title."""
        result, listing = self._result, self.query_one("#result", RowList)
        if result is None:
            return
        layout = result.layout()[self._first :]
        room = max(20, listing.size.width - 4)
        shown: list[Column] = []
        for name, width, right in layout:
            if shown and room < width:
                if room >= NARROWEST:
                    shown.append(Column(name, flex=1))  # cut, with a sign
                break
            room -= width + 1
            shown.append(Column(name, width=width, align="right" if right else "left"))
        listing.set_columns(shown)
        listing.set_rows(ResultLines(result, self._first), keep_cursor=True)
        cut = f" · first {count(MOST_ROWS)} shown" if result.truncated else ""
        total = self._first + len(layout)
        if len(shown) < total:
            cut += f" · columns {self._first + 1}–{self._first + len(shown)} of {total}, ← → move"
        self.query_one(
            "#result-panel", Panel
        ).status = f"{plural(len(result), 'row')} · {result.seconds:.2f} s{cut}"

    def _query_moved(self, message: Any) -> None:
        panel = self.query_one("#result-panel", Panel)
        listing = self.query_one("#result", RowList)
        if message.error is not None:
            panel.status = "refused" if message.stopped is False else "stopped"
            listing.set_empty(str(message.error))
            listing.set_rows(ListRows())
            return
        self._result, self._first = message.result, 0
        listing.set_empty("No rows.")
        self._show_columns()
        listing.focus()
