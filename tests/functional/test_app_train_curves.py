"""4 Train: axis, zoom, cursor, measures, many runs over each other, and the filter of the list."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from core.home import Home
from tests.functional.walk import Heard, assert_safe, screen, settled, status, until
from tui.app import MynahApp
from tui.train.loss_plot import LossPlot
from tui.widgets.row_list import RowList

RUNS = Path(__file__).parents[1] / "fixtures" / "runs"
FIXTURE = "20260301-1015-keeper-c0de"
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["small", "large"])


@pytest.fixture
def many(home: Home) -> Home:
    """Fourteen runs of three accounts at four rates, that know what they took of their machine."""
    for number in range(14):
        name = f"202603{number + 1:02}-1015-keeper-{0xC000 + number:x}"
        folder = home.runs / name
        shutil.copytree(RUNS / FIXTURE, folder)
        record = json.loads((folder / "run.json").read_text())
        record |= {"id": name, "handles": [["nasa"], ["milly"], ["gull"]][number % 3]}
        record["settings"]["lr"] = [5e-4, 1e-3, 2e-3, 4e-3][number % 4]
        (folder / "run.json").write_text(json.dumps(record))
        lines = []
        for line in (folder / "metrics.jsonl").read_text().splitlines():
            found = json.loads(line)
            if number == 3 and found["kind"] == "train":
                found["grad_norm"] = None  # a run that lacks a measure
            if found["kind"] == "eval":
                found["valid_loss"] += number / 10
            lines.append(json.dumps(found))
            if found["kind"] == "train":
                taken = {"cpu": 70.0, "process_cpu": 190.0, "process_memory": 900.0 + number}
                lines.append(json.dumps({"kind": "system", "time": found["time"] + 0.1, **taken}))
        (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return home


def plots(app: MynahApp) -> tuple[LossPlot, LossPlot]:
    return app.screen.query_one("#loss", LossPlot), app.screen.query_one("#measure", LossPlot)


def text_of(plot: LossPlot) -> str:
    return "\n".join(plot.render_line(y).text for y in range(plot.content_size.height))


@SIZES
async def test_one_axis_one_view_and_one_cursor_for_both_plots(
    many: Home, size: tuple[int, int]
) -> None:
    app = MynahApp(many, section="train", poll_seconds=0.1)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await until(pilot, lambda: len(app.state.histories) == 14)
        await settled(pilot)
        loss, under = plots(app)
        assert not under.display
        seen = []
        for _ in range(6):
            await pilot.press("p")
            await pilot.pause()
            seen.append(under.y_label if under.display else "")
        assert seen == [
            "tokens a second", "gradient norm", "learning rate", "processor, %", "memory, MiB", "",
        ]  # fmt: skip
        await pilot.press("p", "p", "p", "p")
        await pilot.press("left", "left")
        await pilot.pause()
        x = loss.cursor
        assert x == under.cursor
        assert x is not None
        assert f"step {x:g}" in text_of(loss)
        assert "training, of one core 190" in text_of(under)
        await pilot.press("plus", "plus")
        await pilot.pause()
        assert loss.x_span == under.x_span == loss.x_limits()
        left, right = loss.x_span or (0, 0)
        assert left <= x <= right
        assert right - left == pytest.approx(340 / 4)
        await pilot.press("<")
        await pilot.pause()
        assert (loss.x_span or (0, 0))[0] == pytest.approx(left - 340 / 8)
        await pilot.press("right")  # the view follows the cursor
        await pilot.pause()
        assert loss.cursor is not None
        left, right = loss.x_span or (0, 0)
        assert left <= loss.cursor <= right
        assert_safe(pilot)
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert (loss.cursor, loss.x_span) == (None, None)
        await pilot.press("equals_sign", "0")
        await pilot.pause()
        assert loss.x_span is None

        await pilot.press("a", "left")
        await pilot.pause()
        history = app.state.histories[(app.state.runs or [])[0].run]
        assert loss.cursor == under.cursor == history.train_at.tokens[-1]
        await pilot.press("a", "left")
        await pilot.pause()
        assert loss.cursor == history.train_at.seconds[-1]
        assert "time 2:3" in text_of(loss)
        await pilot.press("a")
        await pilot.pause()
        assert (loss.x_label, loss.cursor) == ("step", None)
        await pilot.press("A", "left")
        await pilot.pause()
        assert loss.cursor == under.cursor == pytest.approx(math.log10(340))
        assert "step 340 " in text_of(loss)
        assert text_of(loss).split("\n")[-1].split()[1:4] == ["5", "10", "20"]
        assert app.failures == []


@SIZES
async def test_fourteen_runs_over_each_other_are_told_apart(
    many: Home, size: tuple[int, int]
) -> None:
    app, heard = MynahApp(many, section="train", poll_seconds=0.1), Heard()
    async with app.run_test(size=size, message_hook=heard) as pilot:
        await settled(pilot)
        await until(pilot, lambda: len(app.state.histories) == 14)
        await settled(pilot)
        await pilot.press("O", "v", "p")
        await settled(pilot)
        loss, under = plots(app)
        assert len(loss.series_names) == 15, "the run's own two, and thirteen others"
        listing = app.screen.query_one("#runs", RowList)
        await until(pilot, lambda: "n c000" in text_of(loss))  # all have their place
        named, drawn = text_of(loss), text_of(under)
        for number, run in enumerate(app.state.runs or []):
            char = "abcdefghijklmn"[number]
            name = listing.rows.row(number)[1][0]
            if number:
                assert f"{char} {run.run[-4:]}" in named
                assert name.startswith(f"{char} ")
                assert char in drawn.split("\n", 1)[1] or under.content_size.height < 6
            else:
                assert name == "+".join(run.handles), "the run itself wears none"
        assert not app.screen.query_one("#below-loss").region.height
        assert len(under.series_names) == 14
        await pilot.press("p")
        await pilot.pause()
        assert under.y_label == "gradient norm"
        assert len(under.series_names) == 13, "one run has none"
        listing.cursor = 1
        await pilot.pause()
        assert "a c00d" in text_of(loss), "letters stay with their runs"
        assert "b c00c" not in text_of(loss)
        await pilot.press(*["left"] * 5)
        await pilot.pause()
        heard.messages.clear()
        await pilot.pause(0.3)
        assert heard.of(LossPlot.CursorMoved) == []
        moved = [one for one in heard.of(RowList.Highlighted) if one.row_list is listing]
        assert len(moved) <= 5, "a list at rest is at rest"
        await pilot.press("O", "v")
        await settled(pilot)
        assert len(loss.series_names) == 2
        assert_safe(pilot)
        assert app.failures == []


@pytest.mark.slow
@SIZES
async def test_the_list_shows_what_matches(many: Home, size: tuple[int, int]) -> None:
    app = MynahApp(many, section="train", poll_seconds=0.1)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await until(pilot, lambda: len(app.state.histories) == 14)
        await settled(pilot)
        listing = app.screen.query_one("#runs", RowList)
        await pilot.press("slash", *"handle:nasa lr>=2e-3")
        await until(pilot, lambda: status(pilot, "#runs-panel") == "2 of 14")
        assert len(listing.rows) == 2
        assert "nasa" in listing.rows.row(0)[1][0]
        await pilot.press(*" lr:", "[")
        await settled(pilot)
        assert "lr is a number" in " ".join(screen(pilot).split())
        await pilot.press(*["backspace"] * 5)
        await until(pilot, lambda: status(pilot, "#runs-panel") == "2 of 14")
        assert "is a number" not in screen(pilot)
        await pilot.press("enter", "O")
        await settled(pilot)
        assert listing.has_focus
        assert len(plots(app)[0].series_names) == 3
        kept = app.screen._run().run  # type: ignore[attr-defined]
        await pilot.press("O", "escape")
        await until(pilot, lambda: status(pilot, "#runs-panel") == "14")
        assert app.screen._run().run == kept  # type: ignore[attr-defined]
        assert "is a number" not in screen(pilot)
        await pilot.press("slash", *"colour:red")
        await settled(pilot)
        assert "Runs have no colour" in " ".join(screen(pilot).split())
        assert_safe(pilot)
        assert app.failures == []
