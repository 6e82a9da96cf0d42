"""Completing paths while one types."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tui.data.paths import Candidates, PathSuggester


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tweets").mkdir()
    for name in ("tweet.js", ".twirl", "other.zip"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("tw", "tweet.js"),
        ("tweets", "tweets/"),
        ("o", "other.zip"),
        (".tw", None),
        ("x", None),
        ("nowhere/x", None),
        ("\0", None),
    ],
)
async def test_the_first_name_that_fits(folder: Path, typed: str, completed: str | None) -> None:
    expected = None if completed is None else f"{folder}/{completed}"
    assert await PathSuggester().get_suggestion(f"{folder}/{typed}") == expected


async def test_an_empty_field_completes_to_nothing() -> None:
    assert await PathSuggester().get_suggestion("") is None


async def test_folders_are_not_read_on_the_event_loop(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = []

    def watched(name: str) -> Any:
        real = getattr(os, name)

        def read(path: Any = ".") -> Any:
            if os.fspath(path) == str(folder):
                readers.append(threading.current_thread())
            return real(path)

        return read

    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, watched(name))
    assert await PathSuggester().get_suggestion(f"{folder}/tw") is not None
    assert readers
    assert threading.main_thread() not in readers


async def found_for(value: str, **options: Any) -> Candidates:
    shown: list[Candidates] = []
    await PathSuggester(shown.append, **options).get_suggestion(value)
    return shown[-1]


async def test_archives_come_first_then_tables_folders_and_the_rest(tmp_path: Path) -> None:
    for name in ("Tzero", "t.csv", "t.zip", "t.txt", "tweets.tar.gz", ".t.zip", "other.zip"):
        (tmp_path / name).touch()
    (tmp_path / "tfolder").mkdir()
    found = await found_for(f"{tmp_path}/t")
    assert [(one.value.removeprefix(f"{tmp_path}/"), one.about) for one in found.shown] == [
        ("t.zip", "archive"),
        ("tweets.tar.gz", "archive"),
        ("t.csv", "table"),
        ("tfolder/", "folder"),
        ("t.txt", ""),
        ("Tzero", ""),
    ]
    assert found.common == f"{tmp_path}/t"
    assert (await found_for(f"{tmp_path}/tw")).common == f"{tmp_path}/tweets.tar.gz"
    assert (await found_for(f"{tmp_path}/tf")).common == f"{tmp_path}/tfolder/"


async def test_of_many_names_the_first_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"part-{number:02}.csv").touch()
    found = await found_for(f"{tmp_path}/")
    assert len(found.shown) == 8
    assert found.all == 30
    assert found.common == f"{tmp_path}/part-"


async def test_an_empty_field_offers_what_came_before_and_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert (await found_for("")).shown == ()
    downloads = tmp_path / "Downloads"
    downloads.mkdir()
    for name in ("archive.zip", "cat.png", "tweets.csv"):
        (downloads / name).touch()
    again = [str(downloads / "tweets.csv"), str(tmp_path / "gone.zip")]
    found = await found_for("", recent=lambda: again)
    assert [tuple(one) for one in found.shown] == [
        (again[0], "again"),
        ("~/Downloads/archive.zip", "archive"),
    ]
