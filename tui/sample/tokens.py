"""The page of a sample's tokens: how likely the model held each, and the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from core.safe_text import printable
from tui.job import Report
from tui.sample.generating import SampleRepeated, SamplingJob
from tui.text.numbers import plural

if TYPE_CHECKING:
    from pathlib import Path

    from core.sampling.request import TokenProbability
    from core.sampling.store import StoredSample
    from tui.section.screen import Mynah

# From this probability on, the style of a token and its name; they differ without colour too.
BANDS: Final = (
    (0.5, "dim", "likely: 50 % or more"),
    (0.1, "", "possible: 10 to 50 %"),
    (0.01, "underline", "unlikely: 1 to 10 %"),
    (0.0, "bold underline", "surprising: under 1 %"),
)
_CURSOR: Final = "reverse"


class TokensPage(ModalScreen[None]):
    """Makes the sample once more, because probabilities are not stored."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("left,h", "move(-1)", "Back"),
        ("right,l", "move(1)", "On"),
        ("home", "edge(0)", "First"),
        ("end", "edge(-1)", "Last"),
        ("down,j", "unlikely(1)", "Next unlikely"),
        ("up,k", "unlikely(-1)", "Unlikely before"),
        ("escape,q,t", "leave", "Close"),
    ]

    def __init__(self, stored: StoredSample, folder: Path, sampling: SamplingJob) -> None:
        super().__init__()
        self._stored, self._folder, self._sampling = stored, folder, sampling
        self._tokens: tuple[TokenProbability, ...] = ()
        self._at = 0

    @property
    def mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", classes="why") as page:
            page.border_title = "How likely was each token?"
            page.border_subtitle = "← → token · ↑ ↓ unlikely ones · esc closes"
            yield Static(
                "Making the sample once more, to get its probabilities…",
                id="tokens-text",
                markup=False,
            )
            yield Static("", id="tokens-one", markup=False)
            yield Static(legend(), id="tokens-legend", markup=False)

    def on_mount(self) -> None:
        self.mynah.reported.subscribe(self, self._reported)
        if not self._sampling.repeat(self._stored, self._folder, probabilities=True):
            self._say("Another sample is still being made: esc, and again later.")

    def _say(self, words: str) -> None:
        self.query_one("#tokens-text", Static).update(Text(printable(words, keep_newlines=True)))

    def _reported(self, report: Report) -> None:
        if not isinstance(report, SampleRepeated) or report.stored.id != self._stored.id:
            return
        if report.repeated is None:
            error = report.error
            self._say(f"{error.what}\n{error.why}" if error else "Stopped.")
            return
        self._tokens = report.repeated.sample.probabilities
        if not report.repeated.same:
            self.app.notify(report.repeated.in_words, title="Not the same", severity="warning")
        self._show()

    # ── the text ─────────────────────────────────────────────────────────────────────────

    def _show(self) -> None:
        text = Text()
        text.append(printable(self._stored.prompt), "dim italic")
        for number, token in enumerate(self._tokens):
            style = _CURSOR if number == self._at else style_of(token.probability)
            # a token that is part of a character adds nothing, but has a place
            text.append(printable(token.text) or "·", style)
        self.query_one("#tokens-text", Static).update(text)
        self.query_one("#tokens-one", Static).update(self._line())

    def _line(self) -> str:
        if not self._tokens:
            return "It has no tokens of its own."
        token = self._tokens[self._at]
        likelier = token.rank - 1
        others = "was" if likelier == 1 else "were"
        rank = f"{plural(likelier, 'token')} {others} likelier" if likelier else "the likeliest"
        place = f"{self._at + 1} of {len(self._tokens)}"
        said = f"“{printable(token.text)}”" if token.text else "part of a character"
        return f"token {place}: {said} · probability {in_percent(token.probability)} · {rank}"

    def action_move(self, by: int) -> None:
        if self._tokens:
            self._at = max(0, min(self._at + by, len(self._tokens) - 1))
            self._show()

    def action_edge(self, at: int) -> None:
        if self._tokens:
            self._at = at % len(self._tokens)
            self._show()

    def action_unlikely(self, by: int) -> None:
        """To the next token that was held for less than 10 % likely."""
        places = range(len(self._tokens)) if by > 0 else range(len(self._tokens) - 1, -1, -1)
        for at in places:
            if (at - self._at) * by > 0 and self._tokens[at].probability < BANDS[1][0]:
                self._at = at
                self._show()
                return

    def action_leave(self) -> None:
        if not self._tokens:
            self._sampling.stop()
        self.dismiss(None)


def style_of(probability: float) -> str:
    """The style of a token's band."""
    return next(style for least, style, _ in BANDS if probability >= least)


def in_percent(probability: float) -> str:
    """``12 %``, ``0.4 %``, ``under 0.01 %``."""
    share = probability * 100
    if share < 0.01:
        return "under 0.01 %"
    return f"{share:.0f} %" if share >= 10 else f"{share:.1f} %" if share >= 1 else f"{share:.2f} %"


def legend() -> Text:
    """The bands in words, each in its style, and what the numbers are."""
    text = Text()
    for number, (_, style, words) in enumerate(BANDS):
        text.append("   " if number else "")
        text.append(words, style)
    return text.append(
        "\nProbability: how likely the model held this token at its place, before temperature and "
        "other settings.",
        "dim",
    )
