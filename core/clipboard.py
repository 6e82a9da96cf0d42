"""The clipboard: open this for how a text gets there, and how sure one can be that it did.

A text goes two ways: to the terminal (OSC 52), which works over SSH and says nothing back, and to
the clipboard of this machine, which can be asked for what it holds. The second is done by a process
of its own, since the programs behind it may wait, print, or load a whole window toolkit.

Terminals of which it is documented that they take OSC 52 as they are delivered:
  Ghostty               https://ghostty.org/docs/config/reference (clipboard-write: allow)
  WezTerm               https://wezterm.org/escape-sequences.html
  kitty                 https://sw.kovidgoyal.net/kitty/conf/ (clipboard_control: write-clipboard)
  foot                  its foot.ini(5) (security.osc52: enabled)
  Alacritty             its alacritty(5) (terminal.osc52: OnlyCopy)
  Windows Terminal      its release notes of 1.15
  Visual Studio Code    its release notes of September 2024 (1.94)
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.children.warm import LAUNCHER

# Seconds for the program that holds this machine's clipboard.
_PATIENCE: Final = 5.0
# Terminals cut or refuse what is longer; xterm and tmux take the least.
OSC52_BYTES: Final = 74_000
_PROGRAMS: Final = ("ghostty", "wezterm", "vscode")
_VARIABLES: Final = (
    "GHOSTTY_RESOURCES_DIR", "WEZTERM_PANE", "KITTY_WINDOW_ID", "ALACRITTY_WINDOW_ID", "WT_SESSION",
)  # fmt: skip
# Each runs programs within itself, and takes OSC 52 itself or not, as it is set up.
_INSIDE: Final = ("TMUX", "STY")


def terminal_takes(text: str, environment: Mapping[str, str]) -> bool:
    """Whether this terminal is known to put ``text`` on the clipboard."""
    if any(environment.get(name) for name in _INSIDE):
        return False
    known = environment.get("TERM_PROGRAM", "").lower() in _PROGRAMS or any(
        environment.get(name) for name in _VARIABLES
    )
    known = known or environment.get("TERM", "").startswith("foot")
    return known and len(text.encode("utf-8", "replace")) * 4 // 3 <= OSC52_BYTES


def is_local(environment: Mapping[str, str]) -> bool:
    """Whether the person sits at this machine: over SSH its clipboard is not theirs."""
    return not any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))


def copy_here(
    text: str, command: Sequence[str] = (sys.executable, str(LAUNCHER), "core.clipboard")
) -> bool:
    """Put ``text`` on this machine's clipboard; True when it is there."""
    try:
        done = subprocess.run(  # noqa: S603  # no shell, and the text goes through stdin
            command,
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def if_not_there(environment: Mapping[str, str]) -> str:
    """What to do when a text that was sent to the terminal cannot be pasted."""
    if any(environment.get(name) for name in _INSIDE):
        return "If it cannot be pasted, let tmux pass it on: set -g set-clipboard on."
    if not is_local(environment) or sys.platform != "linux":
        return "If it cannot be pasted, allow OSC 52 in the terminal's settings."
    return "If it cannot be pasted, install wl-clipboard or xclip."


def put(text: str, copy: Callable[[str], object], paste: Callable[[], str]) -> bool:
    """Copy, and look: programs that fail say nothing. Systems change the ends of lines."""
    copy(text)
    return paste().replace("\r\n", "\n") == text.replace("\r\n", "\n")


def main() -> int:
    """The process: the text comes on stdin; 0 when the clipboard holds it."""
    import pyperclip

    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        return 0 if put(text, pyperclip.copy, pyperclip.paste) else 1
    except (pyperclip.PyperclipException, OSError):
        return 1
