"""What is repainted when something changes: the lines that read otherwise, once a frame."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from tui.widgets.figure_list import FigureList
from tui.widgets.words import Words


class Watched(FigureList):
    draws = 0

    def __init__(self) -> None:
        super().__init__()
        self.repainted: list[tuple[Region, ...]] = []

    def draw(self) -> list[Strip]:
        self.draws += 1
        return super().draw()

    def refresh(self, *regions: Region, **options: bool) -> Watched:  # type: ignore[override]
        if regions or options.get("layout"):
            self.repainted.append(regions)
        return super().refresh(*regions, **options)


class Figures(App[None]):
    def compose(self) -> ComposeResult:
        yield Watched()
        yield Words("", id="words")


async def test_only_the_lines_that_read_otherwise_are_repainted_and_once() -> None:
    app = Figures()
    async with app.run_test(size=(40, 10)) as pilot:
        figures = app.query_one(Watched)
        figures.show([("step", "1"), ("loss", "3.5"), ("note", "a " * 20)])
        await pilot.pause()
        assert figures.size.height == 4, "the note takes two lines"
        assert [figures.render_line(y).text.rstrip() for y in range(4)][:2] == [
            "step        1",
            "loss        3.5",
        ]
        figures.repainted.clear()
        before = figures.draws
        for step in range(2, 40):
            figures.show([("step", str(step)), ("loss", "3.5"), ("note", "a " * 20)])
        await pilot.pause()
        assert figures.draws == before + 1
        assert figures.repainted == [(Region(0, 0, 40, 1),)]
        assert figures.render_line(0).text.rstrip() == "step        39"
        figures.repainted.clear()
        figures.show([("step", "39"), ("loss", "3.5"), ("note", "a " * 20)])
        await pilot.pause()
        assert figures.draws == before + 1
        assert figures.repainted == []
        figures.show([("step", "39")])
        await pilot.pause()
        assert figures.size.height == 1


async def test_the_same_words_cost_nothing() -> None:
    app = Figures()
    async with app.run_test(size=(40, 10)) as pilot:
        words = app.query_one("#words", Words)
        words.update("a lamp")
        await pilot.pause()
        content = words.visual
        words.update("a lamp")
        assert words.visual is content
        words.update("a gull")
        assert words.visual is not content


async def test_other_words_in_the_same_room_lay_nothing_out() -> None:
    app = Figures()
    async with app.run_test(size=(40, 10)) as pilot:
        words = app.query_one("#words", Words)
        words.update("a lamp\nis lit")
        await pilot.pause()
        layouts: list[object] = []
        app.screen.screen_layout_refresh_signal.subscribe(app, layouts.append)
        for shown, height in (("a gull\ncries", 2), ("a gull cries " * 4, 2)):
            words.update(shown)
            await pilot.pause()
            assert words.size.height == height
            assert words.render_line(0).text.startswith("a gull")
        assert layouts == []
        words.update("a gull")
        await pilot.pause()
        assert words.size.height == 1
        assert layouts, "one line less is another layout"
