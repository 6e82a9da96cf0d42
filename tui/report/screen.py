"""The dialog Report: what the last report of a run says, a group of measures at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.markup import escape
from textual.widgets import Static

from core.errors import Interrupted
from core.numbers import plural
from core.safe_text import printable
from tui.dialogs.keys import KeyPage
from tui.job import Report
from tui.report.making import (
    DropLeaksJob,
    MakeReportJob,
    ReadReportJob,
    ReportEnded,
    ReportMoved,
    ReportRead,
)
from tui.report.page import Page, group_lines, groups_of, legend_lines
from tui.report.points import TABS
from tui.section.screen import Mynah
from tui.text.bars import level_bar
from tui.text.numbers import SIGNS, ago
from tui.widgets.progress_line import ProgressLine
from tui.widgets.row_list import Column, ListRows, RowList

if TYPE_CHECKING:
    from core.progress import Progress
    from core.report.last import LastReport
    from core.report.measures import Group
    from core.runs.summary import RunSummary

# Cells of the bar that shows how much of a tweet came back.
_BAR = 6
NO_REPORT = (
    "No report on this run yet.",
    "A report says how well the model imitates its author and how much it copies. The model writes "
    "texts, and so does the base that it was tuned from; both are set beside tweets that the model "
    "never saw, a parrot that only gives training tweets back, and other people.",
    "m makes one, in some minutes. l makes one that also tries to get training tweets out of the "
    "model. Both go on while you do something else, and nothing is downloaded or sent.",
)
NO_MODEL = (
    "This run has no model yet.",
    "A model is written when a training ends or is stopped; then m makes a report on it.",
)
MAKING = (
    "The report is being made.",
    "It stands here when it is done, and goes on while you do something else.",
)


class ReportScreen(KeyPage[None]):
    """Closing it leaves a report in the making alone."""

    NAME = "Report"

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,R", "close", "Close"),
        ("right,right_square_bracket", "turn(1)", "Next group"),
        ("left,left_square_bracket", "turn(-1)", "Previous group"),
        ("m", "make(False)", "Make a report"),
        ("l", "make(True)", "Make one with leaks"),
        ("d", "drop", "Train without what leaks"),
        ("x", "stop", "Stop"),
    ]

    def __init__(
        self,
        run: RunSummary,
        reading: ReadReportJob,
        making: MakeReportJob,
        dropping: DropLeaksJob,
    ) -> None:
        super().__init__()
        self._run, self._reading, self._making, self._dropping = run, reading, making, dropping
        self._last: LastReport | None = None
        self._current: bool | None = None
        self._groups: list[Group] = []
        self._group: Group | None = None
        self._phase: str | None = None
        self._is_being_made = False

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="report") as dialog:
            name = printable(self._run.name or self._run.run)
            dialog.border_title = escape(f"Report: {name}")
            yield Page(id="report-facts")
            yield ProgressLine(id="report-progress")
            yield Static("", id="report-tabs", markup=False)
            with VerticalScroll(id="report-scroll"):
                yield Page(id="report-page")
            yield RowList(
                (Column("came back", width=9), Column(width=_BAR), Column("tweet", flex=1)),
                header=True,
                empty="No tweet came back by half or more.",
                id="report-leaks",
            )
            yield Page(id="report-legend")

    def on_mount(self) -> None:
        self._mynah.reported.subscribe(self, self._reported)
        self.query_one("#report-leaks").display = False
        self.query_one("#report-scroll").focus()
        self._say([("reading…", "muted")])
        self._reading.read(self._run.folder)
        if self._making.busy and self._making.run == self._run.run:
            self._is_being_made = True
            self._show_progress(self._making.newest)

    @property
    def _mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    # ── what the jobs report ─────────────────────────────────────────────────────────────

    def _reported(self, message: Report) -> None:
        if getattr(message, "run", None) != self._run.run:
            return
        if isinstance(message, ReportRead):
            self._last, self._current = message.last, message.current
            self._groups = [] if message.last is None else groups_of(message.last)
            if self._group not in self._groups:
                self._group = self._groups[0] if self._groups else None
            self._draw()
        elif isinstance(message, ReportMoved):
            self._show_progress(message.progress)
        elif isinstance(message, ReportEnded):
            self._ended(message)

    def _ended(self, message: ReportEnded) -> None:
        line = self.query_one(ProgressLine)
        self._phase, self._is_being_made = None, False
        if message.error is None:
            line.finish("The report is made.")
            self._reading.read(self._run.folder)
        elif isinstance(message.error, Interrupted):
            line.fail("Stopped. What was drawn is kept: m goes on from there.")
        else:
            line.fail(message.error.what)
        if message.error is not None:
            self._draw()  # no report comes: what stood there before is true again

    def _show_progress(self, progress: Progress | None) -> None:
        line = self.query_one(ProgressLine)
        phase = progress.phase if progress is not None else "starting"
        if phase != self._phase or not line.is_busy:
            self._phase = phase
            total = progress.total if progress is not None else None
            line.start(phase[:1].upper() + phase[1:], total=total, stop_key="x")
        if progress is not None:
            line.advance_to(progress.done, progress.total, rate=progress.rate)
        if self._making.stopping:
            line.stopping()

    # ── drawing ──────────────────────────────────────────────────────────────────────────

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._draw_page)

    def _say(self, line: list[tuple[str, str]]) -> None:
        self.query_one("#report-facts", Page).show([line])

    def _draw(self) -> None:
        last = self._last
        self._show_keys()
        self.query_one("#report-tabs").display = last is not None
        self.query_one("#report-legend").display = last is not None
        if last is None:
            self._say([])
            lines = NO_REPORT if self._run.has_model else NO_MODEL
            if self._is_being_made:
                lines = MAKING
            page = [[(lines[0], "title")], *([("\n" + line, "")] for line in lines[1:])]
            self.query_one("#report-page", Page).show(page)
            return
        since = ago(last.made)
        facts = "made just now" if since == "now" else f"made {since} ago"
        facts += f" · {plural(last.n, 'text')} of each · seed {last.seed}"
        line = [(facts, "muted")]
        if self._current is False:
            line = [(f"{SIGNS['warning']} The model has changed since this report. ", "warning")]
            line.append((facts, "muted"))
        elif self._current:
            line.append((" · model unchanged since", "muted"))
        self._say(line)
        if last.leaks is not None:
            listing = self.query_one("#report-leaks", RowList)
            listing.set_rows(
                ListRows(
                    [
                        (
                            (f"{leak.back} of {leak.words}", "warning" if leak.extracted else ""),
                            (level_bar(leak.back, leak.words, _BAR), "warning"),
                            (text or f"tweet {leak.tweet_id}, whose text is gone", ""),
                        )
                        for leak, text in last.leaks
                    ]
                )
            )
        self._draw_page()

    def _show_keys(self) -> None:
        keys = ["m makes it again" if self._last is not None else "m makes one", "l with leaks"]
        if self._group == "leak" and self._whole():
            keys = ["l again", "d new run without these"]
        if len(self._groups) > 1:
            keys.insert(0, "← → other measures")
        self.query_one("#dialog").border_subtitle = "   ".join([*keys, "esc closes"])

    def _whole(self) -> int:
        """How many tweets came back word for word."""
        leaks = self._last.leaks if self._last is not None else None
        return sum(leak.extracted for leak, _ in leaks or [])

    def _draw_page(self) -> None:
        self._show_keys()
        last, group = self._last, self._group
        if last is None or group is None:
            return
        tabs = Text(no_wrap=True, overflow="ellipsis")
        for one in self._groups:
            tabs.append(f" {TABS[one]} ", "reverse bold" if one == group else "")
            tabs.append("  ")
        self.query_one("#report-tabs", Static).update(tabs)
        scroll, listing = self.query_one("#report-scroll"), self.query_one("#report-leaks", RowList)
        listing.display = group == "leak" and last.leaks is not None
        if not listing.display and listing.has_focus:
            scroll.focus()
        width = scroll.scrollable_content_region.width
        self.query_one("#report-page", Page).show(group_lines(last, group, width))
        self.query_one("#report-legend", Page).show(legend_lines(last, group))

    # ── what a person does ───────────────────────────────────────────────────────────────

    def action_turn(self, step: int) -> None:
        if self._group is not None:
            at = self._groups.index(self._group)
            self._group = self._groups[(at + step) % len(self._groups)]
            self._draw_page()
            self.query_one("#report-scroll").scroll_home(animate=False)
            if self._group == "leak" and len(self.query_one("#report-leaks", RowList).rows):
                self.query_one("#report-leaks").focus()

    def action_make(self, leaks: bool) -> None:
        if self._making.make(self._run.folder, leaks=leaks):
            self._is_being_made = True
            self._show_progress(None)
            self._draw()
        else:
            self.app.notify(
                f"On {self._making.run}. One at a time.", title="A report is being made already"
            )

    def action_drop(self) -> None:
        """A new run without the tweets that came back whole, after a yes."""
        from tui.dialogs.decide import Decide

        whole = self._whole()
        if not whole:
            looked = self._last is not None and self._last.leaks is not None
            self.app.notify(
                "No tweet came back whole." if looked else "l makes a report that looks for leaks.",
                title="Nothing to leave out",
            )
            return

        def decided(answer: str | None) -> None:
            if answer == "y" and not self._dropping.drop(self._run.folder):
                self.app.notify("It is being started already.", title="One at a time")
            elif answer == "y":
                self.app.notify(
                    "Freezing the dataset, then the trainer starts.", title="Starting a run"
                )

        self.app.push_screen(
            Decide(
                f"Train again without {plural(whole, 'tweet')}?",
                f"A new run with the accounts, recipe and settings of this one, but for "
                f"{'the tweet' if whole == 1 else f'the {whole} tweets'} that came back word for "
                "word. They stay in the corpus, and this run stays as it is.",
                {"y": "starts it"},
            ),
            decided,
        )

    @on(ProgressLine.StopRequested)
    def action_stop(self) -> None:
        if self._making.run == self._run.run and self._making.stop():
            self.query_one(ProgressLine).stopping()
        else:
            self.app.notify("No report on this run is being made.", title="Nothing to stop")

    @on(RowList.Chosen, "#report-leaks")
    def _leak_chosen(self, event: RowList.Chosen) -> None:
        from tui.dialogs.text import TextScreen

        if self._last is not None and self._last.leaks is not None:
            leak, text = self._last.leaks[self.query_one("#report-leaks", RowList).cursor]
            title = f"{leak.back} of {leak.words} words came back"
            self.app.push_screen(TextScreen(title, f"{text}\n\ntweet {leak.tweet_id}"))

    def action_close(self) -> None:
        self.dismiss()
