"""A conversation with the plain mode: answers in, a transcript out, each line of it looked at."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.unit.cli import mynah

COLUMNS = 80
# Box drawing, blocks and braille; and what a terminal would act on.
DRAWN = re.compile("[\u2500-\u25ff\u2800-\u28ff]")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def talk(home: Path, *answers: str, code: int = 0) -> str:
    """What is said and typed, until the person leaves with q."""
    typed = "".join(f"{answer}\n" for answer in (*answers, "q"))
    ended = mynah("--plain", home=home, stdin=typed.encode(), code=code)
    check(ended.text)
    assert not ended.err, ended.err
    return ended.text


def check(transcript: str) -> None:
    """No line is too long, draws anything, or has a sign that moves the cursor."""
    assert transcript.isprintable() or not CONTROL.search(transcript), transcript
    for line in transcript.split("\n"):
        assert cell_len(line) <= COLUMNS, line
        assert not DRAWN.search(line), line


def say_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What work tells is said at once, not after some seconds; nobody types meanwhile."""
    monkeypatch.setattr("tui.plain.session._FIRST_WORD", 0.0)
    monkeypatch.setattr("tui.plain.session._EVERY", 0.0)
    monkeypatch.setattr(sys, "stdin", None)


def sentence(transcript: str) -> str:
    """The transcript without its line breaks, to look for sentences in."""
    return " ".join(transcript.split())
