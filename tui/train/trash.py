"""The page Trash: deleted runs, how long they stay, having one back, removing them for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from core.numbers import plural, size_in_words
from core.safe_text import printable
from tui.dialogs.decide import Decide
from tui.dialogs.keys import KeyPage
from tui.job import Report
from tui.section.screen import Mynah
from tui.text.numbers import SIGNS, ago, time_left
from tui.train.keeping import KeepingJobs, RunRestored, TrashLine, TrashRead, TrashRemoved
from tui.widgets.row_list import Column, ListRows, RowCells, RowList


class TrashPage(KeyPage[None]):
    """The last deleted run first."""

    NAME = "Trash"
    FOOT = ("restore", "remove", "empty")
    BINDINGS: ClassVar[list[BindingType]] = [
        ("r,enter", "restore", "Bring back"),
        ("x,delete", "remove", "Remove for good"),
        ("X", "empty", "Empty the trash"),
        ("escape,q,T", "dismiss", "Close"),
    ]

    def __init__(self, keeping: KeepingJobs) -> None:
        super().__init__()
        self._keeping = keeping
        self._lines: list[TrashLine] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="trash") as dialog:
            dialog.border_title = "Trash"
            dialog.border_subtitle = "esc closes"
            yield RowList(
                (
                    Column("run", flex=1),
                    Column("deleted", width=8, align="right"),
                    Column("goes in", width=8, align="right"),
                    Column("space", width=8, align="right"),
                ),
                header=True,
                empty="Reading…",
                id="trash",
            )
            yield self.foot()

    def on_mount(self) -> None:
        cast("Mynah", self.app).reported.subscribe(self, self._reported)
        self.query_one("#trash").focus()
        self._keeping.read_trash()

    def _reported(self, report: Report) -> None:
        if isinstance(report, (RunRestored, TrashRemoved)):
            self._keeping.read_trash()
        elif isinstance(report, TrashRead):
            self._lines = report.lines
            rows = self.query_one("#trash", RowList)
            rows.set_empty("The trash is empty.")
            rows.set_rows(ListRows([_row(line) for line in self._lines]), keep_cursor=True)
            title = "Trash"
            if self._lines:
                title += f": {plural(len(self._lines), 'run')}, {_size(self._lines)}"
            self.query_one("#dialog").border_title = title

    def _line(self) -> TrashLine | None:
        at = self.query_one("#trash", RowList).cursor
        return self._lines[at] if at < len(self._lines) else None

    @on(RowList.Chosen)
    def action_restore(self) -> None:
        if (line := self._line()) is not None:
            self._keeping.restore(line.deleted)

    def action_remove(self) -> None:
        if (line := self._line()) is not None:
            self._ask(f"Remove {line.name or line.deleted.id} for good?", [line])

    def action_empty(self) -> None:
        if self._lines:
            self._ask("Empty the trash?", self._lines)

    def _ask(self, question: str, lines: Sequence[TrashLine]) -> None:
        def answered(key: str | None) -> None:
            if key == "y":
                self._keeping.remove(lines)

        goes = f"{plural(len(lines), 'run')} and {_size(lines)} go for good."
        self.app.push_screen(Decide(question, goes, {"y": "removes"}), answered)


def _size(lines: Sequence[TrashLine]) -> str:
    return size_in_words(sum(line.size for line in lines))


def _row(line: TrashLine) -> RowCells:
    deleted = line.deleted
    name = f"{printable(line.name)} · {deleted.id}" if line.name else deleted.id
    if deleted.stale:
        name = f"{SIGNS['warning']} stale · {name}"
    return (
        (name, ""),
        (ago(deleted.deleted), "muted"),
        (time_left(deleted.expires), ""),
        (size_in_words(line.size), "muted"),
    )
