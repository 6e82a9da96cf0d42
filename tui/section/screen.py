"""The frame around every section: open this for the top bar, the next step and the footer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Final, ParamSpec, Protocol, cast

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from core.errors import MynahError
from core.numbers import percent
from core.safe_text import printable
from tui.actions import footer_actions, key_of
from tui.job import Host, Report
from tui.section.columns import Columns
from tui.section.notice_lines import NoticeLines
from tui.state import NewRun, State
from tui.text.next_step import next_step
from tui.text.numbers import short_count
from tui.text.whereabouts import whereabouts
from tui.widgets.field import Field
from tui.widgets.job_status import JobStatus
from tui.widgets.key_footer import FooterKey, KeyFooter
from tui.widgets.words import Words

if TYPE_CHECKING:
    from textual.events import Click
    from textual.signal import Signal

    from core.curation.recipe import Recipe
    from core.runs.summary import RunSummary

Answer = ParamSpec("Answer")


class Mynah(Host, Protocol):
    """What a section or a dialog needs of the app: signals of changes, and ways to make them.

    One signal for each part of the state; ``reported`` carries the reports of the jobs.
    """

    section: str
    accounts_changed: Signal[State]
    recipe_changed: Signal[State]
    curation_changed: Signal[State]
    comparison_changed: Signal[State]
    new_run_changed: Signal[NewRun]
    runs_changed: Signal[State]
    report_changed: Signal[State]
    reported: Signal[Report]

    def go(self, section: str) -> None: ...
    def setting_changed(self, name: str) -> None: ...
    def choose(self, handles: list[str]) -> None: ...
    def change_recipe(self, recipe: Recipe, *, saved: bool = False) -> None: ...
    def compare_with(self, recipe: Recipe | None) -> None: ...
    def talk_to(self, run: RunSummary) -> None: ...
    def show_report(self, run: RunSummary) -> None: ...
    def first_sample_made(self) -> None: ...
    def show_error(self, error: Exception, doing: str = "") -> None: ...
    def copy(self, text: str, what: str) -> None: ...


def explained(action: Callable[Concatenate[Any, Answer], None]) -> Callable[..., None]:
    """For an action that calls core at once: what core refuses is shown, and breaks nothing."""

    @wraps(action)
    def guarded(section: Any, *args: Answer.args, **options: Answer.kwargs) -> None:
        try:
            action(section, *args, **options)
        except (MynahError, OSError) as error:
            section.mynah.show_error(error)

    return guarded


def takes_key(focused: Widget | None, key: str, shown: str) -> bool:
    """Whether a key means something of its own to the widget that has the focus.

    ``shown`` is the key as a person reads it.
    """
    if focused is None:
        return False
    if isinstance(focused, Field) and focused.bindings_of(key):
        return True
    character = " " if key == "space" else shown if len(shown) == 1 else None
    return character is not None and focused.check_consume_key(key, character)


TABS = (
    ("data", "1", "Data"),
    ("filter", "2", "Filter"),
    ("query", "3", "Query"),
    ("train", "4", "Train"),
    ("sample", "5", "Sample"),
)


class Tabs(Static):
    """``1 Data  2 Filter …`` with the present one marked; each can be clicked."""

    class Pressed(Message):
        def __init__(self, section: str) -> None:
            super().__init__()
            self.section = section

    def __init__(self, section: str) -> None:
        super().__init__(id="tabs")
        self._section = section
        self._ends: list[tuple[int, str]] = []

    def on_mount(self) -> None:
        text = Text(no_wrap=True)
        for name, key, label in TABS:
            here = name == self._section
            text.append(f" {key} ", "dim" if not here else "bold")
            text.append(label + " ", "bold underline" if here else "")
            self._ends.append((text.cell_len, name))
        self.update(text)

    def on_click(self, event: Click) -> None:
        for end, name in self._ends:
            if event.x < end:
                self.post_message(self.Pressed(name))
                return


# A window of fewer lines is low.
LOW: Final = 18
# The smallest window with room for a section.
LEAST: Final = Size(40, 10)
# Cells of ``[ ] panel 1 of 2`` with its padding, and of ``● 63 %`` with its own.
_TURNER = 18
_LEAST_JOB = 9


class TopBar(Horizontal):
    """The app's name, the sections, where the data is and what is chosen, the running job."""

    def __init__(self, section: str) -> None:
        super().__init__(id="top-bar")
        self._section = section

    def compose(self) -> ComposeResult:
        yield Static("mynah", id="app-name", markup=False)
        yield Tabs(self._section)
        yield Words("", id="whereabouts", markup=False)
        yield Static("", id="turner", markup=False)
        yield JobStatus(id="job-status")

    def on_resize(self) -> None:
        self.share_room()

    def share_room(self) -> None:
        """In a narrow window: the tabs stay, then the panel's number, then the running job."""
        job = self.query_one(JobStatus)
        if not self.screen.has_class("-narrow"):
            if job.styles.inline.has_rule("max_width"):
                job.styles.max_width = None
            return
        room = self.content_size.width - self.query_one(Tabs).outer_size.width
        shown = job.has_class("-shown")
        both = room >= _TURNER + _LEAST_JOB
        self.query_one("#turner").set_class(shown and not both, "-hidden")
        job.styles.max_width = max(_LEAST_JOB, room - _TURNER if both else room)

    def show_whereabouts(self, state: State) -> None:
        self.query_one("#whereabouts", Words).update(whereabouts(state))


class Section(Columns):
    """One of the five sections. Subclasses compose ``compose_body`` and subscribe in ``on_mount``;
    Textual calls the one here as well, after theirs.
    """

    SECTION: ClassVar[str] = ""
    _explained = ""

    def compose(self) -> ComposeResult:
        yield TopBar(self.SECTION)
        with Horizontal(id="body"):
            yield from self.compose_body()
        yield Words("", id="next-step", markup=False)
        yield KeyFooter(*self._keys(None), id="footer")
        yield NoticeLines()
        yield Words("", id="too-small", markup=False)

    @property
    def can_ask(self) -> bool:
        """Whether a question may come up by itself: nothing is in front, and nobody types, whose
        next letter would be the answer.
        """
        return self.is_current and not takes_key(self.focused, "y", "y")

    def on_resize(self, event: events.Resize) -> None:
        """A low window drops what is not the section's main thing; a tiny one says that it is."""
        width, height = event.size
        self.set_class(height < LOW, "-low")
        self.set_class(width < LEAST.width or height < LEAST.height, "-too-small")
        leave = key_of("app.quit", self.state.keymap)
        self.query_one("#too-small", Words).update(
            f"{width}x{height} is too small; mynah needs {LEAST.width}x{LEAST.height}. "
            f"{leave} quits."
        )

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        self.query_one("#footer", KeyFooter).set_keys(*self._keys(event.widget))

    def _keys(self, focused: Widget | None) -> tuple[list[FooterKey], FooterKey]:
        """The keys of the footer: none that what has the focus takes for itself, but what enter
        does there; and the one for help.
        """
        keys: list[FooterKey] = []
        asks = FooterKey("f1", "Help", "app.help")
        if isinstance(focused, Field):
            keys += [
                FooterKey("enter", binding.description, binding.action)
                for binding in focused.bindings_of("enter")
            ]
        for action in footer_actions(self.SECTION, self.state.keymap):
            name = action.name if action.section != "app" else f"app.{action.name}"
            key = FooterKey(action.key, action.label, name, action.help)
            if takes_key(focused, action.keys.split(",")[0], action.key):
                continue
            if name == "app.help":
                asks = key
            else:
                keys.append(key)
        return keys, asks

    def compose_body(self) -> ComposeResult:
        raise NotImplementedError

    @property
    def mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    @property
    def state(self) -> State:
        return self.mynah.state

    def on_mount(self) -> None:
        app = self.mynah
        app.accounts_changed.subscribe(self, self._frame_changed)
        app.runs_changed.subscribe(self, self._frame_changed)
        app.curation_changed.subscribe(self, self._frame_changed)
        app.new_run_changed.subscribe(self, lambda _: self._frame_changed(self.state))
        app.report_changed.subscribe(self, self._report_changed)
        self._frame_changed(self.state)

    @on(events.ScreenResume)
    def _styles_are_as_they_were(self, event: events.ScreenResume) -> None:
        """Before Textual's own handler, which would style the whole section again: half of the time
        until it is there. Nodes out of sight are styled when they change, and all with the theme.
        """
        event.refresh_styles = False

    def on_screen_resume(self) -> None:
        self._frame_changed(self.state)
        self.query_one("#footer", KeyFooter).set_keys(*self._keys(self.focused))

    def _frame_changed(self, state: State) -> None:
        if not self.is_mounted or not self.is_current:
            return  # drawn when it comes into view
        if self.query_one_optional("#next-step") is None:
            return
        self.query_one(TopBar).show_whereabouts(state)
        hint = next_step(state, self.SECTION)
        line = self.query_one("#next-step", Words)
        line.display = bool(hint or self._explained)
        if self._explained:
            line.update(Text(printable(self._explained), "dim", no_wrap=True, overflow="ellipsis"))
        else:
            line.update(Text("→ " + hint, no_wrap=True, overflow="ellipsis") if hint else "")
        self._show_job(state)

    def explain(self, words: str) -> None:
        """One line on what has the focus, in place of the next step; empty brings that back."""
        if words != self._explained:
            self._explained = words
            self._frame_changed(self.state)

    def _report_changed(self, state: State) -> None:
        if self.is_mounted and self.is_current:
            self._show_job(state)

    def _show_job(self, state: State) -> None:
        """The running job, in every section; beside a training a report is a word."""
        status, run, report = self.query_one(JobStatus), state.live_run, state.report
        if run is not None:
            history = state.histories.get(run.run)
            rate = history.tokens_per_second if history else None
            detail = f"{short_count(rate)} tok/s" if rate else run.state
            status.show(
                "+".join(run.handles),
                "stopping" if run.state == "stopping" else "running",
                fraction=history.done if history else None,
                detail=f"{detail} · report" if report else detail,
            )
        elif report is not None:
            # a report has parts of unknown length: no share of the whole is known
            part = "" if report.done is None else f"this part {percent(report.done)}"
            reported = state.run_named(report.run)
            who = (reported.name or "+".join(reported.handles)) if reported else report.run
            status.show(who, "running", verb="report on", detail=part)
        else:
            status.hide()
        self.query_one(TopBar).share_room()

    @on(Tabs.Pressed)
    def _tab_pressed(self, event: Tabs.Pressed) -> None:
        self.mynah.go(event.section)

    @on(JobStatus.Pressed)
    def _job_pressed(self) -> None:
        report = self.state.report
        run = self.state.run_named(report.run) if report else None
        if run is not None and self.state.live_run is None:
            self.mynah.show_report(run)
        else:
            self.mynah.go("train")

    def possible(self, action: str) -> bool:
        """Whether an action of this section makes sense now; the palette offers only those.

        The keys stay alive all the same: pressed in vain, they say why nothing happens.
        """
        return True

    def to_remember(self) -> dict[str, str]:
        """What this section wants back at the next start, by its name in `read_session`."""
        return {}
