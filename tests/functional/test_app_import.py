"""Add tweets: what is recognised, what is refused, what is stopped; and who else has the file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.home import Home
from core.workflow.data import sample_archives
from tests.functional.walk import Heard, screen, settled, unbroken, until
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets
from tui.data.paths import PathInput
from tui.text.paths import one_line, paths_in
from tui.widgets.progress_line import ProgressLine
from tui.widgets.row_list import RowList


async def type_path(pilot: Pilot[None], path: object) -> None:
    """Open the dialog and put a path in, as a paste would."""
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, AddTweets))
    await pilot.pause()
    pilot.app.screen.query_one("#path", Input).value = str(path)
    await settled(pilot)


def handles(home: Home) -> dict[str, int]:
    return {account.handle: account.tweets for account in accounts(Corpus(home.corpus))}


async def test_a_typed_path_is_recognised_and_enter_brings_it_in(
    home: Home, tmp_path: Path
) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        # one that leads nowhere says so, and stays
        await type_path(pilot, tmp_path / "nowhere [bold].zip")
        assert "nothing at that path" in screen(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, AddTweets)
        for typed in ("~nobody-of-this-name/x", "x" * 300, "@" + "x" * 300, "a\0b"):
            app.screen.query_one("#path", Input).value = typed
            await settled(pilot)
        assert app.failures == [], "what cannot be a path is none, and no bug"
        # esc leaves everything
        app.screen.query_one("#path", Input).value = str(sample_archives()[0])
        await settled(pilot)
        said = " ".join(screen(pilot).split())
        assert "@keeper_of_the_light" in said
        assert "987" in said, "it says how many there are before one brings them in"
        await pilot.press("escape")
        await settled(pilot)
        assert not isinstance(app.screen, AddTweets)
        assert not home.root.exists()
        await type_path(pilot, sample_archives()[0])
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert handles(home) == {"keeper_of_the_light": 987}
        assert any("987 new of 991 read" in toast for toast in heard.toasts)
        assert app.section == "data"
        # the same again: nothing new, nothing doubled
        await type_path(pilot, sample_archives()[0])
        await pilot.press("enter")
        await until(pilot, lambda: any("0 new of 991 read" in toast for toast in heard.toasts))
        await settled(pilot)
        assert handles(home) == {"keeper_of_the_light": 987}


async def test_a_csv_without_a_name_asks_for_one(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "tweets.csv"
    table.write_text("id,created_at,text\n1,2020-01-02T03:04:05Z,a gull is a gull\n", "utf-8")
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await type_path(pilot, table)
        whose = app.screen.query_one("#whose", Input)
        assert whose.display
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, AddTweets), "without a handle it does not go on"
        assert whose.has_focus
        await pilot.press(*"no/good", "enter")
        await settled(pilot)
        assert isinstance(app.screen, AddTweets)
        whose.value = "@Harbour_Gull"
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert handles(home) == {"harbour_gull": 1}


@pytest.mark.slow
async def test_what_is_no_archive_is_refused_where_it_was_typed(
    sample_home: Home, tmp_path: Path
) -> None:
    contents = {
        "broken zip": sample_archives()[0].read_bytes()[:4000],
        "empty file": b"",
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(64),
        "empty folder": None,
        "html": b"<html><body>sign in</body></html>\n",
    }
    before = handles(sample_home)
    app, heard = MynahApp(sample_home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        for what, content in contents.items():
            path = tmp_path / what
            path.mkdir() if content is None else path.write_bytes(content)
            await type_path(pilot, path)
            for _ in range(2):
                said = screen(pilot).partition(str(path))[2]
                assert what in said, "the dialog says what is wrong, below the path"
                assert isinstance(app.screen, AddTweets), "enter has changed nothing"
                await pilot.press("enter")
                await settled(pilot)
            await pilot.press("escape")
            await settled(pilot)
        assert app.failures == []
        assert heard.toasts == []
        assert handles(sample_home) == before
        assert not sample_home.log.exists(), "a refusal is no bug, so there is no traceback"


async def test_a_file_that_was_not_whole_yet_is_looked_at_again(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "tweets.csv"
    table.write_text("id,text,author\n1,,ann\n")
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await type_path(pilot, table)
        await until(pilot, lambda: "without a text" in screen(pilot))
        table.write_text("id,text,author\n1,mended,ann\n")
        await pilot.press("enter")
        await until(pilot, lambda: "mended" in screen(pilot))
        assert handles(home) == {}
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        assert handles(home) == {"ann": 1}


async def test_what_was_typed_is_there_again_after_a_failure(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "tweets.csv"
    table.write_text("id,text\n1,mended\n")
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        await type_path(pilot, table)
        await until(pilot, lambda: "mended" in screen(pilot))
        app.screen.query_one("#whose", Input).value = "ann"
        table.unlink()  # since it was looked at
        await pilot.press("enter")
        await until(pilot, lambda: app.failures)
        await until(pilot, lambda: any("tweets.csv" in toast for toast in heard.toasts))
        await settled(pilot)
        assert not home.log.exists(), "a refusal is no bug, so there is no traceback"
        await pilot.press("f12")
        await until(pilot, lambda: "tweets.csv" in unbroken(pilot))
        await pilot.press("escape")
        await settled(pilot)
        table.write_text("id,text\n1,mended\n")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await until(pilot, lambda: "mended" in screen(pilot))
        assert app.screen.query_one("#path", Input).value == str(table)
        assert app.screen.query_one("#whose", Input).value == "ann"
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert handles(home) == {"ann": 1}
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await pilot.pause()
        assert app.screen.query_one("#path", Input).value == "", "what is done is done"


def big_table(path: Path, rows: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.write("tweet_id,author,created_at,text\n")
        for number in range(rows):
            file.write(f"{number + 1},flood,2020-01-02T03:04:05Z,wave number {number} of the sea\n")
    return path


async def test_esc_stops_an_import_and_nothing_of_it_stays(
    sample_home: Home, tmp_path: Path
) -> None:
    table = big_table(tmp_path / "flood.csv", 800_000)
    before = handles(sample_home)
    app, heard = MynahApp(sample_home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        app.importing.run([table])
        line = app.screen.query_one("#import-progress", ProgressLine)
        await until(pilot, lambda: line.state == "running" and app.state.importing)
        await pilot.press("escape")
        await until(pilot, lambda: not app.state.importing)
        await settled(pilot)
        assert any(toast.startswith("Import stopped") for toast in heard.toasts), heard.toasts
        assert handles(sample_home) == before
        assert app.failures == []
        assert not line.is_busy


async def test_quit_is_prompt_while_an_import_runs(sample_home: Home, tmp_path: Path) -> None:
    table = big_table(tmp_path / "flood.csv", 400_000)
    before = handles(sample_home)
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.importing.run([table])
        await until(pilot, lambda: app.state.importing)
        asked = time.monotonic()
        await pilot.press("ctrl+q")
    assert time.monotonic() - asked < 15, "it does not wait for the whole file"
    assert handles(sample_home) == before


@contextmanager
def somebody_else(home: Home) -> Iterator[int]:
    """Another process that has the corpus open for writing; its number."""
    code = (
        "import duckdb, sys\n"
        "held = duckdb.connect(sys.argv[1])\n"
        "print('here', flush=True)\n"
        "sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(home.corpus)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "here\n"
    try:
        yield other.pid
    finally:
        other.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="no process number in the message there")
async def test_a_corpus_in_use_is_said_with_the_process(sample_home: Home) -> None:
    app, heard = MynahApp(sample_home), Heard()
    with somebody_else(sample_home) as pid:
        async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
            await until(pilot, lambda: app.failures)
            await pilot.pause()
            assert any(f"process {pid}" in toast for toast in heard.toasts)
            await pilot.press("f12")
            await pilot.pause()
            assert str(pid) in screen(pilot)
            await pilot.press("escape", "4", "5", "1")
            await pilot.pause()
            assert app.section == "data"


async def test_a_table_of_several_people_brings_them_all(home: Home, tmp_path: Path) -> None:
    lines = tmp_path / "several.jsonl"
    lines.write_text(
        "\n".join(
            json.dumps({"id": str(n), "author": f"gull_{n % 3}", "text": f"cry number {n}"})
            for n in range(30)
        )
    )
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await type_path(pilot, lines)
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert handles(home) == {"gull_0": 10, "gull_1": 10, "gull_2": 10}


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("/a/b.zip", ["/a/b.zip"]),
        ("  /a/b.zip \n", ["/a/b.zip"]),
        ("'/a/my tweets.zip'", ["/a/my tweets.zip"]),
        ('"/a/my tweets.zip" ', ["/a/my tweets.zip"]),
        (r"/a/my\ tweets.zip", ["/a/my tweets.zip"]),
        ("/a/my tweets.zip", ["/a/my tweets.zip"]),
        ("file:///a/my%20tweets.zip", ["/a/my tweets.zip"]),
        ("file://localhost/a/b.zip", ["/a/b.zip"]),
        ("file:///a/one%20two.zip file:///b.csv", ["/a/one two.zip", "/b.csv"]),
        ("'/a/my tweets.zip' '/b/c.csv'", ["/a/my tweets.zip", "/b/c.csv"]),
        (r"/a/my\ tweets.zip /b/c\(1\).csv", ["/a/my tweets.zip", "/b/c(1).csv"]),
        ("'/a/it'\\''s.zip'", ["/a/it's.zip"]),
        ("/a/it's.zip", ["/a/it's.zip"]),
        (r"C:\tweets\my.zip", [r"C:\tweets\my.zip"]),
        ("'/a/half", ["'/a/half"]),
        ("", []),
        (" \n", []),
    ],
)
def test_what_a_terminal_pastes_for_dropped_files(typed: str, paths: list[str]) -> None:
    assert [str(path) for path in paths_in(typed)] == paths


def test_files_that_are_there_are_told_apart_without_quotes(tmp_path: Path) -> None:
    for name in ("a.csv", "b c.csv", "d(1).csv", "it's.csv"):
        (tmp_path / name).write_text("")
    one, two, three, four = (tmp_path / n for n in ("a.csv", "b c.csv", "d(1).csv", "it's.csv"))
    assert paths_in(f"{two}") == [two]
    assert paths_in(f"{four}") == [four]
    assert paths_in(f"{one} '{two}'") == [one, two]
    assert paths_in(f"{one} {three}".replace("(", r"\(").replace(")", r"\)")) == [one, three]
    assert paths_in("x" * 5000) == [Path("x" * 5000)]


@pytest.mark.parametrize("lines", ["{a}\n{b}", "'{a}'\n'{b}'", "file://{a}\r\nfile://{b}\r\n"])
def test_lines_of_paths_become_one(lines: str) -> None:
    pasted = lines.format(a="/a/one.csv", b="/b/two.csv")
    assert [str(p) for p in paths_in(one_line(pasted))] == ["/a/one.csv", "/b/two.csv"]


@pytest.mark.slow
async def test_several_dropped_files_come_in_together(home: Home, tmp_path: Path) -> None:
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        expected: dict[str, int] = {}
        for number, how in enumerate(
            ("'{a}' '{b}'", "{a}\n{b}\n", "file://{a}\nfile://{b}"), start=1
        ):
            one, two = (tmp_path / f"{name}{number}.csv" for name in ("ann", "bob"))
            for path in (one, two):
                path.write_text(f"id,text,author\n{number},hello you,{path.stem}\n")
                expected[path.stem] = 1
            await pilot.press("a")
            await until(pilot, lambda: isinstance(app.screen, AddTweets))
            await pilot.pause()
            pasted = how.format(a=one, b=two)
            app.screen.query_one("#path", Input).post_message(events.Paste(pasted))
            await until(pilot, lambda two=two: f"{two.name}: CSV" in screen(pilot))
            await settled(pilot)
            said = " ".join(screen(pilot).split())
            assert f"{one.name}: CSV · @{one.stem} · 1 tweet" in said
            await pilot.press("enter")
            await until(pilot, lambda: len(app.state.accounts or []) == len(expected))
            await settled(pilot)
            assert handles(home) == expected


async def test_one_of_several_that_is_nothing_is_said_and_nothing_comes_in(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "ann.csv").write_text("id,text,author\n1,hello you,ann\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "whose.csv").write_text("id,text\n1,hello you\n")
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for other, words in (("empty.csv", "is empty"), ("whose.csv", "add it by itself")):
            if not isinstance(app.screen, AddTweets):
                await pilot.press("a")
                await until(pilot, lambda: isinstance(app.screen, AddTweets))
            line = f"'{tmp_path / 'ann.csv'}' '{tmp_path / other}'"
            app.screen.query_one("#path", Input).value = line
            await until(pilot, lambda words=words: words in " ".join(screen(pilot).split()))
            await settled(pilot)
            await pilot.press("enter")
            await settled(pilot)
            assert isinstance(app.screen, AddTweets)
            assert app.screen.query_one("#path", Input).value == line
        assert not home.root.exists()


async def test_names_inside_a_zip_are_shown_and_not_obeyed(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "names.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("[bold red]x\x1b[2J.txt", "")
        made.writestr("evil\u202etxt", "")
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        from tests.functional.walk import assert_safe

        await settled(pilot)
        await type_path(pilot, path)
        assert_safe(pilot)
        assert "[bold red]" in screen(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert_safe(pilot)
        assert not home.corpus.exists()


def tables(folder: Path) -> None:
    for name in ("ann", "bob"):
        (folder / f"{name}.csv").write_text(f"id,text,author\n1,hello you,{name}\n")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["", "/*.csv"], ids=["folder", "pattern"])
async def test_a_folder_of_tables_and_a_pattern_come_in(
    home: Home, tmp_path: Path, what: str
) -> None:
    (tmp_path / "tables").mkdir()
    tables(tmp_path / "tables")
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await type_path(pilot, f"{tmp_path}/tables{what}")
        said = " ".join(screen(pilot).split())
        assert "ann.csv: CSV · @ann · 1 tweet" in said
        assert "bob.csv: CSV · @bob · 1 tweet" in said
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert handles(home) == {"ann": 1, "bob": 1}
        # the next time it is offered before anything is typed
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await settled(pilot)
        listing = app.screen.query_one("#candidates", RowList)
        await until(pilot, lambda: listing.display)
        assert listing.rows.row(0)[0][0].startswith(str(tmp_path / "tables"))


async def test_tab_completes_and_the_list_below_can_be_taken_from(
    home: Home, tmp_path: Path
) -> None:
    tables(tmp_path)
    (tmp_path / "an archive.zip").touch()
    (tmp_path / "folder").mkdir()
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await type_path(pilot, f"{tmp_path}/")
        path = app.screen.query_one("#path", PathInput)
        listing = app.screen.query_one("#candidates", RowList)
        await until(pilot, lambda: listing.display)
        shown = [listing.rows.row(i)[0][0] for i in range(len(listing.rows))]
        assert [name.removeprefix(f"{tmp_path}/") for name in shown] == [
            "an archive.zip", "ann.csv", "bob.csv", "folder/",
        ]  # fmt: skip
        await pilot.press("b", "tab")
        await until(pilot, lambda: path.value == f"{tmp_path}/bob.csv")
        await settled(pilot)
        assert not listing.display, "it is complete"
        # as much as two have in common, then the menu
        path.value = f"{tmp_path}/a"
        await settled(pilot)
        await pilot.press("tab")
        assert path.value == f"{tmp_path}/an"
        await settled(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert listing.has_class("-pointed")
        await pilot.press("down", "enter")
        assert path.value == f"{tmp_path}/ann.csv"
        assert isinstance(app.screen, AddTweets), "enter took it, and brought nothing in yet"
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert handles(home) == {"ann": 1}


async def test_enter_right_after_a_paste_waits_for_the_look_at_the_folder(
    home: Home, tmp_path: Path
) -> None:
    tables(tmp_path)
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await pilot.pause()
        app.screen.query_one("#path", Input).value = str(tmp_path / "ann.csv")
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert handles(home) == {"ann": 1}


@pytest.mark.slow
async def test_a_second_account_makes_no_blend_by_itself(sample_home: Home, tmp_path: Path) -> None:
    tables(tmp_path)
    app, heard = MynahApp(sample_home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        before = list(app.state.chosen)
        await type_path(pilot, tmp_path / "ann.csv")
        await pilot.press("enter")
        await until(pilot, lambda: len(app.state.accounts or []) == 4)
        await settled(pilot)
        assert app.state.chosen == before
        assert any(toast.startswith("@ann is here, and not chosen yet") for toast in heard.toasts)
        listing = app.screen.query_one("#accounts", RowList)
        assert listing.marks == {1, 2, 3}
        assert "enter or 2 clicks: only this" in screen(pilot), "what keys do there is said"
        listing.focus()
        await pilot.press("home", "space")
        await settled(pilot)
        assert sorted(app.state.chosen) == sorted([*before, "ann"])
        # the same again is no news
        await type_path(pilot, tmp_path / "ann.csv")
        await pilot.press("enter")
        await until(pilot, lambda: any("0 new of 1 read" in toast for toast in heard.toasts))
        await settled(pilot)
        assert sum("not chosen yet" in toast for toast in heard.toasts) == 1
