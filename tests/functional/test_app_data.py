"""1 Data: choosing accounts, searching, kept and dropped, copying."""

from __future__ import annotations

import pytest

from core.home import Home
from core.workbench.search import SYNTAX
from core.workbench.view import TweetRow
from tests.functional.walk import Heard, screen, settled, status, strips
from tui.app import MynahApp
from tui.help import HelpScreen
from tui.text.numbers import count
from tui.text.tweets import TweetLines
from tui.widgets.row_list import Column, ListRows, RowList
from tui.widgets.search_field import SearchField
from tui.widgets.words import Words


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
            assert str(app.screen.query_one("#tweet", Words).content) == "", "nor a tweet below"
            await pilot.press("escape")
        await settled(pilot)
        assert len(tweets(app)) == every


async def test_w_turns_through_all_kept_and_dropped_and_clicks_do_what_keys_do(
    sample_home: Home,
) -> None:
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
        await pilot.click("#tweets", offset=(20, 5))
        await pilot.pause()
        assert app.screen.query_one("#tweets", RowList).cursor == 5
        await pilot.click("#accounts", offset=(1, 1))  # on the mark
        await settled(pilot)
        assert len(app.state.chosen) == 2


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


async def test_search_takes_conditions_marks_words_and_says_what_is_wrong(
    sample_home: Home,
) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        rows = app.screen.query_one("#tweets", RowList)
        await pilot.press("slash")
        field = app.screen.query_one(SearchField)
        field.value = "from:orbit_grandmother is:original tea -has:link"
        await settled(pilot)
        found = [tweets(app).rows[i] for i in range(len(tweets(app)))]
        assert found
        assert {one.handle for one in found} == {"orbit_grandmother"}
        assert {one.kind for one in found} == {"original"}
        assert all("tea" in one.published.lower() for one in found)
        marked = rows.get_component_rich_style("row-list--found")
        segments = [s for strip in strips(pilot) for s in strip if s.text.lower() == "tea"]
        assert len(segments) >= min(len(found), 20)
        assert any(s.style and s.style.underline and s.style.bold for s in segments)
        assert marked.underline
        # what cannot be is said, and the list stays as it was
        field.value = "from:orbit_grandmother is:replied"
        await settled(pilot)
        assert status(pilot, "#tweets-panel").startswith("▲ is:replied is not known.")
        assert len(tweets(app)) == len(found)
        await pilot.press("f1")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        for example, _ in SYNTAX:
            assert example in screen(pilot)
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert len(tweets(app)) > len(found), "left"


async def test_a_word_far_into_a_tweet_is_brought_into_sight(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        rows = app.screen.query_one("#tweets", RowList)
        text = "word " * 60 + "needle " + "hay " * 40
        rows.set_columns((Column(flex=1),))
        rows.set_rows(ListRows([[(text, "")], [("needle first", "")]]))
        rows.highlight(["NEEDLE"])
        await pilot.pause()
        lines = [line for line in screen(pilot).splitlines() if "needle" in line]
        assert len(lines) == 2
        assert "…" in lines[0]
        rows.highlight([])
        await pilot.pause()
        assert sum("needle" in line for line in screen(pilot).splitlines()) == 1


async def test_tweets_are_sorted_and_the_first_column_says_by_what(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)

        def shown(count: int = 50) -> list[TweetRow]:
            return [tweets(app).rows[i] for i in range(count)]

        assert status(pilot, "#tweets-panel").endswith("newest first")
        newest = shown()[0]
        await pilot.press("j", "s")
        await settled(pilot)
        assert status(pilot, "#tweets-panel").endswith("oldest first")
        assert app.screen.query_one("#tweets", RowList).cursor == 0
        oldest = shown()[0]
        assert oldest.created_at is not None
        assert newest.created_at is not None
        assert oldest.created_at < newest.created_at
        assert f"{oldest.created_at:%Y-%m-%d}" in screen(pilot), "a day, not “9 y”"
        await pilot.press("s")
        await settled(pilot)
        assert status(pilot, "#tweets-panel").endswith("most liked first")
        likes = [one.favourites if one.favourites is not None else -1 for one in shown()]
        assert likes == sorted(likes, reverse=True)
        assert tweets(app).row(0)[0][0] == f"{likes[0]:,}"
        await pilot.press("s")
        await settled(pilot)
        lengths = [len(one.text) for one in shown()]
        assert lengths == sorted(lengths, reverse=True)
        assert tweets(app).row(0)[0][0] == f"{lengths[0]:,}"
        await pilot.press("s", "w")
        await settled(pilot)
        assert status(pilot, "#tweets-panel").endswith("kept only")
