"""Every import is listed, and what one left out can be read line by line, also after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.corpus.import_log import import_log, import_places
from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.home import Home
from tests.fixtures.x_archive import archive_files, as_zip, script, tweet
from tests.functional.test_app_import import type_path
from tests.functional.walk import Heard, assert_safe, screen, settled, until
from tui.app import MynahApp
from tui.data.imports import ImportsScreen
from tui.dialogs.text import TextScreen

SIZES = [(80, 24), (120, 40)]


def broken_archive(folder: Path) -> Path:
    files = archive_files(
        [tweet(n, f"a private thought {n}") for n in range(1, 6)],
        deleted_tweets=script("deleted_tweets", [tweet(9, "gone")]),
        tweets_part1='window.YTD.tweets.part1 = [\n {"tweet": {\n  "id": "8", "full_text" "x"}},',
    )
    return as_zip(folder / "mine [bold].zip", dict(files))


@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
async def test_what_was_left_out_is_listed(
    home: Home, tmp_path: Path, size: tuple[int, int]
) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=size, message_hook=heard) as pilot:
        await settled(pilot)
        await type_path(pilot, broken_archive(tmp_path))
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert any("2 were left out; i in Data shows why" in toast for toast in heard.toasts)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportsScreen))
        await until(pilot, lambda: "▲ 2" in screen(pilot))
        assert "mine [bold].zip" in screen(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        await pilot.pause()
        assert "Import of mine [bold].zip" in screen(pilot)
        said = " ".join(screen(pilot).replace("│", " ").split())
        assert "7 read: 5 new, 0 updated, 0 known already, 2 left out" in said
        assert "1 broken JSON" in said
        assert "tweets-part1.js, line 3: expecting ':' delimiter, column 26" in said
        assert "1 deleted by their author" in said
        assert_safe(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, ImportsScreen)
        await pilot.press("escape")
        await settled(pilot)
        assert app.section == "data"
    assert b"private thought" not in str(import_places(Corpus(home.corpus),
                                         import_log(Corpus(home.corpus))[0])).encode()  # fmt: skip


async def test_an_import_without_anything_left_out(home: Home, tmp_path: Path) -> None:
    path = as_zip(tmp_path / "a.zip", dict(archive_files([tweet(1, "x")])))
    import_path(Corpus(home.corpus), path)
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("i")
        await until(pilot, lambda: "a.zip" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing was left out." in screen(pilot))


def test_the_log_and_its_places(home: Home, tmp_path: Path) -> None:
    corpus = Corpus(home.corpus)
    assert import_log(corpus) == []
    table = tmp_path / "many.csv"
    rows = "".join(f"{n},text {n},gull_{n % 3}\n" for n in range(4000))
    broken = "".join(f"{n},too,many,fields\n" for n in range(2500))
    table.write_text(f"id,text,author\n{rows}{broken}")
    results = import_path(corpus, table)
    assert [len(r.broken) for r in results if r.broken] == [1000]
    assert sum(r.unlisted for r in results) == 1500
    import_path(corpus, broken_archive(tmp_path))
    newest, oldest = import_log(corpus)
    assert (newest.handles, newest.new, newest.left_out) == (["harbour_gull"], 5, 2)
    assert oldest.handles == ["", "gull_0", "gull_1", "gull_2"] or oldest.handles == [
        "gull_0", "gull_1", "gull_2"
    ]  # fmt: skip
    assert (oldest.read, oldest.new, oldest.skipped) == (6500, 4000, {"bad_row": 2500})
    places = import_places(corpus, oldest)
    assert len(places) == 1000
    assert [place.line for place in places] == list(range(4002, 5002))
    assert [len(import_log(corpus, most)) for most in (0, 1, 2, 3)] == [0, 1, 2, 2]
