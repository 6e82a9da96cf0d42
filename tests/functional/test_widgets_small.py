"""Panel, status, footer, progress line, bars and changed text."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from tui.widgets.cells import cell_len
from tui.widgets.diff_text import DiffText, diff_content
from tui.widgets.job_status import JobStatus
from tui.widgets.key_footer import FooterKey, KeyFooter
from tui.widgets.mini_bars import MiniBars
from tui.widgets.panel import Panel
from tui.widgets.progress_line import ProgressLine


class Holder(App[None]):
    CSS = "Panel { height: 4; }"

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.widgets = widgets
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield from self.widgets

    def on_job_status_pressed(self) -> None:
        self.told.append("status")

    def on_progress_line_stop_requested(self) -> None:
        self.told.append("stop")

    def action_add(self) -> None:
        self.told.append("add")

    def on_key_footer_pressed(self, event: KeyFooter.Pressed) -> None:
        self.told.append(f"key {event.key.key}")


def text(widget: Widget) -> str:
    return widget.render_line(0).text


async def test_a_panel_has_its_status_in_the_right_corner() -> None:
    panel = Panel(Input(), title="Tweets", status="3,245 · newest first")
    app = Holder(panel)
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        top = str(panel._border_title)
        assert top.startswith("Tweets ───")
        assert top.endswith("─── 3,245 · newest first")
        assert cell_len(top) == 60 - 6
        panel.status = "[b]12[/b]"
        panel.title = "Found [x]"
        await pilot.pause()
        assert str(panel._border_title).endswith("── [b]12[/b]")
        assert str(panel._border_title).startswith("Found [x] ──")
        assert panel.border_label(30).plain == "Found [x] ──── [b]12[/b]"
        assert panel.border_label(22).plain == "Found [x] ─ [b]…"
        assert panel.border_label(12).plain == "Found…"
        assert panel.border_label(4).plain == ""


async def test_only_the_panel_with_the_focus_has_the_accent() -> None:
    one, two = Panel(Input(id="in-one")), Panel(Input(id="in-two"))
    app = Holder(one, two)
    async with app.run_test(size=(60, 20)) as pilot:
        app.query_one("#in-two").focus()
        await pilot.pause()
        assert one.styles.border_top[1] != two.styles.border_top[1]
        app.query_one("#in-one").focus()
        await pilot.pause()
        accent = one.styles.border_top[1]
        assert two.styles.border_top[1] != accent
        assert accent.hex.lower() == app.theme_variables["accent"].lower()


async def test_the_job_status() -> None:
    status = JobStatus()
    app = Holder(status)
    async with app.run_test(size=(60, 5)) as pilot:
        assert not status.display
        status.show("keeper", fraction=0.999, detail="2.1k tok/s")
        await pilot.pause()
        assert text(status).strip() in "● training keeper  99 %  2.1k tok/s"
        assert "● training keeper  99 %" in text(status)
        status.show("keeper", fraction=1.0, detail="2.1k tok/s")
        await pilot.pause()
        assert "  99 %" in text(status), "it has not ended"
        await pilot.click(JobStatus)
        status.focus()
        await pilot.press("enter")
        assert app.told == ["status", "status"]
        status.show("keeper", "failed", detail="out of memory")
        await pilot.pause()
        assert text(status).startswith("✗ failed keeper")
        status.hide()
        await pilot.pause()
        assert not status.display


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, "● training keeper_of_the_light  41 %  2.1k tok/s"),
        (40, "● training keeper_of_the_light  41 %"),
        (32, "● keeper_of_the_light  41 %"),
        (20, "● keeper_of…  41 %"),
        (10, "● 41 %"),
    ],
)
async def test_how_far_a_job_is_stays_longest(width: int, shown: str) -> None:
    status = JobStatus()
    status.styles.max_width = width
    async with Holder(status).run_test(size=(80, 5)) as pilot:
        status.show("keeper_of_the_light", fraction=0.41, detail="2.1k tok/s")
        await pilot.pause()
        assert text(status).strip() == shown


KEYS = [
    FooterKey("a", "Add tweets", "add"),
    FooterKey("/", "Search", "search"),
    FooterKey("x", "Forget …", "forget"),
]
HELP = FooterKey("?", "Help", "app.bell")


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "a Add tweets   / Search   x Forget …   ? Help"),
        (40, "a Add tweets   / Search   …   ? Help"),
        (30, "a Add tweets   …   ? Help"),
        (14, "…   ? Help"),
        (8, "? Help"),
    ],
)
async def test_the_footer_keeps_help(width: int, shown: str) -> None:
    footer = KeyFooter(KEYS, HELP)
    app = Holder(footer)
    async with app.run_test(size=(width, 5)):
        assert text(footer).strip() == shown


async def test_at_most_seven_keys_and_what_a_click_does() -> None:
    calls: list[str] = []
    many = [FooterKey(str(n), "Key", lambda: calls.append("called")) for n in range(9)]
    footer = KeyFooter(many, HELP)
    app = Holder(footer)
    async with app.run_test(size=(120, 5)) as pilot:
        shown = text(footer)
        assert shown.count("Key") == 6
        assert "…   ? Help" in shown
        await pilot.click(KeyFooter, offset=(2, 0))
        assert calls == ["called"]
        footer.set_keys(KEYS)
        await pilot.click(KeyFooter, offset=(2, 0))
        await pilot.click(KeyFooter, offset=(60, 0))
        assert sorted(app.told) == ["add", "key 0", "key a"]
        assert "? Help" in text(footer)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_progress_with_count_rate_and_time_left() -> None:
    clock = Clock()
    line = ProgressLine(clock=clock)
    app = Holder(line)
    async with app.run_test(size=(100, 5)) as pilot:
        assert not line.display
        line.start("Reading [tweets].js", total=9_815, unit="tweets")
        await pilot.pause()
        assert "/s" not in text(line), "no rate before it can be measured"
        clock.now = 2.0
        line.advance_to(4_000)
        shown = text(line)
        assert shown.startswith("Reading [tweets].js  ━")
        for fact in ("4,000 of 9,815 tweets", "2.0k/s", "0:03 left", "esc stops"):
            assert fact in shown
        await pilot.pause()
        await pilot.click(ProgressLine, offset=(50, 0))
        await pilot.click(ProgressLine, offset=(98, 0))
        assert app.told == ["stop"]
        line.stopping()
        assert text(line).endswith("stopping…")
        await pilot.click(ProgressLine, offset=(98, 0))
        assert app.told == ["stop"], "one request is enough"
        line.fail("Stopped after 4,000 tweets; they are in.")
        assert text(line).startswith("▲ Stopped after 4,000 tweets")
        line.clear()
        await pilot.pause()
        assert not line.display


async def test_progress_without_a_total_and_in_little_room() -> None:
    line = ProgressLine(clock=Clock())
    app = Holder(line)
    async with app.run_test(size=(70, 5)) as pilot:
        app.animation_level = "none"
        line.start("Loading", stop_key="")
        await pilot.pause()
        line.advance_to(300, rate=20)
        shown = text(line)
        assert "━" in shown
        assert "300" in shown
        assert "stops" not in shown
        assert "left" not in shown
        await pilot.resize_terminal(24, 5)
        await pilot.pause()
        line.advance_to(300, total=1_000, what="Loading everything there is")
        assert cell_len(text(line)) == 24
        assert "300 of 1,000" in text(line)
        line.finish("done")
        assert text(line).strip() == "✓ done"


async def test_bars_and_their_span() -> None:
    bars = MiniBars([1, 8], ["2016", "2017"])
    app = Holder(bars)
    async with app.run_test(size=(30, 3)):
        assert text(bars).rstrip() == "▂█ 2016–2017"
        assert bars.tooltip == "2016  1\n2017  8"
        bars.set_values([], [])
        assert text(bars).strip() == ""


async def test_changes_with_and_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    segments = [("see ", "same"), ("[b]\x1bhttps", "removed"), ("now", "added")]
    plain_text = diff_content(segments, signs=True).plain  # type: ignore[arg-type]
    assert plain_text == "see [-[b]␛https-]{+now+}"
    diff = DiffText(segments)  # type: ignore[arg-type]
    app = Holder(diff)
    async with app.run_test(size=(40, 3)) as pilot:
        assert text(diff).rstrip() == "see [b]␛httpsnow"
        diff.set_segments([("unchanged", "same")])
        await pilot.pause()
        assert text(diff).rstrip() == "unchanged"
    monkeypatch.setenv("NO_COLOR", "1")
    diff = DiffText(segments)  # type: ignore[arg-type]
    app = Holder(diff)
    async with app.run_test(size=(40, 3)):
        assert text(diff).rstrip() == "see [-[b]␛https-]{+now+}"
