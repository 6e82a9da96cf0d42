"""What is the same everywhere: palette, help, footer, themes, panels, sizes, errors."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from core.home import Home
from core.workflow.data import sample_archives
from tests.functional.walk import Heard, assert_safe, mynah, screen, settled, strips, until
from tui.actions import SECTIONS, footer_actions, of_section
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets
from tui.help import HelpScreen
from tui.job import Job
from tui.palette import ActionProvider
from tui.section.screen import Section
from tui.state import PRESETS_IN_WORDS
from tui.widgets.field import ButtonField
from tui.widgets.field_form import FieldForm
from tui.widgets.job_status import JobStatus
from tui.widgets.key_footer import KeyFooter

WHOLE = [(100, 30), (200, 50), (120, 40)]  # the others are in the pictures
SIZES = [*WHOLE[:2], (30, 8), (1, 1), WHOLE[2]]


async def offered(pilot: Pilot[None]) -> list[str]:
    """What the palette would show for the screen in view."""
    provider = ActionProvider(pilot.app.screen)
    return [str(hit.text or hit.display) async for hit in provider.discover()]


async def test_the_palette_offers_what_can_be_done_now(told_home: Home) -> None:
    app = MynahApp(told_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.runs)
        here = await offered(pilot)
        assert "data: Add tweets" in here
        assert "app: Theme" in here
        assert not [one for one in here if one.startswith(("train:", "sample:", "query:"))]
        await pilot.press("4")
        await settled(pilot)
        here = await offered(pilot)
        assert "train: Start" in here
        assert "train: Stop" not in here, "nothing runs"
        assert not any("Commands" in one for one in here), "it is open already"
        await pilot.press("5")
        await settled(pilot)
        here = await offered(pilot)
        assert "sample: Generate" in here
        assert "sample: Copy" not in here, "there is nothing to copy"
        assert "sample: Stop" not in here


async def test_an_empty_app_offers_little(home: Home) -> None:
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        here = await offered(pilot)
        assert "data: Add tweets" in here
        assert "data: Sample authors" in here
        assert "data: Copy" not in here
        for key, not_yet in (("4", "train: Start"), ("5", "sample: Generate")):
            await pilot.press(key)
            await settled(pilot)
            assert not_yet not in await offered(pilot)


async def test_the_palette_runs_what_one_types(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: CommandPalette.is_open(app))
        await pilot.press(*"kept only")
        await until(pilot, lambda: "Kept only" in screen(pilot))
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: not CommandPalette.is_open(app))
        await settled(pilot)
        assert "kept only" in screen(pilot)


async def test_enter_pressed_three_times_closes_a_dialog_once(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for opening, typed in (
            ("a", str(sample_archives()[0])),
            ("ctrl+p", "app: filter"),
        ):
            await pilot.press(opening)
            field = app.screen.query_one(Input)
            field.value = typed
            await settled(pilot)
            await pilot.pause(0.3)
            for _ in range(3):  # all there before the first is heard, as over a slow line
                app.post_message(Key("enter", "\r"))
            await until(pilot, lambda: len(app.screen_stack) == 1)
            await settled(pilot)
        assert app.section == "filter"


@pytest.mark.slow
async def test_help_names_every_action_and_the_footer_at_most_seven(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(140, 60)) as pilot:
        for number, section in enumerate(SECTIONS, 1):
            await pilot.press("escape", str(number))
            await settled(pilot)
            assert app.section == section
            await _help_and_footer(pilot, section)


async def _help_and_footer(pilot: Pilot[None], section: str) -> None:
    app = mynah(pilot)
    bottom = screen(pilot).splitlines()[-1]
    footer = app.screen.query_one(KeyFooter)
    assert footer.region.height == 1
    shown = footer_actions(section)
    assert len(shown) <= 7
    assert all(action.label in bottom for action in shown), "all fit in 120 columns"
    await pilot.press("escape", "question_mark")
    await until(pilot, lambda: isinstance(app.screen, HelpScreen))
    await settled(pilot)
    pages = [screen(pilot)]
    while True:  # a section with many keys has more than one page of help
        await pilot.press("pagedown")
        await settled(pilot)
        if (page := screen(pilot)) == pages[-1]:
            break
        pages.append(page)
    seen = " ".join(" ".join(pages).replace("│", " ").split())
    for action in of_section(section):
        assert action.label in seen, action.id
        assert action.help in seen, action.id
    await pilot.press("question_mark")
    await pilot.pause()
    assert isinstance(app.screen, Section)
    await pilot.press("f1", "escape")
    await pilot.pause()
    assert isinstance(app.screen, Section)


async def test_titles_follow_the_theme_at_once(sample_home: Home) -> None:
    def ink(pilot: Pilot[None]) -> object:
        segments = [segment for strip in strips(pilot) for segment in strip]
        return next(s.style.color for s in segments if s.style and "What is kept" in s.text)

    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.theme = "mynah-day"
        await settled(pilot)
        at_once = ink(pilot)
        await pilot.press("1", "2")
        await settled(pilot)
        assert at_once == ink(pilot)


@pytest.mark.slow
async def test_themes(told_home: Home) -> None:
    app = MynahApp(told_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for theme in ("mynah-day", "ansi-dark", "mynah"):
            app.theme = theme
            for section in "12345":
                await pilot.press("escape", section)
                await settled(pilot)
                assert_safe(pilot)
            await pilot.press("escape", "question_mark")
            await settled(pilot)
            assert isinstance(app.screen, HelpScreen)
            assert_safe(pilot)
            await pilot.press("question_mark")
        assert app.failures == []


@pytest.mark.slow
async def test_in_a_narrow_window_the_panels_turn_and_nothing_is_lost(told_home: Home) -> None:
    """And turning them never puts the cursor where one types: the next key would be text."""
    app = MynahApp(told_home)
    async with app.run_test(size=(80, 24)) as pilot:
        for number, section in enumerate(SECTIONS, 1):
            await pilot.press(str(number))
            await settled(pilot)
            assert isinstance(app.screen, Section)
            assert section == app.screen.SECTION == app.section, "the digit was no text"
            await _turn_the_panels(pilot, app.screen)


async def _turn_the_panels(pilot: Pilot[None], section: Section) -> None:
    app = mynah(pilot)
    columns = section.COLUMNS
    top = screen(pilot).splitlines()[0]
    seen = []
    for width in (80, 80, 70):  # two columns, and the first again
        await pilot.resize_terminal(width, 24)
        await settled(pilot)
        shown = [name for name in columns if section.query_one(f"#{name}").display]
        assert len(shown) == 1
        assert section.query_one(f"#{shown[0]}").region.width == width
        seen += shown
        await pilot.press("right_square_bracket")
        await settled(pilot)
        assert app.focused is not None, "the keyboard is in the panel one sees"
        assert not isinstance(app.focused, (Input, TextArea))
        if len(seen) == len(columns):
            assert screen(pilot).splitlines()[0] == top
    assert sorted(seen[:2]) == sorted(columns)
    await pilot.resize_terminal(80, 24)
    await pilot.press("left_square_bracket")
    await settled(pilot)
    lines = screen(pilot).splitlines()
    assert len(lines) == 24
    assert "? Help" in lines[-1]
    for label in ("1 Data", "5 Sample"):
        assert label in lines[0]


@pytest.mark.slow
async def test_every_section_at_every_size(told_home: Home) -> None:
    app = MynahApp(told_home)
    async with app.run_test(size=SIZES[0]) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.runs)
        for section in "12345":
            await pilot.press("escape", section)
            for size in SIZES:
                await pilot.resize_terminal(*size)
                await settled(pilot)
                lines = screen(pilot).splitlines()
                assert len(lines) == size[1]
                if size in WHOLE:
                    assert "? Help" in lines[-1], "the footer is whole"
                assert_safe(pilot)
        assert app.failures == []


async def test_a_section_out_of_sight_has_the_theme_and_the_size_that_came_meanwhile(
    told_home: Home,
) -> None:
    app, fresh = MynahApp(told_home, section="train"), MynahApp(told_home, section="data")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await settled(pilot)
        app.theme = "textual-light"
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        await pilot.press("4")
        await settled(pilot)
        await until(pilot, lambda: not app.screen.query_one(JobStatus).has_class("-shown"))
        shown = strips(pilot)
    async with fresh.run_test(size=(80, 24)) as pilot:
        fresh.theme = "textual-light"
        await settled(pilot)
        await pilot.press("4")
        await settled(pilot)

        def alike() -> bool:  # but for where in its list the text of the run stands
            now = strips(pilot)
            return (now[:12], now[-1]) == (shown[:12], shown[-1])

        await until(pilot, alike)


async def test_a_bug_is_a_toast_and_a_log_and_not_the_end(sample_home: Home) -> None:
    app, heard = MynahApp(sample_home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        Job(app, "counting [bold]sheep").start(lambda _: print(1 // 0))
        await until(pilot, lambda: app.failures)
        await settled(pilot)
        assert any("counting [bold]sheep" in toast for toast in heard.toasts)
        await pilot.press("f12")
        await settled(pilot)
        assert "ZeroDivisionError" in screen(pilot)
        assert "ZeroDivisionError" in sample_home.log.read_text()
        await pilot.press("escape", "2")
        await settled(pilot)
        assert mynah(pilot).section == "filter"


async def test_leaving_and_the_palette_work_above_a_dialog(home: Home) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: CommandPalette.is_open(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: heard.toasts)
        assert heard.toasts == ["Do you want to leave?: ctrl+q quits."]
        await pilot.press(*"words", "shift+home", "ctrl+c")
        await pilot.pause()
        assert app.clipboard == "words", "what is selected is copied"
        assert len(heard.toasts) == 1
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)


async def test_the_theme_is_remembered(home: Home) -> None:
    first = MynahApp(home)
    async with first.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: CommandPalette.is_open(first))
        await pilot.press(*"theme")
        await until(pilot, lambda: "app: Theme" in screen(pilot))
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.press(*"mynah-day")
        await until(pilot, lambda: screen(pilot).count("mynah-day") > 1)
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: first.theme == "mynah-day")
        await settled(pilot)
    second = MynahApp(home)
    async with second.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert second.theme == "mynah-day"


async def test_a_theme_that_is_gone_is_no_theme(sample_home: Home) -> None:
    sample_home.settings.write_text('{"theme": "nobody\'s", "chosen": ["orbit_grandmother"]}')
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.theme == "mynah"
        assert app.state.chosen == ["orbit_grandmother"]


async def test_in_a_narrow_window_what_is_typed_into_is_in_sight(told_home: Home) -> None:
    app = MynahApp(told_home)
    async with app.run_test(size=(80, 24)) as pilot:
        for number, key in (("1", "slash"), ("2", "slash"), ("5", "p")):
            await pilot.press("escape", number)
            await settled(pilot)
            await pilot.press("left_square_bracket")
            await settled(pilot)
            await pilot.press(key, "z")
            await settled(pilot)
            assert isinstance(app.focused, Input)
            assert app.focused.is_on_screen
            assert "z" in app.focused.value


async def test_space_in_a_narrow_window_changes_nothing_that_one_does_not_see(
    sample_home: Home,
) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        chosen = list(app.state.chosen)
        await pilot.press("space")
        await settled(pilot)
        assert app.state.chosen == chosen
        assert app.screen.query_one("#accounts").is_on_screen
        await pilot.press("space")
        await settled(pilot)
        assert app.state.chosen != chosen


async def test_the_footer_names_no_key_that_the_focus_takes(told_home: Home) -> None:
    app = MynahApp(told_home)
    async with app.run_test(size=(120, 40)) as pilot:

        def footer() -> str:
            return screen(pilot).splitlines()[-1]

        await pilot.press("4")
        await settled(pilot)
        assert "enter Sample" in footer()
        app.screen.set_focus(app.screen.query_one("#train-form", FieldForm).field("preset"))
        await settled(pilot)
        assert "enter List" in footer()
        assert "space Overlay" not in footer()
        assert "l Log" in footer(), "a letter is the section's, also here"
        await pilot.press("escape", "5", "p")
        await settled(pilot)
        assert "g Generate" not in footer()
        assert "f1 Help" in footer()
        await pilot.press("escape", "1", "slash")
        await settled(pilot)
        assert "/ Search" not in footer()
        await pilot.press("escape", "5")
        await pilot.press("escape")
        await settled(pilot)
        assert "g Generate" in footer()
        assert "? Help" in footer()


async def test_a_setting_of_a_run_explains_itself(told_home: Home) -> None:
    app = MynahApp(told_home)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4", "left_square_bracket")
        await settled(pilot)
        form = app.screen.query_one("#train-form", FieldForm)
        for key in ("minutes", "track", "seed"):
            app.screen.set_focus(form.field(key))
            await settled(pilot)
            assert form.field(key).help in screen(pilot)
        app.screen.set_focus(form.field("preset"))
        for words in PRESETS_IN_WORDS.values():
            await settled(pilot)
            assert f"{words}." in screen(pilot)
            await pilot.press("right")
        assert max(len(field.help) for field in form.fields) <= 76, "one line of 80 columns"
        more = form.field("more")
        assert isinstance(more, ButtonField)
        more.action_press()
        await settled(pilot)
        assert "tok/s" in screen(pilot), "what it costs stays in sight"
        assert app.screen.query_one("#runs").size.height >= 2, "and the list of runs keeps its room"
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert app.focused is form.field("preset"), "back in the panel one is where one was"
        app.screen.set_focus(app.screen.query_one("#runs"))
        await settled(pilot)
        assert form.field("seed").help not in screen(pilot)
