"""The person's own editor: what it writes comes back, and what fails says so."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from core.errors import InputRefused
from tui.external_editor import edit_outside, editor_command


class Suspended:
    """An app that can be left for a while."""

    def suspend(self) -> Any:
        return nullcontext()


def editing(monkeypatch: pytest.MonkeyPatch, code: str, text: str) -> str | None:
    """``text`` after an editor that runs ``code`` on the file ``path``."""
    script = f"import pathlib, sys; path = pathlib.Path(sys.argv[1]); {code}"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"'{sys.executable}' -c '{script}'")
    return edit_outside(cast("Any", Suspended()), text, "query.sql")


def test_what_the_editor_writes_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    code = 'path.write_text(path.name + ": " + path.read_text() + " é\\n", encoding="utf-8")'
    assert editing(monkeypatch, code, "SELECT 1") == "query.sql: SELECT 1 é"


def test_left_as_it_was_it_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert editing(monkeypatch, "pass", "SELECT 1") is None
    assert editing(monkeypatch, 'path.write_text("SELECT 1\\n")', "SELECT 1") is None
    assert editing(monkeypatch, "pass", "two\nlines\n") is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit(3)", "ended with 3"),
        ('path.write_bytes(b"\\xff\\xfe\\x00")', "cannot be read"),
        ("path.unlink()", "cannot be read"),
    ],
)
def test_an_editor_that_fails_says_so(
    monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    with pytest.raises(InputRefused, match=words):
        editing(monkeypatch, code, "SELECT 1")


def test_an_editor_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "/nowhere/edit --wait")
    with pytest.raises(InputRefused, match="/nowhere/edit cannot be started"):
        edit_outside(cast("Any", Suspended()), "SELECT 1", "query.sql")


def test_which_editor(tmp_path: Path) -> None:
    assert editor_command({"EDITOR": "code --wait"}) == ["code", "--wait"]
    assert editor_command({"EDITOR": "nano", "VISUAL": "vim -n"}) == ["vim", "-n"]
    with pytest.raises(InputRefused, match="EDITOR cannot be read"):
        editor_command({"EDITOR": "vim 'open"})
    with pytest.raises(InputRefused, match="There is no editor"):
        editor_command({"EDITOR": " ", "PATH": str(tmp_path)})
    if sys.platform != "win32":
        own = tmp_path / "vi"
        own.write_text("#!/bin/sh\n")
        own.chmod(0o755)
        assert editor_command({"PATH": str(tmp_path)}) == [str(own)]
