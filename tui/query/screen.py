"""3 Query: SQL over the corpus and the runs, read-only unless one decides otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import ScrollableContainer, Vertical
from textual.widgets import Static

from core.errors import Interrupted, MynahError
from core.home import in_full
from core.numbers import plural
from core.safe_text import printable
from tui.actions import bindings, key_of
from tui.dialogs.replacing import write_to
from tui.job import Report
from tui.query.completion import CompletionMenu, Offer
from tui.query.editor import FIRST_QUERY, SqlEditor
from tui.query.editor_panel import EditorPanel
from tui.query.history import PastQueries
from tui.query.result_table import ResultTable, copied, facts_of
from tui.query.running import CatalogueRead, How, QueryEnded, QueryJob, QuerySaved
from tui.query.saved_list import SavedQueries
from tui.query.tables import SchemaList
from tui.section.columns import acts_on
from tui.section.screen import Section, explained
from tui.widgets.panel import Panel
from tui.widgets.past_texts import PastTexts
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from core.query.catalogue import Catalogue
    from core.query.result import QueryResult


class QuerySection(Section):
    """An editor above its result; saved queries and the tables at the side."""

    SECTION = "query"
    COLUMNS = ("query-side", "query-main")
    FIRST_COLUMN = 1
    BINDINGS: ClassVar[list[BindingType]] = bindings("query")

    def __init__(self, querying: QueryJob) -> None:
        super().__init__()
        self._querying = querying

    def compose_body(self) -> ComposeResult:
        with Vertical(id="query-side", classes="column side"):
            yield SavedQueries()
            with Panel(title="Tables", status="enter takes a name", id="schema-panel"):
                yield SchemaList(id="schema")
        with Vertical(id="query-main", classes="column main"):
            yield EditorPanel(self.state.session.get("query", ""))
            with Panel(title="Result", id="result-panel"):
                yield ResultTable(empty="f5 runs the query.", id="result")
                with ScrollableContainer(id="plan"):
                    yield Static("", id="plan-text", markup=False)
        yield CompletionMenu(id="names")

    def on_mount(self) -> None:
        self._result: QueryResult | None = None
        self._asked = self._given = ""  # of the result that is shown, and what was run last
        self._title = ""  # of the saved query in the editor
        self._offset = (0, 0)  # where the part that was run begins in the editor
        self._walk: PastTexts | None = None
        self._names: Catalogue | None = None
        self.query_one(SqlEditor).completer = self._complete
        self.mynah.reported.subscribe(self, self._reported)
        self.mynah.accounts_changed.subscribe(self, lambda _: self._querying.read_catalogue())
        self._ticking = self.set_interval(0.2, self._tick, pause=True)
        self.query_one(SavedQueries).read(self.state.home)
        self._set_writing(False)
        if self.state.accounts is not None:  # else when they are read
            self._querying.read_catalogue()
        # not the editor: there, the keys 1 to 5 would be typed and nobody would find the way out
        self.query_one("#saved").focus()

    def to_remember(self) -> dict[str, str]:
        text = self.query_one(SqlEditor).text
        return {"query": "" if text == FIRST_QUERY else text}

    @on(events.ScreenSuspend)
    def _left(self) -> None:
        """Another section, not a dialog above this one: writing ends."""
        if self.is_mounted and self.mynah.section != self.SECTION and self._writing:
            self._set_writing(False)

    def possible(self, action: str) -> bool:
        busy = self._querying.busy
        if action in ("copy", "export"):
            return self._result is not None and not busy
        if action in ("run", "explain"):
            return not busy
        return True

    # ── running ──────────────────────────────────────────────────────────────────────────

    def action_run(self) -> None:
        self._start("write" if self._writing else "run")

    def action_explain(self, analyse: bool) -> None:
        self._start("analyse" if analyse else "explain")

    def _start(self, how: How) -> None:
        editor = self.query_one(SqlEditor)
        editor.close_menu()
        selected = editor.selected_text
        if not self._querying.run(selected or editor.text, how):
            return
        self._offset = min(editor.selection) if selected else (0, 0)
        self._given = selected or editor.text
        self._walk = None
        self._note("")
        self._tick()

    def action_stop(self) -> None:
        """Esc stops a running query; with none, it leaves the editor so that 1 to 5 work again."""
        if self._querying.stop():
            self._tick()
        else:
            plan = self.query_one("#plan")
            self.reveal(plan if plan.display else self.query_one("#result"))

    def _tick(self) -> None:
        """While a query runs: how long and how far."""
        job = self._querying
        if not job.busy:
            self._ticking.pause()
        else:
            self._ticking.resume()
            rows = f" · {plural(job.rows, 'row')} so far" if job.rows else ""
            state = "stopping…" if job.stopping else f"running… {job.seconds:.0f} s{rows}"
            hint = "" if job.stopping else " · esc stops"
            self.query_one("#result-panel", Panel).status = state + hint

    def _reported(self, report: Report) -> None:
        if isinstance(report, CatalogueRead):
            self._names = report.catalogue
            self.query_one(SchemaList).show(report.catalogue.tables)
        elif isinstance(report, QuerySaved):
            self._show_status()
            if report.error is None:
                self.app.notify(f"{plural(report.rows, 'row')} in {report.path}", title="Exported")
            else:
                self.mynah.show_error(report.error)
        elif isinstance(report, QueryEnded):
            self._show_end(report)

    def _show_end(self, ended: QueryEnded) -> None:
        self._turn_to(self.FIRST_COLUMN)
        if ended.error is not None:
            self._show_refusal(ended.error)
        elif ended.plan is not None:
            self._show_plan(ended.plan)
        elif ended.changed is not None:
            changed = ended.changed
            self._clear(f"{changed} in {changed.seconds:.2f} s.", "changed")
            self._querying.read_catalogue()
        elif ended.result is not None:
            self._show_result(ended.result)
        if ended.note:
            self.app.notify(ended.note)

    # ── what came of it ──────────────────────────────────────────────────────────────────

    def _show_result(self, result: QueryResult) -> None:
        self._result, self._asked = result, self._given
        self._show_plan(None)
        table = self.query_one(ResultTable)
        table.show(result)
        table.focus()

    @on(ResultTable.ColumnMoved)
    def _show_status(self) -> None:
        """How many rows, how long it took, and what is not shown."""
        result, table = self._result, self.query_one(ResultTable)
        if result is None:
            return
        self.query_one("#result-panel", Panel).status = facts_of(result, table, self.state.keymap)

    def _show_plan(self, plan: str | None) -> None:
        self.query_one("#plan").display = plan is not None
        self.query_one("#result").display = plan is None
        if plan is not None:
            text = Text(printable(plan, keep_newlines=True), no_wrap=True)
            self.query_one("#plan-text", Static).update(text)
            self.query_one("#result-panel", Panel).status = "plan, read from the bottom up"
            self.query_one("#plan", ScrollableContainer).scroll_home(animate=False)
            self.query_one("#plan").focus()

    def _show_refusal(self, error: MynahError) -> None:
        from core.query.refusal import QueryRefused

        stopped = isinstance(error, Interrupted)
        editor = self.query_one(SqlEditor)
        span = error.span if isinstance(error, QueryRefused) else None
        where = ""
        if span is not None:
            row, column = self._offset
            line = span.line + row
            at = span.column + (column if span.line == 1 else 0)
            where = f"▲ line {line}, column {at}: "
            editor.mark(line, at, span.length)
            editor.focus()
        self._clear("" if not stopped else str(error), "stopped" if stopped else "refused")
        if not stopped:
            parts = " ".join(part for part in (error.what, error.why, error.next_step) if part)
            self._note(where + parts)
            self.query_one(ResultTable).set_empty("No result: see under the query.")

    def _clear(self, sentence: str, status: str) -> None:
        self._result = None
        self._show_plan(None)
        self.query_one(ResultTable).clear(sentence)
        self.query_one("#result-panel", Panel).status = status

    def _put(self, sql: str) -> bool:
        self._note("")
        return self.query_one(SqlEditor).put_text(sql)

    def _note(self, text: str) -> None:
        self.query_one(EditorPanel).note(text)

    @on(RowList.Chosen, "#result")
    def _cell_chosen(self) -> None:
        from tui.dialogs.text import TextScreen

        table, result = self.query_one(ResultTable), self._result
        if result is not None and len(result):
            name = result.frame.columns[table.column]
            self.app.push_screen(TextScreen(name, result.value(table.cursor, table.column)))

    # ── copies and files ─────────────────────────────────────────────────────────────────

    @acts_on("#result")
    def action_copy(self, what: str) -> None:
        table, result = self.query_one(ResultTable), self._result
        if result is None or not len(result):
            self.app.notify("There is no result to copy from.", title="Nothing copied")
            return
        text, sentence = copied(result, what, table.cursor, table.column)
        self.mynah.copy(text, sentence)

    def action_export(self) -> None:
        from tui.dialogs.ask import Ask

        result = self._result
        if result is None:
            self.app.notify("There is no result to write.", title="Nothing exported")
            return

        def answered(answer: str | None) -> None:
            if answer is not None:
                write_to(self.app, answer, write)

        def write(path: Path) -> None:
            if self._querying.save(result, self._asked, path):
                self._tick()

        question = "File for all rows: .csv .jsonl .json .parquet"
        self.app.push_screen(Ask(question, str(in_full("result.csv"))), answered)

    # ── saved queries and those before ───────────────────────────────────────────────────

    @on(RowList.Chosen, "#saved")
    def _saved_chosen(self, event: RowList.Chosen) -> None:
        query = self.query_one(SavedQueries).queries[event.index]
        if not self._put(query.sql):
            return
        self._title = query.title if query.own else ""
        self._start("run")  # a saved query that changes something is run on purpose, with f5

    def action_side(self, name: str) -> None:
        self.reveal(self.query_one(f"#{name}"))

    def action_save(self) -> None:
        from tui.dialogs.ask import Ask

        def named(title: str | None) -> None:
            if title is not None:
                self._keep(title)

        self.app.push_screen(Ask("Save the query as", self._title), named)

    @explained
    def _keep(self, title: str) -> None:
        from core.query.saved import keep_query

        sql = self.query_one(SqlEditor).text
        kept = keep_query(self.state.home, title, sql, replace=title == self._title)
        self._title = kept.title
        self.query_one(SavedQueries).read(self.state.home)
        self.app.notify(f"{kept.title}, first in the list.", title="Saved")

    def action_new(self) -> None:
        """An empty query; what was there is kept in the editor's history."""
        self._title = ""
        self._put("")
        self.reveal(self.query_one(SqlEditor))

    @explained
    def action_edit_outside(self) -> None:
        from tui.external_editor import edit_outside

        editor = self.query_one(SqlEditor)
        written = edit_outside(self.app, editor.text, "query.sql")
        if written is not None and not self._put(written):
            self.mynah.copy(written, "What was written, which the editor here does not hold.")
        self.reveal(editor)

    def action_history(self) -> None:
        from core.query.history import query_history

        def taken(sql: str | None) -> None:
            if sql is not None:
                self._put(sql)
                self.reveal(self.query_one(SqlEditor))

        self.app.push_screen(PastQueries(query_history(self.state.home)), taken)

    @on(SqlEditor.Older)
    @on(SqlEditor.Newer)
    def _step(self, event: SqlEditor.Older | SqlEditor.Newer) -> None:
        editor = self.query_one(SqlEditor)
        if self._walk is None:
            from core.query.history import query_history

            self._walk = PastTexts(query_history(self.state.home), editor.text)
        sql = self._walk.step(-1 if isinstance(event, SqlEditor.Older) else 1)
        if sql is not None:
            self._put(sql)
            editor.move_cursor(editor.document.end)

    # ── names ────────────────────────────────────────────────────────────────────────────

    def _complete(self, text: str, cursor: int) -> tuple[int, list[Offer]]:
        if self._names is None:
            return cursor, []
        from core.query.completion import complete

        found = complete(self._names, text, cursor)
        return found.start, [Offer(c.text, c.kind, c.note) for c in found.choices]

    @on(CompletionMenu.Clicked)
    def _name_clicked(self, event: CompletionMenu.Clicked) -> None:
        self.query_one(SqlEditor).take(event.text)

    @on(SchemaList.Taken)
    def _name_taken(self, event: SchemaList.Taken) -> None:
        editor = self.query_one(SqlEditor)
        editor.insert_name(event.name)
        self.reveal(editor)

    # ── the switch ───────────────────────────────────────────────────────────────────────

    def action_write(self) -> None:
        from tui.query.allow_writing import AllowWriting

        if self._writing:
            self._set_writing(False)
            return
        path, key = str(self.state.home.corpus), key_of("query.write", self.state.keymap)
        self.app.push_screen(AllowWriting(path, key), self._set_writing)

    def _set_writing(self, writing: bool | None) -> None:
        self._writing = bool(writing)
        key = key_of("query.write", self.state.keymap)
        self.query_one(EditorPanel).show_writing(self._writing, key)

    @on(events.ScreenResume)
    def _take_settings(self) -> None:
        """Also after the page of settings."""
        self.query_one(SqlEditor).use_vim(self.state.config.get("query.vim") == "on")

    @explained
    def action_vim(self) -> None:
        """Vim's keys, or no longer; kept for the next start."""
        from core.config import set_config

        editor = self.query_one(SqlEditor)
        on = editor.vim is None
        editor.use_vim(on)
        set_config(self.state.home, "query.vim", "on" if on else "off")
        self.mynah.setting_changed("query.vim")
        key = key_of("query.vim", self.state.keymap)
        self.app.notify(
            "The editor is in normal mode: i types, esc ends it, f1 lists the keys."
            if on
            else f"The editor takes the usual keys; {key} brings Vim's back.",
            title="Vim keys are on" if on else "Vim keys are off",
        )
