"""Sentences out, answers in: open this for how anything in the plain mode is shown or asked.

Every line has at most 79 characters of printable text. Nothing moves the cursor, nothing is
written over, and no sign of a plot, a box or a list stands for a word.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from core.safe_text import printable
from tui.cli.output import emit

# A terminal of 80 columns may begin a new line by itself behind the 80th.
_WIDEST: Final = 79
_NARROWEST: Final = 20
_CHUNK: Final = 1 << 16
_PROMPT: Final = "> "
_THOUSANDS: Final = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d*)?")
# Signs of the app's wording, and the words that stand for them when it is read aloud.
_SPOKEN: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"▲ ", "Warning: "),
        (r"^· ", ""),
        (r" · ", ", "),
        (r"[●○✦] ?", ""),
        (r"≈ ?(?=\d)", "about "),
        (r"−(?=\d)", "minus "),
        (r"×(\d[\d.]*)", r"\1 times"),
        (r"(?<=\d)×", " times"),
        (r"\btok/s", "tokens a second"),
        (r" → ", " to "),
        (r"(?<=[^\s:]) – (?=\S)", " to "),
        (r"(?<!\S)–(?=[\s.,;]|$)", "unknown"),
    )
)
# Words of others in a sentence: what a tweet says, what a model wrote.
_THEIRS: Final = re.compile(r"(“[^”]*”|^\s*generated(?: after step [\d,]+)?: .*)", re.S | re.I)
_ANYWHERE: Final = (
    "Wherever mynah asks: type ? for help, b to go back, q to leave mynah, and enter after each "
    "answer. An empty line repeats the question, or takes the answer that the question offers. To "
    "answer with the letter b or q itself, or with a question mark, type a backslash before it."
)


class Back(Exception):
    """The person goes back to the question before."""


class Leave(Exception):
    """The person leaves mynah, or has nothing more to say: the input has ended."""


class Console:
    """One person at standard input and output."""

    def __init__(self) -> None:
        here = sys.stdin is not None
        self._fd = sys.stdin.fileno() if here else -1
        self._typed_is_seen = here and sys.stdin.isatty()
        self._rest, self._ended = b"", not here

    # ── saying ───────────────────────────────────────────────────────────────────────────

    def say(self, *sentences: str) -> None:
        """Mynah's own words, a paragraph each; its signs become words."""
        for sentence in sentences:
            self.show(spoken(sentence))

    def show(self, text: str, behind: str = "") -> None:
        """Somebody's own words: a tweet, a cell, a file. Safe, and broken between words.

        ``behind``: what stands in the line already.
        """
        from tui.widgets.cells import wrap

        width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns - 1)) - len(behind)
        for line in printable(text, keep_newlines=True).split("\n"):
            for part in wrap(line, width) or [""]:
                emit(part.rstrip())

    def numbered(self, lines: Iterable[str], first: int = 1) -> None:
        """Each with its number before it."""
        for number, line in enumerate(lines, first):
            self.show(f"{number:,}. {line}")

    # ── asking ───────────────────────────────────────────────────────────────────────────

    def ask(self, question: str, help: str = "", *, default: str | None = None) -> str:  # noqa: A002
        """What was typed, without the spaces around it; an empty line gives ``default``.

        Raises Back, and Leave at the end of the input.
        """
        while True:
            self.say(question)
            typed = self._answer()
            if typed == "?":
                self.say(*filter(None, [help]), _ANYWHERE)
            elif typed:
                escaped = typed.lower() in ("\\b", "\\q", "\\?")
                return typed.removeprefix("\\") if escaped else typed
            elif default is not None:
                return default

    def yes(self, question: str, help: str = "") -> bool:  # noqa: A002
        """Whether the person said yes, in letters; an empty line asks again."""
        while True:
            typed = self.ask(f"{question} Type yes or no.", help).lower()
            if typed in ("yes", "y"):
                return True
            if typed in ("no", "n"):
                return False
            self.say(f"{typed} is neither yes nor no.")

    def choose(
        self,
        question: str,
        options: Sequence[str],
        help: str = "",  # noqa: A002
        *,
        default: int | None = None,
    ) -> int:
        """Which of ``options``, which are listed with numbers: its place, counted from 0."""
        while True:
            self.say(question)
            self.numbered(options)
            offer = "" if default is None else f" An empty line takes {default + 1}."
            typed = self.ask(f"Type a number from 1 to {len(options)}.{offer}", help, default="")
            if not typed and default is not None:
                return default
            if not typed:
                continue
            if (place := place_of(typed, len(options))) is not None:
                return place
            self.say(f"{typed} is not a number from 1 to {len(options)}.")

    def number(
        self,
        question: str,
        least: float,
        most: float,
        default: float | None = None,
        help: str = "",  # noqa: A002
        *,
        whole: bool = False,
    ) -> float:
        """A number within limits, a ``whole`` one perhaps; an empty line gives ``default``."""
        given = None if default is None else f"{default:.10g}"
        offer = "" if given is None else f" An empty line takes {given}."
        while True:
            typed = self.ask(f"{question}{offer}", help, default=given)
            try:
                value = float(_without_commas(typed))
            except ValueError:
                value = float("nan")
            if least <= value <= most and (not whole or value == int(value)):
                return value
            kind = "whole number" if whole else "number"
            self.say(f"{typed} is not a {kind} from {least:.10g} to {most:,.10g}.")

    def line(self, seconds: float | None = None) -> str | None:
        """The next line that is typed, as it is; None when none comes in so many seconds.

        Raises Leave at the end of the input.
        """
        while b"\n" not in self._rest and not self._ended:
            if seconds is not None and not self._ready(seconds):
                return None
            try:
                chunk = os.read(self._fd, _CHUNK)
            except OSError:  # the terminal is gone
                chunk = b""
            self._rest += chunk
            self._ended = not chunk
        if not self._rest:
            raise Leave
        typed, _, self._rest = self._rest.partition(b"\n")
        line = typed.decode("utf-8", "replace").rstrip("\r")
        if not self._typed_is_seen:
            self.show(line, _PROMPT)  # a transcript without the answers could not be read
        return line

    def _ready(self, seconds: float) -> bool:
        try:
            return bool(select.select([self._fd], [], [], seconds)[0])
        except OSError:  # Windows waits for sockets only
            return True

    def _answer(self) -> str:
        emit(_PROMPT, end="")
        try:
            typed = (self.line() or "").strip()
        except (Leave, KeyboardInterrupt):
            emit("")
            raise
        if typed in ("b", "B"):
            raise Back
        if typed in ("q", "Q"):
            raise Leave
        return typed


def spoken(text: str) -> str:
    """``text`` with words in place of the app's signs; what others wrote stays as it is."""
    parts = _THEIRS.split(text)
    for place in range(0, len(parts), 2):
        for pattern, words in _SPOKEN:
            parts[place] = pattern.sub(words, parts[place])
    return "".join(parts)


def _without_commas(typed: str) -> str:
    """``1,234.5`` as 1234.5; a comma that does not stand between thousands stays, and so what was
    typed is no number: ``1,5`` may mean one and a half."""
    return typed.replace(",", "") if _THOUSANDS.fullmatch(typed) else typed


def several(typed: str) -> list[str]:
    """Answers with spaces or commas between; ``1,200`` is one number, as numbers are said here."""
    return [
        part
        for word in typed.split()
        for part in ([word] if _THOUSANDS.fullmatch(word) else word.split(","))
        if part
    ]


def is_number(typed: str) -> bool:
    """Whether it can only be meant as the number of a line."""
    return _without_commas(typed.removesuffix(".")).isdecimal()


def place_of(typed: str, many: int) -> int | None:
    """The place, counted from 0, of a number from 1 to ``many``; None for anything else."""
    digits = _without_commas(typed.removesuffix("."))
    if digits.isascii() and digits.isdigit() and len(digits) < 10 and 1 <= int(digits) <= many:
        return int(digits) - 1
    return None
