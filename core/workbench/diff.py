"""What cleaning did to one tweet, for the before-and-after view."""

from __future__ import annotations

import difflib
import re
from typing import Final, Literal

State = Literal["same", "removed", "added"]

_TOKEN = re.compile(r"\s+|https?://[^\s()\[\]<>]+|\w+|.", re.IGNORECASE | re.DOTALL)
# Comparing takes time with the product of both lengths; posts longer than this are told apart
# only between their common beginning and their common end.
_MOST_TOKENS: Final = 800


def diff_parts(raw: str, clean: str) -> list[tuple[str, State]]:
    """Pieces in reading order; without the added ones they spell ``raw``, without the removed
    ones ``clean``. Neighbours differ in state, and no piece is empty.
    """
    before, after = _TOKEN.findall(raw), _TOKEN.findall(clean)
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    parts: list[tuple[str, State]] = [("".join(before[:start]), "same")]
    if max(len(old), len(new)) > _MOST_TOKENS:
        parts += [("".join(old), "removed"), ("".join(new), "added")]
    else:
        # autojunk ignores tokens that are everywhere (in practice, spaces) in long posts.
        matcher = difflib.SequenceMatcher(None, old, new)
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal":
                parts.append(("".join(old[a:b]), "same"))
            else:
                parts += [("".join(old[a:b]), "removed"), ("".join(new[c:d]), "added")]
    parts.append(("".join(before[len(before) - end :]), "same"))
    return _merged(parts)


def _merged(parts: list[tuple[str, State]]) -> list[tuple[str, State]]:
    merged: list[tuple[str, State]] = []
    for text, state in parts:
        if text and merged and merged[-1][1] == state:
            merged[-1] = (merged[-1][0] + text, state)
        elif text:
            merged.append((text, state))
    return merged
