"""The clipboard: "Copied" only where it was, and nothing that fails reaches the screen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.clipboard import OSC52_BYTES, copy_here, if_not_there, is_local, put, terminal_takes

KEPT = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"


@pytest.mark.parametrize(
    ("environment", "taken"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM_PROGRAM": "ghostty", "TMUX": "tmux,1,0"}, False),
        ({"KITTY_WINDOW_ID": "1"}, True),
        ({"KITTY_WINDOW_ID": "1", "STY": "1.pts"}, False),
        ({"TERM": "foot-extra"}, True),
        ({"WT_SESSION": "a"}, True),
        ({"ALACRITTY_WINDOW_ID": "1"}, True),
    ],
)
def test_which_terminals_take_a_text(environment: dict[str, str], taken: bool) -> None:
    assert terminal_takes("words", environment) is taken


def test_no_terminal_is_trusted_with_a_text_that_it_would_cut() -> None:
    most = OSC52_BYTES * 3 // 4
    assert terminal_takes("a" * most, {"KITTY_WINDOW_ID": "1"})
    assert not terminal_takes("a" * (most + 3), {"KITTY_WINDOW_ID": "1"})
    assert not terminal_takes("é" * most, {"KITTY_WINDOW_ID": "1"}), "bytes are what counts"


def test_over_ssh_the_clipboard_of_the_other_machine_is_not_the_persons() -> None:
    assert is_local({"TERM": "xterm"})
    assert not is_local({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"})
    assert "OSC 52" in if_not_there({"SSH_TTY": "/dev/pts/1"})
    assert "tmux" in if_not_there({"TMUX": "tmux,1,0", "SSH_TTY": "/dev/pts/1"})


def test_the_program_gets_the_text_as_it_is(tmp_path: Path) -> None:
    held = tmp_path / "held"
    text = "two\nlines, é 日 and \x1b[31m"
    assert copy_here(text, [sys.executable, "-c", KEPT, str(held)])
    assert held.read_text(encoding="utf-8") == text


def test_a_program_that_fails_or_is_not_there_has_copied_nothing() -> None:
    assert not copy_here("words", [sys.executable, "-c", "raise SystemExit(1)"])
    assert not copy_here("words", ["/nowhere/at/all"])


def test_a_machine_without_any_clipboard_has_copied_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux can be without a clipboard")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if "microsoft" in Path("/proc/version").read_text().lower():
        pytest.skip("this Linux has the clipboard of Windows")
    assert not copy_here("words")


def test_it_is_there_only_when_it_can_be_read_back() -> None:
    held: list[str] = []
    assert put("a\nb", held.append, lambda: held[-1])
    assert put("a\nb", held.append, lambda: held[-1].replace("\n", "\r\n"))
    assert not put("a\nb", held.append, lambda: "what was there before")
