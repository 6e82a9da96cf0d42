"""Tweets, names and runs that mean harm are shown, in every section, and never obeyed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.home import Home
from tests.functional.walk import assert_safe, mynah, screen, settled, until
from tui.app import MynahApp

HOSTILE = [
    "[bold red]markup[/] [/] [link=https://evil.example]x[/link] [@click=app.quit]quit[/]",
    "[", "]", "[[", "\\[bold]", "[/bold]", "$text [b", "[on red",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]52;c;ZXZpbA==\x07",
    "\x9b31m C1 \x90 DCS \x9c \x85 next line",
    "\x00 NUL \x07 BEL \x08\x08 backspace \x7f",
    "\u202eright to left\u202c and \u2066isolate\u2069",
    "zero\u200bwidth\u200cjoin\ufeffer \u2060 \u00ad soft",
    "\u2028 line \u2029 paragraph",
    "a\u0301\u0301\u0301\u0301\u0301\u0301 zalgo " + "\u0336" * 200,
    "👩‍👩‍👧‍👦👩‍👩‍👧‍👦 family 🏳️‍🌈 日本語のつぶやき ﷽",
    "long " + "x" * 30_000,
    "many words " * 3_000,
    "lines\n" * 400,
    "tabs\tand\ttabs\r\nand returns\rhere",
    "' ; DROP TABLE tweets; -- \" \\ %s {} {0} %(a)s",
    "&lt;b&gt;escaped&amp;lt;&lt;/b&gt; see https://evil.example/\x1b[31m",
    "\U000e0041\U000e0042 tags",
]  # fmt: skip
SIZES = [(80, 24), (120, 40)]


def hostile_file(folder: Path, author: str) -> Path:
    path = folder / "hostile.jsonl"
    rows = [
        {
            "id": str(1000 + number),
            "author": author,
            "text": text,
            "created_at": "2020-01-02T03:04:05Z",
            "lang": "[b]\x1b",
            "in_reply_to_screen_name": "\u202eevil" if number % 2 else None,
        }
        for number, text in enumerate(HOSTILE)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


async def walk_all(pilot: Pilot[Any], rows: int) -> None:
    """Every section, every row, every dialog; the whole screen is looked at each time."""
    for section in "12":
        await pilot.press("escape", section)
        for _ in range(3):  # all, kept, dropped; dropped, edited, all
            await pilot.press("w")
            await settled(pilot)
            assert_safe(pilot)
        await pilot.press("w") if section == "2" else None
        await pilot.press("w") if section == "2" else None
        await pilot.press("home")
        for _ in range(rows):
            await pilot.press("down")
            assert_safe(pilot)
    await pilot.press("escape", "3")
    await settled(pilot)
    mynah(pilot).querying.run(
        'SELECT text AS "[bold]\x1b[31m\u202e", * EXCLUDE (text) FROM tweets', 1000
    )
    await settled(pilot)
    assert_safe(pilot)
    for key in ("question_mark", "f12", "4", "5"):
        await pilot.press("escape", key)
        await pilot.pause()
        assert_safe(pilot)
    await pilot.press("escape")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_hostile_tweets_are_shown_in_every_section(
    home: Home, tmp_path: Path, size: tuple[int, int]
) -> None:
    from core.workflow.data import import_paths

    path = hostile_file(tmp_path, "mallory")
    assert import_paths(home, [path])[0].read == len(HOSTILE)
    app = MynahApp(home)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        assert app.state.curation is not None
        assert len(app.state.curation.rows) == len(HOSTILE)
        await pilot.press("home")
        await walk_all(pilot, 8 if size[0] == 80 else len(HOSTILE))
        assert app.failures == []
        assert app.is_running


AUTHORS = ["[bold]x[/]", "\x1b[31mred", "\u202egnihtemos", "..", "../../etc/passwd", "a b", "💥"]


@pytest.mark.slow
async def test_hostile_authors_are_refused_or_harmless(home: Home, tmp_path: Path) -> None:
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for number, author in enumerate(AUTHORS):
            folder = tmp_path / str(number)
            folder.mkdir()
            await pilot.press("escape", "1")
            app.importing.run([hostile_file(folder, author)])
            await until(pilot, lambda: not app.state.importing)
            await settled(pilot)
            assert_safe(pilot)
            await pilot.press("escape", "2")
            await settled(pilot)
            assert_safe(pilot)
            assert not (home.root / "etc").exists(), author


async def test_a_hostile_name_in_an_archive_is_harmless(home: Home, tmp_path: Path) -> None:
    data = tmp_path / "[bold]archive" / "data"
    data.mkdir(parents=True)
    account = {
        "username": "mallory",
        "accountDisplayName": "[red]\x1b[2J\u202eEvil[/]",
        "accountId": "7",
        "createdAt": "2011-02-03T04:05:06.000Z",
    }
    (data / "account.js").write_text(
        f"window.YTD.account.part0 = {json.dumps([{'account': account}])}"
    )
    tweets = [
        {
            "tweet": {
                "id_str": str(n),
                "full_text": text,
                "created_at": "Wed Nov 12 20:07:58 +0000 2014",
            }
        }
        for n, text in enumerate(HOSTILE, 1)
    ]
    (data / "tweets.js").write_text(f"window.YTD.tweets.part0 = {json.dumps(tweets)}")
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await settled(pilot)
        app.screen.query_one("#path", Input).value = str(data.parent)
        await settled(pilot)
        assert_safe(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert app.state.curation is not None
        for key in ("2", "escape", "4", "5", "1"):
            await pilot.press(key)
            await settled(pilot)
            assert_safe(pilot)


async def test_a_run_folder_that_lies_is_harmless(sample_home: Home) -> None:
    folder = sample_home.runs / "20260101-0000-[bold]-\u202e"
    folder.mkdir(parents=True)
    evil = "[bold]\x1b[31m\u202eevil\x00"
    (folder / "run.json").write_text(
        json.dumps(
            {
                "id": "../..",
                "handles": [evil, 3, None],
                "names": {evil: evil},
                "base": evil,
                "settings": {"method": evil, "preset": evil},
                "state": evil,
                "created": evil,
                "pid": 1 << 22,
                "reason": evil,
            }
        )
    )
    (folder / "metrics.jsonl").write_text(
        json.dumps({"kind": "start", "steps": 10, "device": evil})
        + "\n"
        + json.dumps({"kind": "train", "step": 1, "loss": 3.0, "tokens_per_second": 1e300})
        + "\n"
    )
    (folder / "samples.jsonl").write_text(
        "".join(json.dumps({"kind": "sample", "step": 1, "text": text}) + "\n" for text in HOSTILE)
    )
    (folder / "train.log").write_text(evil + "\n" * 3)
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.runs)
        for key in ("4", "l", "escape", "space", "y", "m", "5", "2", "1"):
            await pilot.press(key)
            await settled(pilot)
            assert_safe(pilot)
        await pilot.press("4")
        await settled(pilot)
        assert "[bold]" in screen(pilot)
        assert app.failures == []
