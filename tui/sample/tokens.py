"""The page of a sample's tokens: how likely the model held each, and the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.safe_text import printable
from tui.job import Report
from tui.sample.generating import SampleRepeated, SamplingJob
from tui.text.samples import (
    BANDS,
    NO_TOKENS,
    PROBABILITY,
    UNLIKELY,
    band_of,
    token_in_words,
)
from tui.widgets.panel import Dialog

if TYPE_CHECKING:
    from pathlib import Path

    from core.sampling.request import TokenProbability
    from core.sampling.store import StoredSample
    from tui.section.screen import Mynah

# Of each of BANDS; they differ without colour too.
_STYLES: Final = ("dim", "", "underline", "bold underline")
_CURSOR: Final = "reverse"


class TokensPage(Dialog[None]):
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
            return NO_TOKENS
        place = f"{self._at + 1} of {len(self._tokens)}"
        return f"token {place}: {token_in_words(self._tokens[self._at])}"

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
            if (at - self._at) * by > 0 and self._tokens[at].probability < UNLIKELY:
                self._at = at
                self._show()
                return

    def action_leave(self) -> None:
        if not self._tokens:
            self._sampling.stop()
        self.dismiss(None)


def style_of(probability: float) -> str:
    """The style of a token's band."""
    return _STYLES[band_of(probability)]


def legend() -> Text:
    """The bands in words, each in its style, and what the numbers are."""
    text = Text()
    for number, (style, (_, name, share)) in enumerate(zip(_STYLES, BANDS, strict=True)):
        text.append("   " if number else "")
        text.append(f"{name}: {share}", style)
    return text.append(f"\n{PROBABILITY}", "dim")
