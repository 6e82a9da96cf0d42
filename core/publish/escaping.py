"""Text from outside in a card: names, handles, figures that are shown and never obeyed."""

from __future__ import annotations

import html
import re
from typing import Final

from core.safe_text import printable

# What Markdown, GitHub's tables, math and emoji codes could take for a sign of theirs.
_SIGNS: Final = re.compile(r"[\\`*_\[\]{}<>&|~#$!]|:(?=\S)|(?i:(?<=www)\.)")
# What begins a list or is a rule, where a paragraph begins with it.
_FIRST: Final = re.compile(r"^(\d{0,9})([-+](?=[\s-]|$)|(?<=\d)[.)](?=\s|$))")
# The backslash form is easier to read; some readers split a table's cells before they know it.
_BACKSLASH: Final = frozenset("*_[]#~!")


def one_line(text: str) -> str:
    """``text`` in one line, what a screen would hide or obey made visible."""
    return printable(" ".join(text.split()))


def markdown_text(text: object) -> str:
    """``text`` so that Markdown shows exactly it: in a paragraph, a table's cell or a heading."""
    return _FIRST.sub(r"\1\\\2", _SIGNS.sub(_escaped, one_line(str(text))))


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    return f"\\{sign}" if sign in _BACKSLASH else f"&#{ord(sign)};"


def html_text(text: object) -> str:
    """``text`` as HTML inside of Markdown shows it."""
    escaped = html.escape(one_line(str(text)))
    return re.sub(r"[*_`|{}\[\]\\~$:]", lambda found: f"&#{ord(found[0])};", escaped)
