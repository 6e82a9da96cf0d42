"""The person's own editor: open this for how a text goes to $EDITOR and comes back."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import InputRefused
from core.files import temporary_folder

if TYPE_CHECKING:
    from textual.app import App

# Where neither VISUAL nor EDITOR is set: what is nearly always there.
_FALLBACKS: Final = ("notepad",) if sys.platform == "win32" else ("nano", "vim", "vi")


def edit_outside(app: App[Any], text: str, name: str) -> str | None:
    """``text`` as the person leaves it in $VISUAL or $EDITOR; None when it stays as it was.

    The app waits, and has the terminal again afterwards. ``name`` is the file's, which tells an
    editor what it holds. Raises InputRefused: no editor, one that fails, or a file that is no text.
    """
    from textual.app import SuspendNotSupported

    command = editor_command(os.environ)
    with temporary_folder("editor") as folder:
        file = folder / name
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                ended = subprocess.run([*command, str(file)], check=False)  # noqa: S603
        except SuspendNotSupported:
            raise InputRefused(
                "No other program can have this terminal.", "", "Edit the text here."
            ) from None
        except OSError as error:
            raise InputRefused(
                f"{command[0]} cannot be started.",
                f"{error.strerror or error}.",
                "Set EDITOR to an editor that is installed.",
            ) from error
        if ended.returncode != 0:
            raise InputRefused(
                f"{Path(command[0]).name} ended with {ended.returncode}.", "", "The text stays."
            )
        try:
            written = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputRefused(
                f"What {Path(command[0]).name} wrote cannot be read.",
                f"{error}.",
                "The text stays.",
            ) from error
    # editors end the last line, which the text here may not have
    written = written if text.endswith("\n") else written.removesuffix("\n")
    return None if written == text else written


def editor_command(environment: Mapping[str, str]) -> list[str]:
    """What to run, with its options: ``code --wait``. Raises InputRefused when there is none."""
    for name in ("VISUAL", "EDITOR"):
        if given := environment.get(name, "").strip():
            try:
                return shlex.split(given, posix=sys.platform != "win32")
            except ValueError as error:
                raise InputRefused(
                    f"{name} cannot be read: {given}.", f"{error}.", f'Try: export {name}="nano"'
                ) from None
    for fallback in _FALLBACKS:
        if found := shutil.which(fallback, path=environment.get("PATH")):
            return [found]
    raise InputRefused("There is no editor.", "EDITOR is not set.", "Try: export EDITOR=nano")
