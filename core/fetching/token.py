"""The X API token: where it is looked for, how it is stored and kept out of logs."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused
from core.files import write_text_whole

if TYPE_CHECKING:
    from core.home import Home

VARIABLE: Final = "MYNAH_X_TOKEN"
_SERVICE: Final = "mynah"
_NAME: Final = "x-api"
# Bearer tokens are base64 or percent-encoded base64; an exception of the HTTP library
# would quote anything else word for word.
_SHAPE: Final = re.compile(r"[A-Za-z0-9%._~+/=:\-]{8,4096}")


class Token:
    """A token that no repr, str, format, pickle or vars() shows; ``where`` is its source."""

    __slots__ = ("_text", "where")

    def __init__(self, text: str, where: str) -> None:
        """Raises InputRefused, without the text in it, for what cannot be a token."""
        text = text.strip().removeprefix("Bearer ").strip()
        if not _SHAPE.fullmatch(text):
            raise InputRefused(
                f"What is in the {where} is not an X API token.",
                "A token is one long word of letters, digits and % . _ ~ + / = : -.",
                "Copy the bearer token from console.x.com again.",
            )
        self._text = text
        self.where = where

    def reveal(self) -> str:
        """The token itself, for the Authorization header and the place it is stored in."""
        return self._text

    @property
    def app_only(self) -> bool:
        """Whether it looks like an app's bearer token, which belongs to no user.

        Those begin with many A; a user's access token is base64 of something readable.
        """
        return self._text.startswith("A" * 12)

    def __repr__(self) -> str:
        return f"<X API token from the {self.where}>"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a token is never written down by pickling")


def token_file(home: Home) -> Path:
    return home.root / "x-api-token"


def find_token(home: Home) -> Token | None:
    """The token from MYNAH_X_TOKEN, else the keyring, else the home's file; None without any.

    Raises InputRefused when the text is no token, or the file can be read by others.
    """
    if given := os.environ.get(VARIABLE, "").strip():
        return Token(given, f"{VARIABLE} environment variable")
    if kept := _from_keyring():
        return Token(kept, "keyring")
    file = token_file(home)
    try:
        with file.open(encoding="utf-8") as stream:
            _only_ours(file, os.fstat(stream.fileno()).st_mode)
            text = stream.read(8192)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError):
        # not what Python says: for a file that is no text it would quote the bytes
        raise InputRefused(
            f"The token file {file} cannot be read.", "", "Store the token again."
        ) from None
    return Token(text, f"file {file}")


def store_token(home: Home, text: str) -> Token:
    """Keep a token in the keyring, or where there is none in a file only its owner can read.

    Returns it with the place it is in now. Raises InputRefused for what cannot be a token.
    """
    token = Token(text, "text that was given")
    file = token_file(home)
    if _to_keyring(token.reveal()):
        file.unlink(missing_ok=True)  # an older one would be a second, forgotten copy
        return Token(token.reveal(), "keyring")
    write_text_whole(file, token.reveal() + "\n", private=True)
    return Token(token.reveal(), f"file {file}")


def remove_token(home: Home) -> list[str]:
    """Take the stored token away; returns the places it was in. The environment stays."""
    gone = []
    if _from_keyring():
        import keyring

        keyring.delete_password(_SERVICE, _NAME)
        gone.append("keyring")
    file = token_file(home)
    if file.exists():
        file.unlink()
        gone.append(f"file {file}")
    return gone


def _only_ours(file: Path, mode: int) -> None:
    if sys.platform != "win32" and stat.S_IMODE(mode) & 0o077:
        raise InputRefused(
            f"The token file {file} can be read by others.",
            "Whoever has the token spends your credits.",
            f"chmod 600 {file}",
        )


def _from_keyring() -> str | None:
    """None when there is no keyring, it is locked, or it does not hold the token."""
    try:
        import keyring

        return keyring.get_password(_SERVICE, _NAME)
    except Exception:  # every backend has errors of its own, and a broken one is no keyring
        return None


def _to_keyring(text: str) -> bool:
    try:
        import keyring

        keyring.set_password(_SERVICE, _NAME, text)
        # the null backend takes everything and keeps nothing
        return keyring.get_password(_SERVICE, _NAME) == text
    except Exception:
        return False
