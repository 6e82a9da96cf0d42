"""Generated texts that grow: wrapping, signs, following the end, the cursor."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from tui.sample.sample_list import Sample, SampleList


class Samples(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, int]] = []

    def compose(self) -> ComposeResult:
        yield SampleList(empty="No samples yet. Press g to generate.")

    def on_cursor_list_highlighted(self, event: SampleList.Highlighted) -> None:
        self.told.append(("highlighted", event.index))

    def on_cursor_list_chosen(self, event: SampleList.Chosen) -> None:
        self.told.append(("chosen", event.index))

    @property
    def list(self) -> SampleList:
        return self.query_one(SampleList)

    def lines(self) -> list[str]:
        return [self.list.render_line(y).text.rstrip() for y in range(self.list.size.height)]


@pytest.fixture
def app() -> Samples:
    return Samples()


async def test_texts_grow_by_batches(app: Samples) -> None:
    async with app.run_test(size=(50, 10)) as pilot:
        assert "No samples yet" in "".join(app.lines())
        app.list.begin(3, prompt="My dream is")
        await pilot.pause()
        assert app.lines()[:3] == [
            "▸   ▌ My dream is▌",
            "    ▌ My dream is▌",
            "    ▌ My dream is▌",
        ]
        app.list.append({0: " a quiet", 2: " the"})
        app.list.append({0: " Tuesday.", 9: "nobody"})
        app.list.finish(0, stopped="eos", verdict="new", note="new")
        app.list.finish(2, stopped="length", verdict="near", note="near, 7 words")
        await pilot.pause()
        lines = app.lines()
        assert lines[0].startswith("▸   ▌ My dream is a quiet Tuesday.")
        assert lines[0].endswith(" new")
        assert lines[1] == "    ▌ My dream is▌"
        assert lines[2].startswith("  ≈ ▌ My dream is the …")
        assert lines[2].endswith("near, 7 words")
        assert app.list.text(0) == "My dream is a quiet Tuesday."
        app.list.finish_all()
        await pilot.pause()
        assert app.lines()[1] == "    ▌ My dream is …"
        assert app.list.samples[1].stopped == "stopped"


async def test_signs_and_long_texts(app: Samples) -> None:
    async with app.run_test(size=(40, 10)) as pilot:
        words = "the lamp the stair the fog the gull and the grudge it held all winter"
        app.list.set_samples(
            [
                Sample(words, favourite=True, verdict="verbatim", note="copy of a tweet of 2019"),
                Sample("short\nsecond line", label="step 100"),
            ]
        )
        await pilot.pause()
        lines = app.lines()
        assert lines[0].startswith("▸✦≡ ")
        assert lines[0].split("▌ ")[1].startswith("the lamp")
        assert lines[1].split("▎ ")[0].strip() == ""
        assert any(line.endswith("copy of a tweet of 2019") for line in lines)
        assert any("step 100 ▌ short" in line for line in lines)
        assert any(line.endswith("▎ second line") for line in lines)


async def test_markup_and_control_characters_are_only_shown(app: Samples) -> None:
    async with app.run_test(size=(60, 6)) as pilot:
        app.list.set_samples([Sample("[red]a[/red] \x1b[31m \u202eb", note="[b]x")])
        await pilot.pause()
        assert "[red]a[/red] ␛[31m ‹202E›b" in app.lines()[0]
        assert app.list.text(0) == "[red]a[/red] \x1b[31m \u202eb"


async def test_the_end_is_followed_only_by_one_who_stands_there(app: Samples) -> None:
    async with app.run_test(size=(40, 6)) as pilot:
        for number in range(10):
            app.list.add(Sample(f"text {number}", live=True))
        await pilot.pause()
        assert app.list.scroll_offset.y == app.list.max_scroll_y == 4
        app.list.append({9: " which grows over more than one line of this list"})
        await pilot.pause()
        assert app.list.scroll_offset.y == app.list.max_scroll_y > 4
        app.list.scroll_to(y=1, animate=False)
        app.list.append({9: " and over one more, and then over another one"})
        await pilot.pause()
        assert app.list.scroll_offset.y == 1


async def test_only_changed_texts_are_laid_out_again(app: Samples) -> None:
    async with app.run_test(size=(60, 10)) as pilot:
        app.list.set_samples([Sample(f"text {n}") for n in range(300)])
        await pilot.pause()
        before = [id(laid) for laid in app.list._laid]
        app.list.append({7: " more", 8: " too"})
        changed = [n for n, laid in enumerate(app.list._laid) if id(laid) != before[n]]
        assert changed == [7, 8]


async def test_cursor_and_messages(app: Samples) -> None:
    async with app.run_test(size=(60, 5)) as pilot:
        app.list.set_samples([Sample(f"text {n}") for n in range(30)])
        app.list.focus()
        await pilot.press("j", "down", "k", "enter")
        assert app.told[-1] == ("chosen", 1)
        assert ("highlighted", 2) in app.told
        await pilot.press("G")
        assert app.list.cursor == 29
        assert "▸" in "".join(app.lines())
        await pilot.press("pageup")
        assert app.list.cursor == 25
        await pilot.press("home")
        await pilot.click(SampleList, offset=(20, 3))
        assert app.list.cursor == 3
        app.list.add(Sample("new on top"), first=True)
        assert app.list.cursor == 4
        app.list.clear()
        await pilot.press("down", "enter", "pagedown")
        assert len(app.list) == 0


async def test_unknown_fields_are_refused(app: Samples) -> None:
    async with app.run_test():
        app.list.set_samples([Sample("a")])
        app.list.update(0, favourite=True)
        with pytest.raises(TypeError):
            app.list.update(0, colour="red")


async def test_the_sample_under_the_cursor_can_be_brought_back(app: Samples) -> None:
    async with app.run_test(size=(40, 6)) as pilot:
        app.list.begin(5, prompt="so")
        await pilot.pause()
        app.list.append(
            dict.fromkeys(range(5), " a text that takes more than one line of this list")
        )
        await pilot.pause()
        assert not app.lines()[0].startswith("▸"), "it follows the end while texts grow"
        app.list.show_cursor()
        await pilot.pause()
        assert app.lines()[0].startswith("▸")


async def test_words_that_a_tweet_has_too_are_underlined(app: Samples) -> None:
    text = "My lamp\nthe stair and the fog it was"
    shared = (text.index("lamp"), text.index(" and")), (text.index("fog"), len(text))
    async with app.run_test(size=(30, 10)) as pilot:
        app.list.set_samples([Sample(text, "My ", verdict="near", shared=shared)])
        await pilot.pause()
        strips = [app.list.render_line(y) for y in range(3)]
        underlined = [
            segment.text for strip in strips for segment in strip
            if segment.style is not None and segment.style.underline
        ]  # fmt: skip
        assert [one.strip() for one in underlined] == ["lamp", "the stair", "fog", "it was"]
        app.list.set_samples(
            [Sample("a\x1b b c", shared=((0, 2),)), Sample("\x90 b", shared=((0, 1),))]
        )
        await pilot.pause()
        assert app.lines()[0].endswith("a␛ b c")
