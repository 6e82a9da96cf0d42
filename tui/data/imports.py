"""Every import so far; enter shows one in full, with what was left out and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from core.errors import MynahError
from core.home import Home
from core.safe_text import plain
from tui.dialogs.text import TextScreen
from tui.section import Mynah
from tui.text.import_reasons import import_page
from tui.text.numbers import ago, count
from tui.widgets.row_list import Column, ListRows, RowCells, RowList

if TYPE_CHECKING:
    from core.corpus.import_log import ImportRecord
    from core.sources.source import BrokenLine


class ImportsScreen(ModalScreen[None]):
    """Newest first. What is left out is a number here and a list behind enter."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss", "Close")]

    @dataclass
    class Listed(Message):
        records: list[ImportRecord]

    @dataclass
    class Opened(Message):
        record: ImportRecord
        places: list[BrokenLine]

    @dataclass
    class Refused(Message):
        error: MynahError

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home
        self._records: list[ImportRecord] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="imports") as dialog:
            dialog.border_title = "Imports"
            dialog.border_subtitle = "enter shows what was left out · esc closes"
            yield RowList(
                (
                    Column("when", width=6, align="right"),
                    Column("account", width=20, hide_under=60),
                    Column("file", flex=1),
                    Column("new", width=9, align="right"),
                    Column("left out", width=9, align="right"),
                ),
                header=True,
                empty="Reading…",
                id="imports",
            )

    def on_mount(self) -> None:
        self.query_one("#imports").focus()
        self._list()

    @work(thread=True, exclusive=True, exit_on_error=False, group="imports")
    def _list(self) -> None:
        from core.corpus.import_log import import_log
        from core.corpus.store import Corpus

        try:
            self.post_message(self.Listed(import_log(Corpus(self._home.corpus))))
        except MynahError as error:
            self.post_message(self.Refused(error))

    @work(thread=True, exclusive=True, exit_on_error=False, group="imports")
    def _open(self, record: ImportRecord) -> None:
        from core.corpus.import_log import import_places
        from core.corpus.store import Corpus

        try:
            self.post_message(self.Opened(record, import_places(Corpus(self._home.corpus), record)))
        except MynahError as error:
            self.post_message(self.Refused(error))

    @on(Listed)
    def _listed(self, message: Listed) -> None:
        self._records = message.records
        rows = self.query_one("#imports", RowList)
        rows.set_empty("Nothing has been imported yet: a adds tweets.")
        rows.set_rows(ListRows([_row(record) for record in self._records]))

    @on(RowList.Chosen, "#imports")
    def _chosen(self, event: RowList.Chosen) -> None:
        if event.index < len(self._records):
            self._open(self._records[event.index])

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        title = f"Import of {message.record.file}"
        self.app.push_screen(TextScreen(title, import_page(message.record, message.places)))

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        cast("Mynah", self.app).show_error(message.error)


def _row(record: ImportRecord) -> RowCells:
    named = [handle for handle in record.handles if handle]
    who = f"@{named[0]}" if named else "–"
    if len(named) > 1:
        who = f"{who} and {len(named) - 1:,}"
    left_out = record.left_out
    return (
        (ago(record.at), "muted"),
        (who, "muted"),
        (plain(record.file), ""),
        (count(record.new), ""),
        (f"▲ {count(left_out)}" if left_out else "0", "warning" if left_out else "muted"),
    )
