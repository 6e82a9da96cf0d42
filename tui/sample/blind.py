"""The page of the blind test: two texts, one of them real; 1 or 2, and at the end the score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.markup import escape
from textual.widgets import Static

from core.safe_text import printable
from tui.job import Attempt, Host, Job, Report
from tui.section.screen import explained
from tui.widgets.panel import Dialog

if TYPE_CHECKING:
    from textual.message import Message

    from core.errors import MynahError
    from core.progress import Progress
    from core.report.blind import BlindTest
    from tui.section.screen import Mynah

QUESTIONS = 20
_AIM = (
    "One of two texts is a real tweet that the model never saw, the other one is the model's. "
    "Links and names are hidden in both."
)


@dataclass
class BlindMoved(Report):
    """How many texts are drawn; a newer one replaces it."""

    progress: Progress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, BlindMoved)


@dataclass
class BlindReady(Report):
    """``test`` None: ``error`` says why there is none."""

    test: BlindTest | None
    error: MynahError | None = None


class BlindJob(Job):
    """Draws the texts. Reports BlindMoved, and BlindReady in any case."""

    def __init__(self, host: Host, make_room: Callable[[], None]) -> None:
        super().__init__(host, "preparing a blind test")
        self._make_room = make_room
        self.questions = QUESTIONS

    def prepare(self, folder: Path) -> bool:
        """False when one is being prepared already."""

        def work(attempt: Attempt) -> Report:
            from random import SystemRandom

            from core.report.blind import prepare_blind
            from core.runs.folder import Run

            self._make_room()
            test = prepare_blind(
                Run(folder),
                self.questions,
                seed=SystemRandom().randrange(2**31),
                progress=lambda progress: attempt.report(BlindMoved(progress)),
                cancelled=attempt.cancelled,
            )
            return BlindReady(test)

        return self.start(work, lambda error: BlindReady(None, error))


class BlindPage(Dialog[None]):
    """Leaving it stops the test; what was answered is kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("1", "pick(1)", "The first"),
        ("2", "pick(2)", "The second"),
        ("f", "feedback", "Feedback"),
        ("escape,q", "leave", "Stop"),
    ]

    def __init__(self, folder: Path, job: BlindJob) -> None:
        super().__init__()
        self._folder, self._job = folder, job
        self._test: BlindTest | None = None
        self._number = 0
        self._right = 0
        self._feedback = False
        self._said = Text()
        self._over = False

    @property
    def mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="blind") as page:
            page.border_title = "Which one is real?"
            page.border_subtitle = "esc stops"
            yield Static(_AIM, id="blind-aim", markup=False)
            yield Static("", id="blind-question", markup=False)
            yield Static("", id="blind-said", markup=False)

    def on_mount(self) -> None:
        self.mynah.reported.subscribe(self, self._reported)
        started = self._job.prepare(self._folder)
        self._say("Loading the model…" if started else "Another one is still being prepared.")

    def _say(self, words: str | Text) -> None:
        text = words if isinstance(words, Text) else Text(printable(words, keep_newlines=True))
        self.query_one("#blind-said", Static).update(text)

    def _reported(self, report: Report) -> None:
        if isinstance(report, BlindMoved):
            moved = report.progress
            self._say(f"The model writes: {moved.done} of {moved.total} texts")
        elif isinstance(report, BlindReady) and report.test is not None:
            self._test = report.test
            self._said = Text(report.test.fewer)
            self._ask()
        elif isinstance(report, BlindReady) and report.error is not None:
            self._over = True
            self._say(f"{report.error.what}\n{report.error.why}\n{report.error.next_step}".strip())

    # ── questions ────────────────────────────────────────────────────────────────────────

    def _ask(self) -> None:
        test = self._test
        if test is None:
            return
        if self._number == len(test.questions):
            self._finish()
            return
        page = self.query_one("#dialog")
        feedback = "only the score at the end" if self._feedback else "right or wrong at once"
        page.border_subtitle = escape(f"1 or 2 picks · f {feedback} · esc stops")
        page.border_title = escape(
            f"Which one did {printable(test.who)} write? "
            f"{self._number + 1} of {len(test.questions)}"
        )
        shown = Text()
        for key, text in enumerate(test.questions[self._number].texts, 1):
            shown.append(f" {key}  ", "bold reverse")
            shown.append(f"  {printable(text)}\n\n")
        self.query_one("#blind-question", Static).update(shown)
        self._say(self._said)

    @explained
    def action_pick(self, pick: int) -> None:
        test = self._test
        if test is None or self._over:
            return
        choice: Literal[1, 2] = 1 if pick == 1 else 2
        right = test.answer(self._number, choice)
        self._right += right
        self._number += 1
        self._said = Text()
        if self._feedback:
            word = "✓ Right." if right else "✗ No: that was the model."
            self._said = Text(f"{word}  {self._right} of {self._number} so far.", "bold")
        self._ask()

    def action_feedback(self) -> None:
        """Say after each answer whether it was right, or only at the end."""
        self._feedback = not self._feedback
        if self._test is not None and not self._over:
            self._ask()

    def _finish(self) -> None:
        from core.report.blind import BlindResult, blind_result

        test = self._test
        if test is None:
            return
        self._over = True
        said = [BlindResult(test.who, self._right, self._number).in_words()]
        total = blind_result(test.run)
        if total is not None and total.answers > self._number:
            said.append(f"All tests of this model so far: {total.in_words('People')}")
        said.append(
            "The answers are kept: the report and the model card of the run give this result."
        )
        page = self.query_one("#dialog")
        page.border_title, page.border_subtitle = "Blind test", "esc closes"
        self.query_one("#blind-question", Static).update("")
        self._say("\n\n".join(said))

    def action_leave(self) -> None:
        """Once to the score of what was answered, then out."""
        self._job.stop()
        if self._test is not None and self._number and not self._over:
            self._finish()
        else:
            self.dismiss(None)
