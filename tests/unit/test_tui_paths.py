"""Completing paths while one types."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tui.data.paths import PathSuggester


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
