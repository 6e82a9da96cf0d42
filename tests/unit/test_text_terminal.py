"""Progress and words for terminals: only for those that take them, and never left behind."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.home import Home
from core.runs.folder import find_run
from tests.unit.cli import HANDLES, LIMIT, MYNAH, ROOT, environment, home_with_samples, mynah
from tests.unit.toy_runs import follow
from tui.text.terminal import LONG_SECONDS, Takes, TerminalSignals, what_it_takes

CLEAR = b"\x1b]9;4;0;0\x1b\\"
XTERM = {"TERM": "xterm-256color"}
FOREIGN = (
    "TMUX STY TERM_PROGRAM TERM_PROGRAM_VERSION WT_SESSION ConEmuANSI KONSOLE_VERSION VTE_VERSION "
    "KITTY_WINDOW_ID GHOSTTY_RESOURCES_DIR"
).split()


def of(program: str, version: str = "", **more: str) -> dict[str, str]:
    return XTERM | {"TERM_PROGRAM": program, "TERM_PROGRAM_VERSION": version} | more


@pytest.mark.parametrize(
    ("given", "takes"),
    [
        (XTERM, Takes(False, "bell")),
        ({}, Takes(False, "bell")),
        ({"TERM": "dumb"}, Takes()),
        ({"TERM": "dumb", "WT_SESSION": "x"}, Takes()),
        (XTERM | {"WT_SESSION": "x"}, Takes(True, "bell")),
        (XTERM | {"WT_SESSION": "x", "NO_COLOR": "1"}, Takes(True, "bell")),
        (XTERM | {"ConEmuANSI": "ON"}, Takes(True, "bell")),
        (XTERM | {"ConEmuANSI": "OFF"}, Takes(False, "bell")),
        (of("ghostty", "1.2.3"), Takes(True, "osc 9")),
        (of("ghostty", "1.1.3"), Takes(False, "osc 9")),
        ({"TERM": "xterm-ghostty", "GHOSTTY_RESOURCES_DIR": "/g"}, Takes(True, "osc 9")),
        (of("WezTerm", "20250209-182623-44866cc1"), Takes(True, "osc 9")),
        (of("WezTerm", "20240203-110809-5046fc22"), Takes(False, "osc 9")),
        (of("iTerm.app", "3.6.6"), Takes(True, "osc 9")),
        (of("iTerm.app", "3.7.0beta2"), Takes(True, "osc 9")),
        (of("iTerm.app", "3.5.14"), Takes(False, "osc 9")),
        (of("iTerm.app"), Takes(False, "osc 9")),
        ({"TERM": "xterm-kitty"}, Takes(False, "osc 9")),
        (of("vscode", "1.97.2"), Takes(True, "bell")),
        (of("vscode", "1.96.0"), Takes(False, "bell")),
        (of("Apple_Terminal", "455"), Takes(False, "bell")),
        (of("mintty", "3.7.7"), Takes(True, "bell")),
        ({"TERM": "foot"}, Takes(False, "osc 777")),
        (XTERM | {"VTE_VERSION": "8002"}, Takes(True, "bell")),
        (XTERM | {"VTE_VERSION": "7600"}, Takes(False, "bell")),
        (XTERM | {"KONSOLE_VERSION": "250401"}, Takes(True, "bell")),
        (XTERM | {"KONSOLE_VERSION": "nonsense"}, Takes(False, "bell")),
        (of("WezTerm", "20250209-182623-44866cc1", TMUX="0,1,0"), Takes()),
        (XTERM | {"WT_SESSION": "x", "STY": "12.pts"}, Takes()),
        ({"TERM": "tmux-256color"}, Takes()),
        ({"TERM": "screen.xterm", "WT_SESSION": "x"}, Takes()),
    ],
)
def test_what_each_terminal_takes(given: dict[str, str], takes: Takes) -> None:
    assert what_it_takes(given, is_terminal=True) == takes
    assert what_it_takes(given, is_terminal=False) == Takes()


def test_progress_is_sent_when_it_moved_and_taken_away_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, sent = [100.0], []
    monkeypatch.setattr("tui.text.terminal.time.monotonic", lambda: clock[0])
    signals = TerminalSignals(Takes(progress=True), sent.append)
    signals.clear()
    assert sent == [], "there is nothing to take away"
    for at, share in ((100, None), (100.1, 0.5), (101, 0.5), (102, 0.504), (103, 2.0), (107, 2.0),
                      (108.5, 2.0)):  # fmt: skip
        clock[0] = at
        signals.progress(share)
    signals.clear()
    signals.clear()
    states = [sequence.removeprefix("\x1b]9;4;").removesuffix("\x1b\\") for sequence in sent]
    assert states == ["3;0", "1;50", "1;100", "1;100", "0;0"]


@pytest.mark.parametrize(
    ("word", "sent"),
    [
        ("osc 9", "\x1b]9;mynah: 4;0 ␛]0;x␇ done\x1b\\"),
        ("osc 777", "\x1b]777;notify;mynah;4;0 ␛]0;x␇ done\x1b\\"),
        ("bell", "\a"),
        ("", ""),
    ],
)
def test_a_word_carries_nothing_but_words(word: str, sent: str) -> None:
    written: list[str] = []
    signals = TerminalSignals(Takes(word=word), written.append)  # type: ignore[arg-type]
    signals.say("4;0\n\x1b]0;x\a done")
    assert written == [], "it took no time"
    signals.say("4;0\n\x1b]0;x\a done", seconds=LONG_SECONDS)
    assert "".join(written) == sent


def test_a_terminal_that_is_gone_is_no_error() -> None:
    def broken(_: str) -> None:
        raise BrokenPipeError

    signals = TerminalSignals(Takes(progress=True, word="bell"), broken)
    signals.progress(0.5)
    signals.clear()
    signals.say("done", seconds=100)


def in_windows_terminal(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in environment(home).items() if name not in FOREIGN}
    return kept | {"WT_SESSION": "x"} | more


@pytest.fixture(scope="module")
def going(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a run that goes on while anybody watches, and costs nothing meanwhile."""
    home = tmp_path_factory.mktemp("going") / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    given = "train", HANDLES[0], "--base", "scratch", "--epochs", "900", "--now", "--detach"
    mynah(*given, "--json", home=home)
    run = find_run(Home.at(home), "latest")
    follow(run, until=lambda records: any(one["kind"] == "train" for one in records))
    pid = run.record().pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    yield home
    stop_the_run(home)


def stop_the_run(home: Path) -> None:
    pid = find_run(Home.at(home), "latest").record().pid
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    mynah("stop", "latest", home=home)


@dataclass
class OnATerminal:
    """A command that is under way, and the end of its terminal that a person sits at."""

    process: subprocess.Popen[bytes]
    person: int

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)


def watched(
    home: Path,
    until: bytes,
    then: Callable[[OnATerminal], object],
    *,
    command: Sequence[str] = ("watch", "latest"),
    **more: str,
) -> tuple[int, bytes]:
    """Exit code of a command to which ``then`` happens once ``until`` is seen, and all that was."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    process = subprocess.Popen(
        [*MYNAH, *command], stdin=slave, stdout=slave, stderr=slave,
        env=in_windows_terminal(home) | XTERM | more, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    seen, happened = b"", False
    try:
        while select.select([master], [], [], LIMIT)[0] and (chunk := os.read(master, 65536)):
            seen += chunk
            if until in seen and not happened:
                then(OnATerminal(process, master))
                happened = True
    except OSError:  # the other side has closed
        pass
    finally:
        os.close(master)
    assert happened, seen[-2000:]
    return process.wait(30), seen


def test_nothing_of_it_inside_tmux_or_a_dumb_terminal(going: Path) -> None:
    for more in ({"TMUX": "0,1,0"}, {"TERM": "dumb"}):
        ended, seen = watched(going, b"ctrl+c ends the watching", OnATerminal.interrupt, **more)
        assert ended == 130
        assert b"\x1b" not in seen
        assert b"\a" not in seen


def test_the_app_shows_the_progress_of_a_run_and_takes_it_away(going: Path) -> None:
    ended, seen = watched(
        going, b"\x1b]9;4;1;", lambda app: os.write(app.person, b"\x11"), command=()
    )
    assert ended == 0, seen[-2000:]
    assert seen.count(CLEAR) == 1
    assert b"\x1b]9;4;" not in seen.split(CLEAR)[1]


def test_the_app_ends_with_a_terminal_that_is_not_its_sessions_own(going: Path) -> None:
    master, slave = pty.openpty()
    app = subprocess.Popen(
        MYNAH, stdin=slave, stdout=slave, stderr=slave,
        env=environment(going) | XTERM, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        while b"Data" not in os.read(master, 65536):
            pass
    finally:
        os.close(master)
    assert app.wait(30) == -signal.SIGHUP


def test_progress_is_taken_away_however_watching_ends(going: Path) -> None:
    ends = (
        (OnATerminal.interrupt, 130),
        (lambda watch: watch.process.send_signal(signal.SIGTERM), 143),
        (lambda watch: watch.process.send_signal(signal.SIGHUP), 129),
        (lambda _: stop_the_run(going), 0),
    )
    for end, code in ends:
        ended, seen = watched(going, b"\x1b]9;4;1;", end)
        assert ended == code
        assert seen.count(CLEAR) == 1
        assert b"\x1b]9;4;" not in seen.split(CLEAR)[1]
    assert b"It was stopped after" in seen
