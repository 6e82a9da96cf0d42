"""Vim's keys in the SQL editor: the real editor undoes, draws and leaves what is not Vim's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from core.config import read_config, set_config
from core.home import Home
from tests.functional.walk import Heard, mynah, screen, settled, status
from tests.unit.test_query_vim import keys_of
from tui.app import MynahApp
from tui.dialogs.ask import Ask
from tui.help import HelpScreen
from tui.query.completion import CompletionMenu
from tui.query.editor import SqlEditor, pieces
from tui.query.editor_panel import EditorPanel
from tui.widgets.field import SwitchField

SIGNS = {" ": "space", "(": "left_parenthesis", ")": "right_parenthesis", ",": "comma",
         "*": "asterisk", "'": "apostrophe", "$": "dollar_sign", ".": "full_stop",
         '"': "quotation_mark", "+": "plus", ">": "greater_than_sign"}  # fmt: skip


async def press(pilot: Pilot[Any], words: str) -> None:
    await pilot.press(*(SIGNS.get(key, key) for key in keys_of(words)))
    await pilot.pause()


def mode(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one(EditorPanel).border_subtitle or "")


@pytest.mark.slow
async def test_a_query_is_written_with_vims_keys(sample_home: Home) -> None:
    set_config(sample_home, "query.vim", "on")
    async with MynahApp(sample_home, section="query", poll_seconds=60).run_test(
        size=(120, 40)
    ) as pilot:
        await settled(pilot)
        app = mynah(pilot)
        editor = app.screen.query_one(SqlEditor)
        editor.load_text("SELECT 1 AS one")
        editor.focus()
        await pilot.pause()
        assert mode(pilot) == "NORMAL"
        assert screen(pilot).count("NORMAL") == 1
        # letters and digits are commands: none is typed, and none of the section's is meant
        await press(pilot, "WyyE2EYTyh1e")
        assert (app.section, app.screen.is_modal, editor.text) == (
            "query",
            False,
            "SELECT 1 AS one",
        )
        await press(pilot, "0wcwkind<esc>")
        assert editor.text == "SELECT kind AS one"
        assert mode(pilot) == "NORMAL"
        # names are offered while one types only, and esc leaves both at once
        menu = app.screen.query_one(CompletionMenu)
        await press(pilot, "A FROM twe")
        assert (mode(pilot), menu.is_open) == ("INSERT", True)
        await press(pilot, "<esc>")
        assert (mode(pilot), menu.is_open) == ("NORMAL", False)
        await pilot.press("tab")
        assert editor.text == "SELECT kind AS one FROM twe", "nothing is typed or offered"
        editor.focus()
        await press(pilot, "bcwtwe")
        await pilot.press("tab")
        await press(pilot, "<esc>")
        assert editor.text == "SELECT kind AS one FROM tweets"
        # an insertion is one step, with what was taken from the menu
        await press(pilot, "u")
        assert editor.text == "SELECT kind AS one FROM twe"
        before = status(pilot, "#result-panel")
        await press(pilot, "<c-r>")
        assert editor.text == "SELECT kind AS one FROM tweets", "redo"
        assert status(pilot, "#result-panel") == before, "and no run"
        # what is selected is run
        await press(pilot, "oSELECT 7 AS n<esc>V")
        assert mode(pilot) == "VISUAL LINE"
        assert editor.selected_text == "SELECT 7 AS n"
        await pilot.press("f5")
        await settled(pilot)
        assert status(pilot, "#result-panel").startswith("1 row ")
        # in normal mode esc leaves
        editor.focus()
        await press(pilot, "<esc>")
        assert editor.has_focus, "it left the visual mode"
        await press(pilot, "2d<esc>")
        assert editor.has_focus, "it forgot the command"
        await press(pilot, "<esc>")
        assert not editor.has_focus
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "Vim's keys in the editor (f5 runs the query)" in screen(pilot)


async def test_they_are_switched_on_and_off(sample_home: Home) -> None:
    heard = Heard()
    app = MynahApp(sample_home, section="query", poll_seconds=60)
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        editor = app.screen.query_one(SqlEditor)
        editor.load_text("a b c")
        editor.focus()
        await press(pilot, "x")
        assert (editor.text, mode(pilot)) == ("xa b c", "")
        await pilot.press("f10")
        await press(pilot, "X")
        assert (editor.text, mode(pilot)) == ("a b c", "NORMAL")
        assert read_config(sample_home) == {"query.vim": "on"}
        assert heard.toasts[-1].startswith("Vim keys are on")
        # keys that delete elsewhere do not; ctrl+a and the mouse select as v does
        await pilot.press("ctrl+w", "ctrl+k", "ctrl+x", "ctrl+d", "ctrl+u")
        assert editor.text == "a b c"
        await pilot.press("ctrl+a")
        assert mode(pilot) == "VISUAL"
        await press(pilot, '"+y')
        assert app.clipboard == "a b c"
        # esc and a letter in one go, as a quick typist sends them
        await press(pilot, "ix")
        await pilot.press("alt+u")
        assert (editor.text, mode(pilot)) == ("a b c", "NORMAL")
        # another text begins in normal mode
        await press(pilot, "i")
        await pilot.press("ctrl+n")
        assert (editor.text, mode(pilot)) == ("", "NORMAL")
        await press(pilot, "u")
        assert editor.text == "a b c"
        await press(pilot, "i")
        await pilot.press("ctrl+s")
        assert isinstance(app.screen, Ask)
        await pilot.press("escape", "f10")
        await press(pilot, "x")
        assert (editor.text, mode(pilot)) == ("xa b c", "")
        assert read_config(sample_home) == {"query.vim": "off"}
        # the page of settings has it, too
        await pilot.press("escape", "comma")
        switch = next(one for one in app.screen.query(SwitchField) if one.key == "query.vim")
        switch.focus()
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert (read_config(sample_home), mode(pilot)) == ({"query.vim": "on"}, "NORMAL")


class Alone(App[None]):
    """The editor and nothing else."""

    def compose(self) -> ComposeResult:
        yield SqlEditor(pieces=pieces, id="editor")
        yield CompletionMenu()


COMMANDS = st.sampled_from([
    "dd", "dw", "d$", "3x", "D", "J", "~", "rx", "p", "P", "yyp", ">>", "dG", "diw", "da(",
    "cwa b<cr>c<esc>", "ifoo<cr>bar<esc>", "2oab<esc>", "Ox<bs><bs>y<esc>", "vjd", "Vjp", "viwU",
    "v$J", "A\t日<esc>", "S<esc>", "vGc<cr><cr><esc>", ".",
])  # fmt: skip


async def test_every_command_is_taken_back_whole() -> None:
    async with Alone().run_test() as pilot:
        editor = pilot.app.query_one(SqlEditor)
        editor.use_vim(True)
        editor.focus()
        await pilot.pause()

        def feed(words: str) -> None:
            for key in keys_of(words):
                event = events.Key(key, key if len(key) == 1 else None)
                if not editor.press_vim(event):
                    typed = {"enter": "\n"}.get(key, key)
                    if key == "backspace":
                        editor.action_delete_left()
                    elif len(typed) == 1:
                        editor._replace_via_keyboard(typed, *editor.selection)

        @example(text="ab\n\ncd\n", keys="", commands=["ifoo<cr>bar<esc>"])
        @settings(max_examples=60, deadline=None)
        @given(
            text=st.text(alphabet="ab (),'\n\té日", max_size=40),
            keys=st.text(alphabet="jlwG$", max_size=4),
            commands=st.lists(COMMANDS, min_size=1, max_size=4),
        )
        def check(text: str, keys: str, commands: list[str]) -> None:
            editor.load_text(text)
            feed(keys)
            states = [editor.text]
            for command in commands:
                before = editor.text
                feed(command)
                assert editor.vim is not None
                assert editor.vim.mode == "normal"
                assert editor.selection.is_empty
                if editor.text != before:
                    states.append(editor.text)
            last = states.pop()
            for state in reversed(states):
                feed("u")
                assert editor.text == state
                assert editor.wrapped_document.height == editor.document.line_count
            feed(f"{len(states)}<c-r>" if states else "")
            assert editor.text == last
            assert editor.wrapped_document.height == editor.document.line_count

        check()


@pytest.mark.parametrize(
    ("keys", "place"),
    [("vjl", (1, 1)), ("Vj", (1, 0)), ("vG$", (2, 7)), ("$vb", (0, 0)), ("jVo", (1, 0))],
)
async def test_the_cursor_of_a_selection_is_where_vim_has_it(
    keys: str, place: tuple[int, int]
) -> None:
    async with Alone().run_test() as pilot:
        editor = pilot.app.query_one(SqlEditor)
        editor.use_vim(True)
        editor.load_text("SELECT 1\nFROM t\nWHERE x")
        editor.focus()
        await press(pilot, keys)
        turned = [
            (row, column)
            for row in range(3)
            for column in range(len(editor.get_line(row)))
            if editor.get_line(row).get_style_at_offset(pilot.app.console, column).reverse
        ]
        assert turned == [place]


async def test_what_comes_from_elsewhere_is_a_step_of_its_own() -> None:
    async with Alone().run_test() as pilot:
        editor = pilot.app.query_one(SqlEditor)
        editor.use_vim(True)
        editor.load_text("a b c")
        editor.focus()
        await press(pilot, "dw")
        editor.insert_name("x")
        assert editor.text == "x b c"
        await press(pilot, "u")
        assert editor.text == "b c"
        await press(pilot, "ixy")
        await pilot.press("ctrl+z")
        assert editor.text == "b c"
        await press(pilot, "z<esc>")
        assert editor.text == "zb c"
        await press(pilot, "u")
        assert editor.text == "b c"
        await press(pilot, "u")
        assert editor.text == "a b c"


async def test_lines_are_selected_without_going_to_their_ends() -> None:
    async with Alone().run_test(size=(40, 10)) as pilot:
        editor = pilot.app.query_one(SqlEditor)
        editor.use_vim(True)
        editor.load_text("SELECT kind, count(*) AS tweets, round(avg(length(text))) AS c\nFROM t")
        editor.focus()
        await press(pilot, "V")
        assert editor.selected_text == editor.document.get_line(0)
        assert editor.scroll_offset.x == 0
        await press(pilot, "$")
        assert editor.scroll_offset.x > 0
        await press(pilot, "<esc>")
        assert editor.cursor_location == (0, 61), "on the last character"
        await press(pilot, "Ax<esc>u")
        assert editor.cursor_location == (0, 61), "not behind it"
