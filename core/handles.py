"""Handles as people type them and as mynah keeps them."""

from __future__ import annotations

import re

from core.errors import InputRefused

# X allows 1 to 15; samples and other services use longer names and dots, dashes or a server part.
_HANDLE = re.compile(r"[\w.\-]{1,64}(@[\w.\-]{1,128})?")


def normal_handle(given: str) -> str:
    """``' @NASA '`` becomes ``'nasa'``; raises InputRefused for what cannot be a handle."""
    handle = given.strip().removeprefix("@").strip().lower()
    if not _HANDLE.fullmatch(handle):
        raise InputRefused(
            f"{given!r} is not a handle.",
            "A handle is letters, digits and underscores, with or without @.",
            "Try `mynah accounts` to see who is in the corpus.",
        )
    return handle


def normal_handles(given: list[str] | tuple[str, ...]) -> list[str]:
    """Several handles, each once, in the order first named; commas separate too.

    Raises InputRefused as `normal_handle` does, and for an empty word: it does not mean everybody.
    """
    flat = [
        part for item in given for part in ([p for p in item.split(",") if p.strip()] or [item])
    ]
    return list(dict.fromkeys(normal_handle(part) for part in flat))
