"""The row list: asks only for what it shows, moves, marks, and tells."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.message import Message

from tests.functional.gallery import Tweets, tweet_columns
from tui.widgets.row_list import Column, ListRows, RowList
from tui.widgets.rows import column_widths


class Lists(App[None]):
    def __init__(self, rows: object, **options: object) -> None:
        super().__init__()
        self.rows, self.options = rows, options
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield RowList(tweet_columns(), self.rows, **self.options)  # type: ignore[arg-type]

    def on_cursor_list_highlighted(self, event: RowList.Highlighted) -> None:
        self.told.append(event)

    def on_cursor_list_chosen(self, event: RowList.Chosen) -> None:
        self.told.append(event)

    def on_row_list_marked(self, event: RowList.Marked) -> None:
        self.told.append(event)

    @property
    def list(self) -> RowList:
        return self.query_one(RowList)

    def screen_text(self) -> str:
        rows = self.list
        return "\n".join(rows.render_line(y).text for y in range(rows.size.height))


def last(told: Sequence[Message], kind: type[Message]) -> Message:
    return [message for message in told if isinstance(message, kind)][-1]


async def test_only_visible_rows_are_asked_for() -> None:
    tweets = Tweets(1_000_000)
    app = Lists(tweets)
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("j", "j", "k")
        assert app.list.cursor == 1
        await pilot.press("G")
        assert app.list.cursor == 999_999
        await pilot.press("pageup", "g", "pagedown", "end", "up")
        assert app.list.cursor == 999_998
        await pilot.pause()
        assert "▸" in app.screen_text()
    assert len(set(tweets.asked)) < 150


async def test_messages_of_the_cursor() -> None:
    app = Lists(Tweets(50))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("down", "down", "enter")
        assert last(app.told, RowList.Highlighted).index == 2  # type: ignore[attr-defined]
        assert last(app.told, RowList.Chosen).index == 2  # type: ignore[attr-defined]
        await pilot.click(RowList, offset=(20, 7))
        assert app.list.cursor == 7
        chosen = len([m for m in app.told if isinstance(m, RowList.Chosen)])
        await pilot.click(RowList, offset=(20, 7))
        assert len([m for m in app.told if isinstance(m, RowList.Chosen)]) == chosen + 1


async def test_a_newer_highlight_replaces_an_older_one() -> None:
    app = Lists(Tweets(5))
    async with app.run_test():
        one, two = RowList.Highlighted(app.list, 1), RowList.Highlighted(app.list, 2)
        other = RowList.Highlighted(RowList([]), 2)
        assert one.can_replace(two)
        assert not one.can_replace(other)
        assert not one.can_replace(RowList.Chosen(app.list, 1))


async def test_marks_and_a_header() -> None:
    app = Lists(Tweets(50), markable=True, header=True)
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("space", "down", "down", "space", "space", "down", "space")
        assert app.list.marks == {0, 3}
        assert last(app.told, RowList.Marked).indices == {0, 3}  # type: ignore[attr-defined]
        lines = app.screen_text().splitlines()
        assert "tweet" in lines[0]
        assert lines[1].startswith(" ✓")
        await pilot.click(RowList, offset=(1, 2))  # the mark's own cell
        assert app.list.marks == {0, 1, 3}
        await pilot.press("G")
        assert app.screen_text().splitlines()[0] == lines[0]


async def test_space_is_left_to_the_screen_when_nothing_can_be_marked() -> None:
    class Other(Lists):
        BINDINGS = [("space", "seen", "Seen")]
        seen = 0

        def action_seen(self) -> None:
            self.seen += 1

    app = Other(Tweets(3))
    async with app.run_test() as pilot:
        await pilot.press("space")
        assert app.seen == 1
        assert app.list.marks == frozenset()


async def test_other_rows_keep_the_cursor_when_asked() -> None:
    app = Lists(Tweets(100))
    async with app.run_test(size=(60, 10)) as pilot:
        app.list.cursor = 80
        app.list.set_rows(Tweets(200), keep_cursor=True)
        assert app.list.cursor == 80
        app.list.set_rows(Tweets(30), keep_cursor=True)
        assert app.list.cursor == 29
        app.list.set_rows(Tweets(40))
        assert app.list.cursor == 0
        app.list.set_rows(ListRows())
        await pilot.press("down", "enter", "G", "space")
        assert app.list.cursor == 0


async def test_no_rows_is_a_sentence() -> None:
    app = Lists(ListRows(), empty="No tweets yet. Press a to add an archive.")
    async with app.run_test(size=(60, 8)):
        assert "No tweets yet. Press a to add an archive." in app.screen_text()


async def test_hostile_and_wide_text_stays_in_its_cells() -> None:
    rows = ListRows(
        [
            [("1", ""), ("●", "success"), ("\x1b[2J\u202e [bold]x[/bold]\nnext", "")],
            [("2", ""), ("○", "unknown style"), ("日本語" * 40, "")],
            [("3", ""), ("", ""), ("e\u0301" * 90, "error")],
            [("4", "")],
        ]
    )
    app = Lists(rows)
    async with app.run_test(size=(40, 6)):
        text = app.screen_text()
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "␛[2J‹202E› [bold]x" in text
        assert {app.list.render_line(y).cell_length for y in range(4)} == {40}
        assert text.splitlines()[1].rstrip().endswith("…")


async def test_the_cursor_stays_in_sight_when_the_window_changes() -> None:
    app = Lists(Tweets(100))
    async with app.run_test(size=(60, 20)) as pilot:
        app.list.cursor = 18
        await pilot.resize_terminal(60, 6)
        await pilot.pause()
        assert "▸" in app.screen_text()


def test_column_widths() -> None:
    columns = [Column(width=6), Column(flex=1), Column(flex=2), Column(width=4, hide_under=50)]
    assert column_widths(columns, 60) == [6, 15, 32, 4]
    assert column_widths(columns, 40) == [6, 10, 22, 0]
    assert column_widths([Column(width=3)], 2) == [3]
