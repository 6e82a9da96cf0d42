"""1 Data: choosing accounts, searching, kept and dropped, copying."""

from __future__ import annotations

import pytest

from core.home import Home
from tests.functional.walk import Heard, screen, settled, status
from tui.app import MynahApp
from tui.text.numbers import count
from tui.text.tweets import TweetLines
from tui.widgets.row_list import RowList


def tweets(app: MynahApp) -> TweetLines:
    lines = app.screen.query_one("#tweets", RowList).rows
    assert isinstance(lines, TweetLines)
    return lines


async def test_the_accounts_chosen_are_those_of_every_section(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        per_handle = {account.handle: account.tweets for account in app.state.accounts or []}
        everybody = list(per_handle)
        assert app.state.chosen == everybody
        assert len(tweets(app)) == sum(per_handle.values())
        app.screen.query_one("#accounts", RowList).focus()
        await pilot.press("home", "space")  # leaves the first
        await settled(pilot)
        assert app.state.chosen == everybody[1:]
        rest = sum(per_handle[handle] for handle in everybody[1:])
        assert status(pilot, "#tweets-panel").startswith(count(rest))
        await pilot.press("j", "enter")  # only the second
        await settled(pilot)
        second = everybody[1]
        assert app.state.chosen == [second]
        assert len(tweets(app)) == per_handle[second]
        await pilot.press("2")
        await settled(pilot)
        assert status(pilot, "#stats-panel").endswith(f"of {per_handle[second]:,}")
        for section in "1245":
            await pilot.press("escape", section)
            await pilot.pause()
            assert f"@{second}" in screen(pilot).splitlines()[0]
        await pilot.press("4")
        await settled(pilot)
        assert f"learns from @{second}" in " ".join(screen(pilot).split())
        # the last one cannot be left: every section would be empty
        await pilot.press("1")
        app.screen.query_one("#accounts", RowList).focus()
        await pilot.press("home", "j", "space")
        await settled(pilot)
        assert app.state.chosen == [second]
        assert app.screen.query_one("#accounts", RowList).marks == {1}


async def test_search_finds_words_and_not_patterns(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        every = len(tweets(app))
        await pilot.press("slash", *"TEA")
        await settled(pilot)
        found = len(tweets(app))
        assert 0 < found < every
        assert all("tea" in tweets(app).rows[i].published.lower() for i in range(found))
        assert status(pilot, "#tweets-panel").startswith(f"{found:,} of {every:,}")
        await pilot.press("enter")
        assert app.focused is app.screen.query_one("#tweets")
        assert len(tweets(app)) == found, "enter keeps the search"
        await pilot.press("escape")
        await settled(pilot)
        assert len(tweets(app)) == every
        for words in (".*", "[a-z", "'; DROP TABLE tweets; --", "[bold]"):
            await pilot.press("slash", *words)
            await settled(pilot)
            assert len(tweets(app)) == 0, words
            assert "No tweet matches." in screen(pilot)
            await pilot.press("escape")
        await settled(pilot)
        assert len(tweets(app)) == every


async def test_w_turns_through_all_kept_and_dropped(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.state.curation is not None
        total = app.state.curation.total
        seen = []
        for _ in range(3):
            await pilot.press("w")
            await settled(pilot)
            seen.append((len(tweets(app)), status(pilot, "#tweets-panel").split("· ")[1]))
        assert seen == [
            (total.kept, "kept only"),
            (total.downloaded - total.kept, "dropped only"),
            (total.downloaded, "newest first"),
        ]
        await pilot.press("w", "w")
        await settled(pilot)
        assert "dropped:" in screen(pilot), "the detail says why"


async def test_the_detail_and_the_copy_are_the_tweet_under_the_cursor(
    sample_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KITTY_WINDOW_ID", "1")
    app, heard = MynahApp(sample_home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        await pilot.press("G")
        await pilot.pause()
        last = tweets(app).rows[len(tweets(app)) - 1]
        assert f"id {last.tweet_id}" in " ".join(screen(pilot).replace("│", " ").split())
        await pilot.press("y")
        await settled(pilot)
        assert app.clipboard == last.published
        assert heard.toasts == ["Copied: The tweet as published."]
        monkeypatch.delenv("KITTY_WINDOW_ID")  # a terminal that nobody knows
        for name in ("TERM_PROGRAM", "GHOSTTY_RESOURCES_DIR", "WEZTERM_PANE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm")
        await pilot.press("y")
        await settled(pilot)
        assert heard.toasts[1].startswith("Sent to the terminal's clipboard: The tweet")


async def test_clicks_do_what_keys_do(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        listing = app.screen.query_one("#tweets", RowList)
        await pilot.click("#tweets", offset=(20, 5))
        await pilot.pause()
        assert listing.cursor == 5
        await pilot.click("#accounts", offset=(1, 1))  # on the mark
        await settled(pilot)
        assert len(app.state.chosen) == 2
