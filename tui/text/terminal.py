"""Progress for the tab or task bar of a terminal, and a word when long work ends.

Open this to add a terminal. Both are escape sequences, which a terminal that does not know them
may show as they are; so each goes only to terminals of which it is documented:

OSC 9;4 (progress)      https://conemu.github.io/en/AnsiEscapeCodes.html, where it is from
  Windows Terminal      https://learn.microsoft.com/windows/terminal/tutorials/progress-bar-sequences
  Ghostty               https://ghostty.org/docs/vt/osc/conemu (from 1.2 on)
  WezTerm               https://github.com/wezterm/wezterm/issues/6581 (from 20250209 on)
  iTerm2                https://iterm2.com/documentation-escape-codes.html (from 3.6.6 on)
  Konsole               https://invent.kde.org/utilities/konsole/-/merge_requests/1054 (25.04)
  VTE (GNOME, Ptyxis)   VTE's "progress" termprops, set by it from 0.80 on
  mintty                https://github.com/mintty/mintty/wiki/CtrlSeqs
  Visual Studio Code    its release notes of January 2025 (1.97)
OSC 9 (a notification)  iTerm2, Ghostty, WezTerm (wezterm.org/escape-sequences.html), kitty
                        (sw.kovidgoyal.net/kitty/desktop-notifications)
OSC 777 (the same)      foot (its foot-ctlseqs(7)); others have it in patched versions only
Others get the bell. tmux and screen pass neither on unless they are set up to, which cannot be
seen from inside, so there is nothing at all.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final, Literal, TextIO

from core.safe_text import printable

Word = Literal["osc 9", "osc 777", "bell", ""]

# Work that took less was watched, or not worth a word.
LONG_SECONDS: Final = 20.0
# Progress is sent when its percentage has changed, at most so often; and again after a while,
# because Ghostty takes it away when nothing has come for 15 seconds.
_SOONEST: Final = 0.3
_AGAIN: Final = 5.0
_LONGEST_WORD: Final = 200
_CLEAR: Final = "\x1b]9;4;0;0\x1b\\"


@dataclass(frozen=True)
class Takes:
    """What a terminal takes: ``progress`` (OSC 9;4), and how a ``word`` at the end reaches it."""

    progress: bool = False
    word: Word = ""


def what_it_takes(environment: Mapping[str, str], *, is_terminal: bool) -> Takes:
    """By the variables that terminals set; nothing for what is no terminal, or inside another."""
    term = environment.get("TERM", "")
    inside = any(environment.get(name) for name in ("TMUX", "STY"))
    if not is_terminal or inside or term == "dumb" or term.startswith(("screen", "tmux")):
        return Takes()
    program = environment.get("TERM_PROGRAM", "").lower()
    version = _numbers(environment.get("TERM_PROGRAM_VERSION", ""))
    if program == "ghostty" or "GHOSTTY_RESOURCES_DIR" in environment:
        return Takes(not version or program != "ghostty" or version >= (1, 2), "osc 9")
    if program == "wezterm":
        return Takes(version >= (20250209,), "osc 9")
    if program == "iterm.app":
        return Takes(version >= (3, 6, 6), "osc 9")
    if term == "xterm-kitty" or "KITTY_WINDOW_ID" in environment:
        return Takes(word="osc 9")
    if program == "vscode":
        return Takes(version >= (1, 97), "bell")
    if term.startswith("foot"):
        return Takes(word="osc 777")
    progress = (
        program == "mintty"
        or "WT_SESSION" in environment
        or environment.get("ConEmuANSI") == "ON"
        or _numbers(environment.get("KONSOLE_VERSION", "")) >= (250400,)
        or _numbers(environment.get("VTE_VERSION", "")) >= (8000,)
    )
    return Takes(progress, "bell")


def _numbers(version: str) -> tuple[int, ...]:
    """``3.6.6beta1`` as (3, 6, 6); of ``20250209-182623-44866cc1`` only the date counts."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


class TerminalSignals:
    """Progress and words for one terminal, which takes what ``takes`` says through ``write``."""

    def __init__(self, takes: Takes, write: Callable[[str], object]) -> None:
        self._takes, self._write = takes, write
        self._shown: int | None = None
        self._sent = 0.0
        self._began = time.monotonic()

    def progress(self, share: float | None) -> None:
        """How much is done, 0 to 1; None: something is, but nobody knows how much."""
        if not self._takes.progress:
            return
        percent = -1 if share is None else min(100, max(0, int(100 * share)))
        since = time.monotonic() - self._sent
        if since < _SOONEST or (percent == self._shown and since < _AGAIN):
            return
        self._shown, self._sent = percent, time.monotonic()
        state = "3;0" if percent < 0 else f"1;{percent}"
        self._put(f"\x1b]9;4;{state}\x1b\\")

    def clear(self) -> None:
        """Takes the progress away, if there is some."""
        if self._shown is not None:
            self._shown = None
            self._put(_CLEAR)

    def say(self, text: str, *, seconds: float | None = None) -> None:
        """A word about work that has ended after ``seconds`` (None: since this was made)."""
        took = time.monotonic() - self._began if seconds is None else seconds
        if not self._takes.word or took < LONG_SECONDS:
            return
        shown = printable(" ".join(text.split()))[:_LONGEST_WORD]
        words = {
            # a text that began with a number would be one of ConEmu's commands
            "osc 9": f"\x1b]9;mynah: {shown}\x1b\\",
            "osc 777": f"\x1b]777;notify;mynah;{shown}\x1b\\",
            "bell": "\a",
        }
        self._put(words[self._takes.word])

    def _put(self, sequence: str) -> None:
        with suppress(OSError, ValueError):  # the terminal is gone, and so is what it showed
            self._write(sequence)


@contextmanager
def signals_to(stream: TextIO) -> Iterator[TerminalSignals]:
    """Signals to the terminal behind ``stream``, if it is one; what they show is taken away at the
    end, whichever it is: SIGTERM and SIGHUP, too, end the block by SystemExit.
    """

    def write(sequence: str) -> None:
        stream.write(sequence)
        stream.flush()

    takes = what_it_takes(os.environ, is_terminal=stream.isatty())
    signals = TerminalSignals(takes, write)
    with _ends_that_can_be_seen() if takes.progress else nullcontext():
        try:
            yield signals
        finally:
            signals.clear()


@contextmanager
def _ends_that_can_be_seen() -> Iterator[None]:
    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    changed = []
    for name in names:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, leave)
            changed.append(number)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def of_this_app(write: Callable[[str], object]) -> TerminalSignals:
    """Those of a full-screen app, which writes to its terminal itself, by ``write``."""
    here = sys.__stderr__ is not None and sys.__stderr__.isatty()
    if os.environ.get("TEXTUAL_DRIVER"):
        here = False  # a driver of its own choice shows the app elsewhere
    return TerminalSignals(what_it_takes(os.environ, is_terminal=here), write)
