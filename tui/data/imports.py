"""The dialog that lists the imports; enter shows one in full, with what was left out and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from core.safe_text import printable
from tui.actions import with_keys
from tui.dialogs.text import TextScreen
from tui.job import Attempt, Host, Job, Report
from tui.section.screen import Mynah
from tui.text.import_reasons import import_page
from tui.text.numbers import ago, count
from tui.widgets.panel import Dialog
from tui.widgets.row_list import Column, ListRows, RowCells, RowList

if TYPE_CHECKING:
    from core.corpus.import_log import ImportRecord
    from core.sources.source import BrokenLine


@dataclass
class ImportsListed(Report):
    records: list[ImportRecord]


@dataclass
class ImportOpened(Report):
    """One import with the lines that could not be read."""

    record: ImportRecord
    places: list[BrokenLine]


class ImportLogJob(Job):
    """Reports ImportsListed and ImportOpened; the newest start wins."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "reading the imports", newest_wins=True)

    def list_all(self) -> None:
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.corpus.import_log import import_log
            from core.corpus.store import Corpus

            return ImportsListed(import_log(Corpus(home.corpus)))

        self.start(work)

    def open(self, record: ImportRecord) -> None:
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.corpus.import_log import import_places
            from core.corpus.store import Corpus

            return ImportOpened(record, import_places(Corpus(home.corpus), record))

        self.start(work)


class ImportsScreen(Dialog[None]):
    """Newest first. What is left out is a number here and a list behind enter."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss", "Close")]

    def __init__(self, log: ImportLogJob) -> None:
        super().__init__()
        self._log = log
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
        cast("Mynah", self.app).reported.subscribe(self, self._reported)
        self.query_one("#imports").focus()
        self._log.list_all()

    def on_unmount(self) -> None:
        self._log.stop()

    def _reported(self, message: Report) -> None:
        if isinstance(message, ImportsListed):
            self._records = message.records
            rows = self.query_one("#imports", RowList)
            keymap = cast("Mynah", self.app).state.keymap
            none = with_keys("Nothing has been imported yet: {data.add} adds tweets.", keymap)
            rows.set_empty(none)
            rows.set_rows(ListRows([_row(record) for record in self._records]))
        elif isinstance(message, ImportOpened):
            title = f"Import of {message.record.file}"
            self.app.push_screen(TextScreen(title, import_page(message.record, message.places)))

    @on(RowList.Chosen, "#imports")
    def _chosen(self, event: RowList.Chosen) -> None:
        if event.index < len(self._records):
            self._log.open(self._records[event.index])


def _row(record: ImportRecord) -> RowCells:
    named = [handle for handle in record.handles if handle]
    who = f"@{named[0]}" if named else "–"
    if len(named) > 1:
        who = f"{who} and {len(named) - 1:,}"
    left_out = record.left_out
    return (
        (ago(record.at), "muted"),
        (who, "muted"),
        (printable(record.file), ""),
        (count(record.new), ""),
        (f"▲ {count(left_out)}" if left_out else "0", "warning" if left_out else "muted"),
    )
