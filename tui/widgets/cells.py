"""Text measured in terminal cells: cut, padded and wrapped without breaking a character.

``len()`` counts code points; a terminal counts cells: ``日`` takes two, a combining mark none.
Every function here returns text of a known width in cells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len, set_cell_size

__all__ = [
    "ELLIPSIS",
    "Align",
    "cell_len",
    "cut",
    "fit",
    "pattern_of",
    "wrap",
]

Align = Literal["left", "right", "center"]
ELLIPSIS = "…"
_ZWJ = "\u200d"
_WORDS = re.compile(r"\S+\s*|\s+")


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells; what is cut off is replaced by ``…``."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    if width == 1:
        return ELLIPSIS
    # A joiner at the end would swallow the ellipsis: the two would count as one character.
    return set_cell_size(text, width - 1).rstrip(" " + _ZWJ) + ELLIPSIS


def fit(text: str, width: int, align: Align = "left") -> str:
    """``text`` in exactly ``width`` cells: cut with ``…`` or padded with spaces."""
    if width <= 0:
        return ""
    shown = cut(text, width)
    room = width - cell_len(shown)
    if room <= 0:
        return shown
    if align == "right":
        return " " * room + shown
    if align == "center":
        return " " * (room // 2) + shown + " " * (room - room // 2)
    # A space is never joined by what stands before it, except after a joiner.
    return shown.rstrip(_ZWJ) + " " * (width - cell_len(shown.rstrip(_ZWJ)))


def wrap(text: str, width: int) -> list[str]:
    """``text`` as lines of at most ``width`` cells, broken at spaces where there are any.

    Line breaks in ``text`` are kept. The spaces at a break stay at the end of their line (they may
    hang over the width and are harmless there when the line is cut), so that
    ``"".join(lines)`` gives back every character except the line breaks: offsets stay true.
    """
    width = max(1, width)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_wrap_paragraph(paragraph, width))
    return lines


def _wrap_paragraph(text: str, width: int) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    lines: list[str] = []
    line, used = "", 0
    for match in _WORDS.finditer(text):
        word = match[0]
        size = cell_len(word.rstrip())
        if line and used + size > width:
            lines.append(line)
            line, used = "", 0
        while size > width:
            head = _head(word, width)
            lines.append(head)
            word = word[len(head) :]
            size = cell_len(word.rstrip())
        line += word
        used += cell_len(word)
    lines.append(line)
    return lines


def _head(word: str, width: int) -> str:
    """The longest beginning of ``word`` in ``width`` cells, at least one character."""
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        if cell_len(word[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    # Never leave a mark that belongs to the character before it on the next line.
    while low < len(word) and cell_len(word[: low + 1]) == cell_len(word[:low]) <= width:
        low += 1
    return word[:low]


def pattern_of(words: Sequence[str]) -> re.Pattern[str] | None:
    """Finds ``words``, literally and in any case of letters; the longest where several begin."""
    longest_first = sorted(filter(None, words), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.I) if longest_first else None
