"""The Query section: names are offered, mistakes shown where they are, nothing is lost or cut."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from core.corpus.store import Corpus
from core.home import Home
from core.query.history import query_history
from core.query.run import run_query
from tests.functional.walk import Heard, assert_safe, mynah, screen, settled, status, until
from tui.app import MynahApp
from tui.dialogs.ask import Ask
from tui.dialogs.text import TextScreen
from tui.query.allow_writing import AllowWriting
from tui.query.completion import CompletionMenu
from tui.query.editor import SqlEditor
from tui.query.history import PastQueries
from tui.query.result_table import ResultTable
from tui.query.tables import SchemaList
from tui.widgets.panel import Panel
from tui.widgets.row_list import RowList

SIZES = [(80, 24), (120, 40)]


@asynccontextmanager
async def at_query(
    home: Home, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Pilot[Any], SqlEditor]]:
    async with MynahApp(home, section="query", poll_seconds=60).run_test(size=size) as pilot:
        await settled(pilot)
        editor = pilot.app.screen.query_one(SqlEditor)
        editor.focus()
        editor.load_text("")
        await pilot.pause()
        yield pilot, editor


async def write(pilot: Pilot[Any], text: str) -> None:
    names = {" ": "space", "(": "left_parenthesis", ")": "right_parenthesis", ",": "comma"}
    names |= {"*": "asterisk", "_": "underscore", ".": "full_stop", "\n": "enter"}
    await pilot.press(*(names.get(sign, sign) for sign in text))
    await pilot.pause()


async def run(pilot: Pilot[Any], editor: SqlEditor, sql: str, key: str = "f5") -> None:
    editor.load_text(sql)
    editor.focus()
    await pilot.press(key)
    await settled(pilot)


def table(pilot: Pilot[Any]) -> ResultTable:
    return pilot.app.screen.query_one(ResultTable)


def menu(pilot: Pilot[Any]) -> CompletionMenu:
    return pilot.app.screen.query_one(CompletionMenu)


async def test_names_are_offered_and_taken(sample_home: Home) -> None:
    async with at_query(sample_home) as (pilot, editor):
        await write(pilot, "FROM twe")
        assert menu(pilot).is_open
        assert "tweets" in screen(pilot)
        await pilot.press("tab")
        assert editor.text == "FROM tweets"
        assert not menu(pilot).is_open
        await pilot.press("enter")
        assert editor.text == "FROM tweets\n", "enter is stolen only by an open menu"
        await write(pilot, "WHERE tweets.cr")
        await pilot.press("enter")
        assert editor.text == "FROM tweets\nWHERE tweets.created_at"
        await write(pilot, " AND re")
        first = menu(pilot).chosen
        await pilot.press("down")
        second = menu(pilot).chosen
        assert first.startswith("re")
        assert second != first
        await write(pilot, "pe")
        await pilot.press("backspace")
        assert menu(pilot).is_open
        await pilot.press("escape")
        assert not menu(pilot).is_open
        assert editor.has_focus, "esc closed the menu and nothing more"
        await pilot.press("escape")
        assert not editor.has_focus


async def test_no_menu_for_what_is_whole_or_pasted(sample_home: Home) -> None:
    async with at_query(sample_home) as (pilot, editor):
        await write(pilot, "FROM tweets")
        assert not menu(pilot).is_open
        editor.insert("\nWHERE li")
        await pilot.pause()
        assert not menu(pilot).is_open
        await write(pilot, " 'tw")
        assert not menu(pilot).is_open


async def test_the_menu_stays_on_the_screen(sample_home: Home) -> None:
    async with at_query(sample_home, (80, 24)) as (pilot, editor):
        editor.load_text("SELECT\n" * 40 + "x" * 70)
        editor.move_cursor(editor.document.end)
        await pilot.pause()
        await write(pilot, " co")
        await pilot.pause()
        region = menu(pilot).region
        assert menu(pilot).is_open
        assert pilot.app.screen.region.contains_region(region)
        assert region.height >= 2


@pytest.mark.slow
async def test_words_have_colours_in_every_theme(sample_home: Home) -> None:
    async with at_query(sample_home) as (pilot, editor):

        def colour(line: int, column: int) -> object:
            style = editor.get_line(line).get_style_at_offset(pilot.app.console, column)
            return style.color, style.bold, style.italic, style.dim

        for theme in ("mynah", "mynah-day", "ansi-dark"):
            pilot.app.theme = theme
            editor.load_text("-- why\nSELECT 'a' || 1 FROM tweets /* all\nof them */")
            await pilot.pause()
            looks = [colour(0, 1), colour(1, 1), colour(1, 8), colour(1, 14), colour(1, 23)]
            assert len(set(map(str, looks))) == 5, theme
            assert colour(2, 0) == colour(1, 32) == colour(0, 1), "a comment goes on"


@pytest.mark.parametrize("size", SIZES)
async def test_a_mistake_is_shown_where_it_is(sample_home: Home, size: tuple[int, int]) -> None:
    sql = "SELECT kind,\n  noth\nFROM tweets"
    async with at_query(sample_home, size) as (pilot, editor):
        await run(pilot, editor, sql)
        assert editor.cursor_location == (1, 2)
        assert editor.has_focus
        assert editor.text == sql
        assert "line 2, column 3" in screen(pilot)
        assert status(pilot, "#result-panel") == "refused"
        marked = editor.get_line(1).get_style_at_offset(pilot.app.console, 3)
        assert marked.underline
        await write(pilot, "x")
        assert not editor.get_line(1).get_style_at_offset(pilot.app.console, 3).underline
        # only a part was run: the place is that in the whole text
        editor.load_text("SELECT 1;\nSELECT  noth")
        editor.selection = type(editor.selection)((1, 0), (1, 12))
        await pilot.press("f5")
        await settled(pilot)
        assert editor.cursor_location == (1, 8)
        await run(pilot, editor, "SELECT 1 AS one")
        assert "line 2" not in screen(pilot)
        assert table(pilot).has_focus


async def test_what_is_no_query_is_refused_with_words(sample_home: Home) -> None:
    data = sample_home.corpus.read_bytes()
    async with at_query(sample_home) as (pilot, editor):
        for sql in (
            "COPY tweets TO 'x'",
            "ATTACH 'x'",
            "INSTALL httpfs",
            "SET threads = 1",
            "PRAGMA database_list",
            "FROM read_csv('/etc/passwd')",
            "DELETE FROM tweets",
        ):
            pilot.app.screen.query_one("#query-note", Static).update("")
            await run(pilot, editor, sql)
            note = str(pilot.app.screen.query_one("#query-note", Static).visual)
            assert len(note) > 40, sql
            assert status(pilot, "#result-panel") == "refused"
            assert editor.text == sql
    assert sample_home.corpus.read_bytes() == data


async def test_three_million_rows(home: Home) -> None:
    async with at_query(home) as (pilot, editor):
        await run(pilot, editor, "SELECT range AS n, 'row ' || range AS t FROM range(3000000)")
        assert len(table(pilot).rows) == 3_000_000
        assert status(pilot, "#result-panel").startswith("3,000,000 rows · ")
        await pilot.press("end")
        await pilot.pause()
        assert "row 2999999" in screen(pilot)


async def test_what_was_left_out_is_said_and_can_be_written(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.query import running as query

    monkeypatch.setattr(query, "MOST_ROWS", 10)
    async with at_query(home) as (pilot, editor):
        await run(pilot, editor, "SELECT range AS n FROM range(25)")
        assert status(pilot, "#result-panel").startswith("first 10 rows, there are more: e writes")
        await run(pilot, editor, "SELECT 1", "f8")  # the plan of another query is no result
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        out = tmp_path / "all.csv"
        pilot.app.screen.query_one("#answer", Input).value = str(out)
        await pilot.press("enter")
        await settled(pilot)
        assert pl.read_csv(out)["n"].to_list() == list(range(25))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one("#answer", Input).value = str(out)
        await pilot.press("enter")
        await settled(pilot)
        assert "Replace what is there?" in screen(pilot)
        before = out.stat().st_mtime_ns
        await pilot.press("escape")
        await settled(pilot)
        assert out.stat().st_mtime_ns == before
        # a name that says nothing about the format, and a folder that is not there
        for wrong in ("x.doc", "no/such/folder.csv"):
            await pilot.press("e")
            await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
            pilot.app.screen.query_one("#answer", Input).value = str(tmp_path / wrong)
            await pilot.press("enter")
            await settled(pilot)
        assert len(mynah(pilot).failures) == 2
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["all.csv"]


@pytest.mark.slow
async def test_a_query_without_end_is_stopped(home: Home) -> None:
    async with at_query(home) as (pilot, editor):
        editor.load_text("SELECT count(*) FROM range(1000000000000), range(1000000)")
        await pilot.press("f5")
        await until(pilot, lambda: "running" in status(pilot, "#result-panel"))
        await pilot.press("f5")  # one at a time
        assert mynah(pilot).querying.busy
        await pilot.press("escape")
        await until(pilot, lambda: status(pilot, "#result-panel") == "stopped")
        assert not mynah(pilot).querying.busy
        await run(pilot, editor, "SELECT 1 AS one")
        assert len(table(pilot).rows) == 1


async def test_cells_are_copied_as_they_are_and_shown_as_they_can_be(home: Home) -> None:
    sql = "SELECT range AS n, 'a' || chr(27) || '[31m' || range AS t, 1/3 AS f FROM range(3)"
    async with at_query(home) as (pilot, editor):
        app = mynah(pilot)
        await run(pilot, editor, sql)
        assert_safe(pilot)
        await pilot.press("down", "right", "y")
        assert app.clipboard == "a\x1b[31m1"
        await pilot.press("Y")
        assert app.clipboard == "1\ta\x1b[31m1\t0.3333333333333333"
        await pilot.press("left", "C")
        assert app.clipboard == "0\n1\n2"
        await pilot.press("right", "enter")
        assert isinstance(app.screen, TextScreen)
        await pilot.pause()
        assert_safe(pilot)
        assert "a␛[31m1" in screen(pilot)
        await pilot.press("escape")
        await run(pilot, editor, "SELECT NULL AS n, 1 AS one")
        assert re.search(r"NULL +1 ", screen(pilot)), "no value is no empty text"


async def test_a_wide_result_scrolls_by_columns(sample_home: Home) -> None:
    async with at_query(sample_home, (80, 24)) as (pilot, editor):
        await run(pilot, editor, "FROM tweets")
        wide = table(pilot)
        assert wide.in_view < wide.all_columns
        await pilot.press("shift+right")
        await pilot.pause()
        assert wide.column == wide.all_columns - 1
        assert wide.first <= wide.column < wide.first + wide.in_view
        assert "alt_text" in screen(pilot)
        await pilot.press("shift+left")
        assert (wide.column, wide.first) == (0, 0)
        await pilot.press("left")
        assert wide.column == 0


async def test_plans_are_shown(sample_home: Home) -> None:
    async with at_query(sample_home) as (pilot, editor):
        await run(pilot, editor, "FROM accounts", "f8")
        plan = pilot.app.screen.query_one("#plan")
        assert plan.display
        assert plan.has_focus
        assert "Total Time" not in screen(pilot)
        await run(pilot, editor, "FROM accounts", "f9")
        assert "Total Time" in screen(pilot)
        await run(pilot, editor, "FROM accounts")
        assert not plan.display
        assert len(table(pilot).rows) == 3


async def test_queries_are_saved_and_found_again(sample_home: Home) -> None:
    async with at_query(sample_home) as (pilot, editor):
        editor.load_text("SELECT 42 AS answer")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, Ask), "no name is no answer"
        await write(pilot, "The answer")
        await pilot.press("enter")
        await settled(pilot)
        saved = pilot.app.screen.query_one("#saved", RowList)
        assert saved.rows.row(0) == (("The answer", ""), ("own", "muted"))
        assert (sample_home.root / "queries" / "the_answer.sql").is_file()
        editor.load_text("")
        await pilot.press("f4", "home", "enter")
        await settled(pilot)
        assert editor.text.strip() == "SELECT 42 AS answer"
        assert table(pilot).rows.row(0)[0][0] == "42"
        # the same name again replaces it, because it is the one in the editor
        editor.load_text("SELECT 43 AS answer")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press("enter")
        await settled(pilot)
        assert "43" in (sample_home.root / "queries" / "the_answer.sql").read_text()


async def test_history(sample_home: Home) -> None:
    async with at_query(sample_home) as (pilot, editor):
        for number in (1, 2, 2, 3):
            await run(pilot, editor, f"SELECT {number}")
        assert query_history(sample_home) == ["SELECT 1", "SELECT 2", "SELECT 3"]
        editor.load_text("a draft")
        editor.focus()
        for key, text in (
            ("ctrl+up", "SELECT 3"),
            ("alt+up", "SELECT 2"),
            ("ctrl+up", "SELECT 1"),
            ("ctrl+up", "SELECT 1"),
            ("ctrl+down", "SELECT 2"),
            ("alt+down", "SELECT 3"),
            ("ctrl+down", "a draft"),
            ("ctrl+down", "a draft"),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert editor.text == text
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(pilot.app.screen, PastQueries))
        await pilot.press("down", "enter")
        await pilot.pause()
        assert editor.text == "SELECT 2"
        assert editor.has_focus


@pytest.mark.parametrize("size", SIZES)
async def test_tables_at_the_side(sample_home: Home, size: tuple[int, int]) -> None:
    async with at_query(sample_home, size) as (pilot, editor):
        editor.load_text("FROM ")
        editor.move_cursor(editor.document.end)
        await pilot.press("escape", "t")
        await pilot.pause()
        schema = pilot.app.screen.query_one(SchemaList)
        assert schema.has_focus
        closed = len(schema.rows)
        await pilot.press("home", "down", "right", "down")
        assert len(schema.rows) > closed + 10
        assert "tweet_id" in screen(pilot)
        await pilot.press("left")
        assert len(schema.rows) == closed
        assert schema.cursor == 1, "the table has the cursor that its column had"
        await pilot.press("enter")
        await pilot.pause()
        assert editor.text == "FROM tweets "
        assert editor.has_focus
        editor.load_text("FROM accounts JOIN")
        editor.move_cursor(editor.document.end)
        await pilot.press("f2", "enter")
        await pilot.pause()
        assert editor.text == "FROM accounts JOIN tweets ", "no name sticks to the word before it"


@pytest.mark.slow
async def test_writing_is_a_switch(sample_home: Home) -> None:
    gone = "DELETE FROM tweets WHERE handle = 'orbit_grandmother'"

    def left() -> int:
        found = run_query(Corpus(sample_home.corpus), sample_home, "FROM tweets")
        return len(found)

    async with at_query(sample_home) as (pilot, editor):
        app = mynah(pilot)
        panel = app.screen.query_one("#editor-panel", Panel)
        before = left()
        await run(pilot, editor, gone)
        assert left() == before
        await pilot.press("escape", "W")
        await until(pilot, lambda: isinstance(app.screen, AllowWriting))
        assert "no undo" in screen(pilot)
        assert "or with W." in " ".join(screen(pilot).replace("│", " ").split())
        await pilot.press("escape")
        await pilot.pause()
        assert panel.title == "Query"
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, AllowWriting))
        await pilot.press("y")
        await pilot.pause()
        assert panel.title == "▲ writing"
        await run(pilot, editor, "DROP TABLE tweets")
        assert left() == before
        await run(pilot, editor, gone)
        assert "rows changed" in screen(pilot)
        assert 0 < left() < before
        assert len(app.state.accounts or []) == 2, "the other sections know"
        # a dialog above the section leaves the switch as it is, another section does not
        await pilot.press("question_mark", "escape")
        assert panel.title == "▲ writing"
        await pilot.press("1", "3")
        await pilot.pause()
        assert panel.title == "Query"


@pytest.mark.slow
async def test_a_corpus_in_use_and_a_query_that_stays(sample_home: Home) -> None:
    code = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1]); c.begin();"
        "c.execute('DELETE FROM tweets'); print('held', flush=True); sys.stdin.read()"
    )
    async with at_query(sample_home) as (pilot, editor):
        other = subprocess.Popen(  # while the app is open, another program can write
            [sys.executable, "-c", code, str(sample_home.corpus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert other.stdin is not None
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == b"held\n"
            await run(pilot, editor, "SELECT count(*) AS n FROM tweets")
            note = str(pilot.app.screen.query_one("#query-note", Static).visual)
            assert f"process {other.pid}" in note
            assert editor.text == "SELECT count(*) AS n FROM tweets"
        finally:
            other.stdin.close()
            other.wait(30)
            other.stdout.close()
        await run(pilot, editor, editor.text)
        assert table(pilot).rows.row(0)[0][0] != "0"


@pytest.mark.parametrize("size", SIZES)
def test_picture(snap_compare: Any, told_home: Home, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        editor = pilot.app.screen.query_one(SqlEditor)
        await run(pilot, editor, "-- by kind\nSELECT kind, text FROM tweets\nORDER BY tweet_id")
        await pilot.press("down", "right")
        pilot.app.screen.query_one("#result-panel", Panel).status = "3,099 rows"
        editor.cursor_blink = False
        await pilot.pause()

    app = MynahApp(told_home, section="query", poll_seconds=60)
    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_a_saved_query_does_not_swallow_a_draft(sample_home: Home) -> None:
    async with at_query(sample_home) as (pilot, editor):
        await write(pilot, "select my draft")
        await pilot.press("escape", "f4", "down", "enter")
        await settled(pilot)
        assert "draft" not in editor.text
        editor.focus()
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert editor.text == "select my draft"


async def test_tab_after_half_a_name_stays_in_the_editor(sample_home: Home) -> None:
    async with at_query(sample_home) as (pilot, editor):
        editor.completer = None  # the names have not been read yet
        await write(pilot, "select han")
        await pilot.press("tab")
        await write(pilot, "w")
        assert pilot.app.focused is editor
        assert editor.text == "select hanw"
        assert not isinstance(pilot.app.screen, AllowWriting)


async def test_all_of_a_query_is_selected_and_a_new_one_can_be_taken_back(home: Home) -> None:
    async with at_query(home) as (pilot, editor):
        await run(pilot, editor, "SELECT 1 AS one,\n2 AS two")
        editor.focus()
        await pilot.press("ctrl+a")
        assert editor.selected_text == "SELECT 1 AS one,\n2 AS two"
        await pilot.press("ctrl+n")
        assert editor.text == ""
        assert pilot.app.focused is editor
        assert len(table(pilot).rows) == 1, "the result stays"
        await pilot.press("ctrl+z")
        assert editor.text == "SELECT 1 AS one,\n2 AS two"


async def test_a_query_is_edited_in_an_editor_of_ones_own(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = 'open(sys.argv[1], "a").write("\\nFROM range(3)\\n")'
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"'{sys.executable}' -c 'import sys; {write}'")
    heard = Heard()
    app = MynahApp(home, section="query", poll_seconds=60)
    monkeypatch.setattr(app, "suspend", nullcontext)  # no terminal to hand over
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        editor = app.screen.query_one(SqlEditor)
        editor.load_text("SELECT range")
        await pilot.press("ctrl+o")
        assert editor.text == "SELECT range\nFROM range(3)"
        assert app.focused is editor
        monkeypatch.setenv("EDITOR", "/nowhere/edit")
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert editor.text == "SELECT range\nFROM range(3)", "nothing is lost"
        assert "/nowhere/edit cannot be started." in heard.toasts[-1]
