"""Add tweets, of a table whose columns have names that nobody guesses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.home import Home
from tests.functional.test_app_import import handles, type_path
from tests.functional.walk import Heard, assert_safe, screen, settled, unbroken, until
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets
from tui.data.columns import ColumnsPage
from tui.widgets.choice_field import ChoiceField, ChoiceMenu
from tui.widgets.field import OpenField
from tui.widgets.field_form import FieldForm

SIZES = [(80, 24), (120, 40)]
ODD = "when,nick,body\n2020-01-02,ann,the sea is calm\n2020-02-03,ann,\x1b[2Ja \u202egull\n"
PLAIN = "id,text,author\n1,hello you,bob\n"


def said(pilot: Pilot[Any]) -> str:
    return " ".join(screen(pilot).replace("│", " ").split())


def columns_shown(pilot: Pilot[Any]) -> str:
    """What Add tweets says of the columns; empty where it says nothing."""
    field = pilot.app.screen.query_one(OpenField)
    return field.value if field.display else ""


async def open_columns(pilot: Pilot[Any]) -> FieldForm:
    await pilot.press("ctrl+t")
    await until(pilot, lambda: isinstance(pilot.app.screen, ColumnsPage))
    await pilot.pause()
    return pilot.app.screen.query_one(FieldForm)


async def choose(pilot: Pilot[Any], form: FieldForm, role: str, column: str) -> None:
    """From the open list, as a person would."""
    field = form.field(role)
    assert isinstance(field, ChoiceField)
    field.focus()
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ChoiceMenu))
    place = [choice.label for choice in field.choices].index(column)
    await pilot.press("home", *["down"] * place, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ColumnsPage))


async def take(pilot: Pilot[Any]) -> None:
    await pilot.press("o")
    await until(pilot, lambda: isinstance(pilot.app.screen, AddTweets))
    await settled(pilot)


@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
async def test_a_table_without_a_known_text_can_be_brought_in(
    home: Home, tmp_path: Path, size: tuple[int, int]
) -> None:
    table = tmp_path / "odd.csv"
    table.write_text(ODD)
    app = MynahApp(home)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await type_path(pilot, table)
        assert "no column of texts" in said(pilot)
        assert "when, nick, body" in said(pilot)
        assert "^t chooses the one with the texts" in said(pilot)
        assert "--map" not in said(pilot)
        assert columns_shown(pilot) == "which is the text?"
        form = await open_columns(pilot)
        assert "Columns of odd.csv" in said(pilot)
        assert "None of the columns is the text yet" in said(pilot)
        assert "What the tweet says." in said(pilot)
        await choose(pilot, form, "text", "body")
        assert "‹ body › the sea is calm" in said(pilot)
        assert "None of the columns is the text yet" not in said(pilot)
        form.field("author").focus()
        await pilot.press("right", "right")
        assert "‹ nick › ann" in said(pilot)
        await pilot.press("down", "right", "right")
        assert form.values["text"] == "body", "turning takes nothing away from another role"
        assert form.values["created"] is None, "when, and round again"
        await pilot.press("right")
        assert "‹ when › 2020-01-02" in said(pilot)
        assert_safe(pilot)
        await take(pilot)
        assert columns_shown(pilot) == "text: body, author: nick, date: when"
        assert "@ann · 2 tweets · 2 Jan 2020 – 3 Feb 2020" in said(pilot)
        assert app.screen.query_one("#path", Input).has_focus
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        # the same file again: what was said of it still holds
        await type_path(pilot, table)
        assert columns_shown(pilot) == "text: body, author: nick, date: when"
    assert handles(home) == {"ann": 2}


async def test_a_wrong_choice_is_refused_in_words_and_can_be_mended(
    home: Home, tmp_path: Path
) -> None:
    table = tmp_path / "odd.csv"
    table.write_text(ODD)
    app = MynahApp(home)
    async with app.run_test(size=SIZES[0]) as pilot:
        await settled(pilot)
        await type_path(pilot, table)
        form = await open_columns(pilot)
        await choose(pilot, form, "text", "nick")
        await choose(pilot, form, "author", "body")
        await take(pilot)
        assert "There are no tweets in" in said(pilot)
        assert "2 without a usable account name" in said(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, AddTweets)
        form = await open_columns(pilot)
        assert form.values["text"] == "nick", "as it was left"
        await choose(pilot, form, "author", "none")
        await choose(pilot, form, "text", "body")
        await choose(pilot, form, "author", "nick")
        await take(pilot)
        assert "@ann · 2 tweets" in said(pilot)
        # the header is another one by now
        table.write_text("who,words\nann,hello\n")
        await pilot.press("end", "x", "backspace")
        await settled(pilot)
        assert "has no column 'body'" in said(pilot)
        form = await open_columns(pilot)
        assert set(form.values.values()) == {None}
        await choose(pilot, form, "text", "words")
        await take(pilot)
        assert "account not named · 1 tweet" in said(pilot)


async def test_a_guess_can_be_changed_and_taken_back(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "two.csv"
    table.write_text("id,text,words,author\n1,short,the long one,bob\n")
    app = MynahApp(home)
    async with app.run_test(size=SIZES[1]) as pilot:
        await settled(pilot)
        await type_path(pilot, table)
        assert columns_shown(pilot) == "as guessed"
        assert "original short" in said(pilot)
        form = await open_columns(pilot)
        assert "‹ text (guessed) › short" in said(pilot)
        assert "‹ author (guessed) › bob" in said(pilot)
        await choose(pilot, form, "text", "words")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        assert columns_shown(pilot) == "as guessed", "esc changes nothing"
        form = await open_columns(pilot)
        await choose(pilot, form, "text", "words")
        await take(pilot)
        assert columns_shown(pilot) == "text: words"
        assert "original the long one" in said(pilot)
        await open_columns(pilot)
        await pilot.press("u")
        assert "‹ text (guessed) › short" in said(pilot)
        await take(pilot)
        assert columns_shown(pilot) == "as guessed"
        assert "original short" in said(pilot)


async def test_of_several_files_a_choice_is_for_one(home: Home, tmp_path: Path) -> None:
    for name in ("odd.csv", "other.csv"):
        (tmp_path / name).write_text(ODD if name == "odd.csv" else PLAIN)
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=SIZES[0], message_hook=heard) as pilot:
        await settled(pilot)
        await type_path(pilot, tmp_path)
        assert "odd.csvhasnocolumnoftexts" in unbroken(pilot)
        assert "--map" not in said(pilot)
        assert columns_shown(pilot) == "which is the text?"
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, ChoiceMenu))
        assert "odd.csv which column is the text?" in said(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ColumnsPage))
        await pilot.pause()
        form = app.screen.query_one(FieldForm)
        await choose(pilot, form, "text", "body")
        assert "for this file only" in said(pilot)
        await take(pilot)
        assert "choose the column that does with ^t" in said(pilot)
        assert columns_shown(pilot) == "chosen in 1 of 2 tables"
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, ChoiceMenu))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ColumnsPage))
        await pilot.pause()
        form = app.screen.query_one(FieldForm)
        await choose(pilot, form, "author", "nick")
        await take(pilot)
        assert columns_shown(pilot) == "chosen in 1 of 2 tables"
        assert "text: body, author: nick" in said(pilot)
        assert "@bob · 1 tweet" in said(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.state.accounts or []) == 2)
        await settled(pilot)
    assert handles(home) == {"ann": 2, "bob": 1}


async def test_an_archive_has_no_columns_to_choose(home: Home) -> None:
    from core.workflow.data import sample_archives

    app = MynahApp(home)
    async with app.run_test(size=SIZES[0]) as pilot:
        await settled(pilot)
        await type_path(pilot, sample_archives()[0])
        assert "987 tweets" in said(pilot)
        assert columns_shown(pilot) == ""
        await pilot.press("ctrl+t")
        await settled(pilot)
        assert isinstance(app.screen, AddTweets)


async def test_a_file_without_any_columns_has_none_to_choose(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("{}\n{}\n")
    (tmp_path / "other.csv").write_text(PLAIN)
    app = MynahApp(home)
    async with app.run_test(size=SIZES[0]) as pilot:
        await settled(pilot)
        for path in (tmp_path / "empty.jsonl", tmp_path):
            await type_path(pilot, path)
            assert "has no texts that mynah knows" in said(pilot)
            assert "Its first object has: nothing." in said(pilot)
            assert "chooses the one with the texts" not in said(pilot)
            assert "--map" not in said(pilot)
            assert "which is the text?" not in columns_shown(pilot)
        assert app.failures == []
