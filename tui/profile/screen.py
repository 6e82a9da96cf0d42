"""The dialog Plots: the profile of the chosen tweets under the present recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Vertical, VerticalScroll
from textual.widgets import Static

from core.numbers import plural
from core.safe_text import printable
from tui.job import Report
from tui.profile.counting import ProfileJob, ProfileMade, ProfileMoved
from tui.profile.panels import profile_blocks, summary
from tui.section.screen import Mynah
from tui.text.nothing_there import why_no_tweets
from tui.text.numbers import count
from tui.widgets.panel import Dialog, Panel

if TYPE_CHECKING:
    from core.curation.profile import Profile

WIDE = 90


class Bars(Static):
    """Lines of text in which the bars have a colour of their own."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"bars--bar"}
    DEFAULT_CSS = """
    Bars { height: auto; text-wrap: nowrap; & > .bars--bar { color: $primary; } }
    """

    def __init__(self, lines: str) -> None:
        super().__init__("", markup=False)
        self._lines = lines

    def render(self) -> Text:
        style = self.get_component_rich_style("bars--bar", partial=True)
        text = Text(self._lines, no_wrap=True)
        text.highlight_regex("[▁-█▉-▏]+", style)
        return text


class PlotsScreen(Dialog[None]):
    """Small plots where looking beats reading; left and right go through the accounts."""

    BINDINGS = [
        ("escape,q,p", "close", "Close"),
        ("right,l", "turn(1)", "Next account"),
        ("left,h", "turn(-1)", "Previous account"),
    ]

    def __init__(self, profiling: ProfileJob) -> None:
        super().__init__()
        self._profiling = profiling
        self._profiles: list[Profile] = []
        self._shown = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="plots") as dialog:
            dialog.border_title = "Plots"
            yield Static("", id="plots-line", markup=False)
            with VerticalScroll(id="plots-scroll"):
                yield Grid(id="plots-grid")

    def on_mount(self) -> None:
        app = cast("Mynah", self.app)
        app.reported.subscribe(self, self._reported)
        self.query_one("#plots-scroll").focus()
        recipe = app.state.recipe
        if recipe is None or not app.state.chosen:
            self._say(why_no_tweets(app.state) or "Reading the tweets…")
            return
        self._say("counting…")
        self._profiling.run(list(app.state.chosen), recipe)

    def action_close(self) -> None:
        self._profiling.stop()
        self.dismiss()

    def action_turn(self, step: int) -> None:
        if self._profiles:
            self._shown = (self._shown + step) % len(self._profiles)
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        if self._profiles:
            self.call_after_refresh(self._draw)

    def _say(self, words: str) -> None:
        self.query_one("#plots-line", Static).update(Text(words, no_wrap=True, overflow="ellipsis"))

    def _reported(self, message: Report) -> None:
        if isinstance(message, ProfileMoved):
            if not self._profiles:
                self._say(f"counting… {count(message.judged)} tweets · esc stops")
        elif isinstance(message, ProfileMade):
            if message.error is not None:
                self._say(str(message.error))
                return
            self._profiles, self._shown = list(message.profiles), len(message.profiles) - 1
            self._draw()

    def _draw(self) -> None:
        profile = self._profiles[self._shown]
        together = f"{plural(len(self._profiles) - 1, 'account')} together"
        who = together if profile.together else f"@{printable(profile.handle)}"
        dialog = self.query_one("#dialog")
        turning = "← → other accounts   " if len(self._profiles) > 1 else ""
        dialog.border_title = f"Plots: {who}"
        dialog.border_subtitle = f"{turning}esc closes"
        self._say(summary(profile))
        grid = self.query_one("#plots-grid", Grid)
        room = self.query_one("#plots-scroll").scrollable_content_region.width
        columns = 2 if room >= WIDE else 1
        grid.styles.grid_size_columns = columns
        width = (room - columns + 1) // columns - 4  # less the gutter, a panel's border and padding
        grid.remove_children()
        grid.mount(
            *(
                Panel(
                    Bars("\n".join(block.lines)),
                    title=block.title,
                    status=block.status,
                    classes="plot",
                )
                for block in profile_blocks(profile, width)
            )
        )
