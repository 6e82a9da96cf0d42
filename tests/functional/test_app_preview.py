"""Add tweets says what would come in before it does, for every format and in every window."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from core.home import Home
from tests.fixtures.formats import BUILDERS, POSTS
from tests.functional.test_app_import import handles, type_path
from tests.functional.walk import Heard, screen, settled, unbroken, until
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets

NO_RETWEETS = ("mastodon", "bluesky")
SIZES = [(80, 24), (120, 40)]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
async def test_every_format_shows_what_would_come_in(
    home: Home, tmp_path: Path, size: tuple[int, int]
) -> None:
    app = MynahApp(home)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await type_path(pilot, "")
        for name, build in BUILDERS:
            posts = [p for p in POSTS if name not in NO_RETWEETS or p.kind != "retweet"]
            path = build(tmp_path, posts)
            app.screen.query_one("#path", Input).value = str(path)
            await settled(pilot)
            lines = screen(pilot).split("\n")
            said = " ".join(" ".join(lines).split())
            where = f"{build.__name__}:\n" + "\n".join(lines)
            nameless = app.screen.query_one("#whose", Input).placeholder.endswith("whose it is")
            who = "account not named" if nameless else "@"
            assert any(who in line and f"{len(posts)} tweets" in line for line in lines), where
            assert "4 Mar 2017" in said, where
            assert "Encoding UTF-" in said, where
            for post in posts[:5]:
                start = post.text.split("\n")[0].split("\t")[0][:20]
                shown = [line for line in lines if "2017-03-04" in line and start in line]
                assert len(shown) == 1, where
                assert post.kind in shown[0], where
        await pilot.press("escape")
        await settled(pilot)
        assert not home.root.exists()


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
async def test_a_guessed_encoding_can_be_put_right(
    home: Home, tmp_path: Path, size: tuple[int, int]
) -> None:
    table = tmp_path / "old.csv"
    table.write_bytes("id,text,author\n1,всем привет с набережной,ann\n".encode("cp1251"))
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=size, message_hook=heard) as pilot:
        await settled(pilot)
        await type_path(pilot, table)
        field = app.screen.query_one("#encoding", Input)
        assert field.display
        assert "which is a guess" in screen(pilot)
        assert "набережной" not in screen(pilot)
        field.focus()
        await pilot.press(*"windows-1259")
        await until(pilot, lambda: "The nearest is windows-125" in " ".join(screen(pilot).split()))
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, AddTweets), "a name that is none changes nothing"
        await pilot.press("backspace", "1")
        await until(pilot, lambda: "набережной" in screen(pilot))
        assert "Encoding Windows-1251" in screen(pilot)
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert any("because you said so" in toast for toast in heard.toasts)
        assert "набережной" in screen(pilot)
        # the next file is looked at afresh
        table.write_text("id,text,author\n2,plain,bob\n")
        await type_path(pilot, table)
        assert "Encoding UTF-8" in screen(pilot)
        assert not app.screen.query_one("#encoding", Input).display


async def test_a_repository_with_a_number_may_be_given_a_name(home: Home, tmp_path: Path) -> None:
    from tests.fixtures.formats import bluesky_car

    path = bluesky_car(tmp_path, [p for p in POSTS if p.kind != "retweet"])
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await type_path(pilot, path)
        assert "if you know it" in screen(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        await type_path(pilot, path)
        app.screen.query_one("#whose", Input).value = "gull.example"
        await pilot.press("enter")
        await until(pilot, lambda: len(app.state.accounts or []) == 2)
        await settled(pilot)
    assert handles(home) == {"did-plc-gull": 6, "gull.example": 6}


@pytest.mark.slow
async def test_a_large_file_is_counted_while_one_looks(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "large.csv"
    row = "{n},ann,2020-01-02T03:04:05Z,wave number {n} of the sea\n"
    with table.open("w") as file:
        file.write("tweet_id,author,created_at,text\n")
        file.writelines(row.format(n=n) for n in range(1, 600_001))
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await pilot.pause()
        app.screen.query_one("#path", Input).value = str(table)
        await until(pilot, lambda: "so far…" in screen(pilot))
        assert "wave number 5 of" in screen(pilot), "the first rows are there before the end"
        await until(pilot, lambda: "600,000 tweets" in screen(pilot))
        app.screen.query_one("#path", Input).value = str(table)[:-1]
        await until(pilot, lambda: "nothing at that path" in screen(pilot))
        app.screen.query_one("#path", Input).value = str(table)
        await until(pilot, lambda: "so far…" in screen(pilot))
        await pilot.press("escape")  # the look ends with the dialog
        await settled(pilot)
        assert not home.root.exists()


@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
async def test_dates_that_can_be_read_two_ways_are_asked_for(
    home: Home, tmp_path: Path, size: tuple[int, int]
) -> None:
    table = tmp_path / "dates.csv"
    table.write_text(
        "id,text,author,date\n1,the sea is calm,ann,8/2/2011 18:07\n2,b,ann,18.02.11\n"
    )
    app = MynahApp(home)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await type_path(pilot, table)
        field = app.screen.query_one("#dates", Input)
        assert field.display
        assert "day first, or the month" in " ".join(screen(pilot).split())
        field.focus()
        await pilot.press(*"day-firs")
        await until(pilot, lambda: "no date format" in " ".join(screen(pilot).split()))
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, AddTweets), "words that are none change nothing"
        await pilot.press("t")
        await until(pilot, lambda: "8 Feb 2011" in screen(pilot))
        await settled(pilot)
        assert "Without a date: 1 tweet" in screen(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert handles(home) == {"ann": 2}


async def paste_and_enter(pilot: Pilot[Any], path: Path) -> None:
    """As a quick person does: nobody has looked at the file by then."""
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, AddTweets))
    await pilot.pause()
    pilot.app.screen.query_one("#path", Input).post_message(events.Paste(str(path)))
    await pilot.press("enter")


@pytest.mark.parametrize(
    ("table", "asked", "answer"),
    [
        ("id,text,author\n1,hello you,ann\n", "", ""),
        ("id,text\n1,hello you\n", "#whose", "ann"),
        ("id,text,author,date\n1,hello you,ann,8/2/2011 18:07\n", "#dates", "day-first"),
    ],
    ids=["all is known", "whose it is", "its dates"],
)
async def test_an_enter_before_the_preview_waits_for_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, asked: str, answer: str
) -> None:
    from core.sources import preview

    look, at_last = preview.preview, Event()

    def slow(*args: Any, **options: Any) -> object:
        assert at_last.wait(20)
        return look(*args, **options)

    monkeypatch.setattr(preview, "preview", slow)
    path = tmp_path / "quick.csv"
    path.write_text(table)
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=SIZES[0], message_hook=heard) as pilot:
        await settled(pilot)
        await paste_and_enter(pilot, path)
        await until(pilot, lambda: "Looking at it first" in screen(pilot))
        at_last.set()
        if asked:
            await until(pilot, lambda: app.screen.query_one(asked).has_focus)
            await pilot.press(*answer)
            await settled(pilot)
            await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
    assert handles(home) == {"ann": 1}
    assert not [toast for toast in heard.toasts if "--" in toast]


async def test_an_enter_before_a_refusal_leaves_the_reason_to_read(
    home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("")
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=SIZES[0], message_hook=heard) as pilot:
        await settled(pilot)
        await paste_and_enter(pilot, path)
        await settled(pilot)
        assert isinstance(app.screen, AddTweets)
        assert "empty.csv" in unbroken(pilot)
        assert heard.toasts == []
