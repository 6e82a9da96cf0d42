"""A slip of the clipboard: a text of ten megabytes, pasted wherever one can type."""

from __future__ import annotations

import time
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from core.home import Home
from tests.functional.walk import Heard, assert_safe, runs_there, screen, settled
from tui.app import MynahApp
from tui.query.editor import LONGEST, SqlEditor

# Seconds of processor for what a person waits for; a tenth of that is usual.
SECONDS = 3.0


async def paste(pilot: Pilot[Any], text: str) -> None:
    """Paste into what has the focus, then type a letter; each within bounded work."""
    for do in (lambda: _paste(pilot, text), lambda: pilot.press("a")):
        begun = time.process_time()
        await do()
        await settled(pilot)
        screen(pilot)
        assert time.process_time() - begun < SECONDS


async def _paste(pilot: Pilot[Any], text: str) -> None:
    assert pilot.app.focused is not None
    pilot.app.focused.post_message(events.Paste(text))
    await pilot.pause()


@pytest.mark.slow
@pytest.mark.parametrize("line", ["SELECT 1, ", "SELECT 'tea',\n"])
async def test_the_editor_of_query_takes_what_it_can_hold(sample_home: Home, line: str) -> None:
    heard = Heard()
    app = MynahApp(sample_home, section="query", poll_seconds=60)
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        editor = app.screen.query_one(SqlEditor)
        editor.load_text("FROM tweets ")
        editor.move_cursor(editor.document.end)
        editor.focus()
        await paste(pilot, line * (10_000_000 // len(line)))
        assert editor.text == "FROM tweets a", "nothing of it, and what was there stays"
        assert heard.toasts == [
            f"Not taken: The editor holds {LONGEST:,} characters. "
            "mynah sql -f FILE runs a longer query."
        ]
        editor.load_text("")
        whole = line * ((LONGEST - 1) // len(line))
        await paste(pilot, whole)
        assert editor.text == f"{whole}a"
        await paste(pilot, "b" * 20)
        assert editor.text == f"{whole}aa", "the second paste would be too much"
        await pilot.press("ctrl+a")
        await paste(pilot, whole)
        assert editor.text == f"{whole}a", "it takes the place of what was selected"


@pytest.mark.parametrize(
    ("section", "keys", "refused"),
    [
        ("data", "slash", "A search takes at most 50 words and conditions."),
        ("filter", "slash", "A search takes at most 50 words and conditions."),
        ("train", "slash", "A filter takes at"),  # the rest is on the lines below
        ("train", "N", ""),
        ("train", "n", ""),
        ("train", "number_sign", ""),
        ("data", "a", ""),
        ("sample", "p", ""),
    ],
)
async def test_a_long_text_holds_nothing_up(
    told_home: Home, section: str, keys: str, refused: str
) -> None:
    app = MynahApp(told_home, section=section, poll_seconds=60)
    async with app.run_test(size=(120, 40)) as pilot:
        await runs_there(pilot)
        await pilot.press(keys)
        await settled(pilot)
        await paste(pilot, "tea and toast " * 70_000)
        assert_safe(pilot)
        assert refused in screen(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert_safe(pilot)
