"""One tweet before and after cleaning, under what the recipe, or two of them, say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.workbench.view import TweetRow
from tui.text.verdicts import short_verdict, verdict
from tui.widgets.diff_text import DiffText
from tui.widgets.panel import Panel, ScrollPane

if TYPE_CHECKING:
    from core.workbench.comparison import ComparedRow
    from core.workbench.diff import State

TITLE = "Before and after"


class BeforeAfter(Panel):
    """The verdict and the words that made it stand in the title line."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(title=TITLE, id=id)

    def compose(self) -> ComposeResult:
        with ScrollPane():
            yield DiffText(id="diff")

    def _show(self, parts: list[tuple[str, State]]) -> None:
        self.query_one(DiffText).set_segments(parts)
        self.query_one(ScrollPane).scroll_home(animate=False)

    def show_tweet(self, tweet: TweetRow | None) -> None:
        from core.workbench.diff import diff_parts

        self.title = TITLE
        self.status = verdict(tweet) if tweet else ""
        parts = diff_parts(tweet.text, tweet.clean_text) if tweet else []
        self._show(parts)

    def show_pair(self, pair: ComparedRow, names: tuple[str, str]) -> None:
        """Where both keep a tweet, in which other words; else what one of them makes of it."""
        from core.workbench.diff import diff_parts

        a, b = names
        if pair.a.kept and pair.b.kept:
            self.title, self.status = f"From {a} to {b}", "both keep it, in other words"
            self._show(diff_parts(pair.a.clean_text, pair.b.clean_text))
            return
        self.title = TITLE
        self.status = f"{a}: {short_verdict(pair.a)} · {b}: {short_verdict(pair.b)}"
        kept = pair.b if pair.b.kept else pair.a
        self._show(diff_parts(kept.text, kept.clean_text))
