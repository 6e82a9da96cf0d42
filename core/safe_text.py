"""Text from outside, made harmless for a terminal: shown, never obeyed."""

from __future__ import annotations

import re

# C0 and C1 controls, DEL, bidi embeddings/overrides/isolates, zero-width and other invisible marks
# that can hide or reorder what a person reads, and two that an SVG cannot hold. ZWJ (200D) and
# variation selectors stay: emoji are built with them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f\ud800-\udfff]"
)
# A character by its number, which has seven digits at most.
_NO_NUMBER = re.compile(r"&#[0-9]{9,}")
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _PICTURES:
        return chr(_PICTURES[code])
    return f"‹{code:04X}›"


def with_known_characters(html: str) -> str:
    """``html`` with U+FFFD for every character whose number none has.

    At a number of 4,300 digits Python's html raises ValueError.
    """
    return _NO_NUMBER.sub("&#0", html)


def printable(text: str, *, keep_newlines: bool = False) -> str:
    """``text`` with every control and invisible character replaced by a visible sign.

    ESC becomes ␛, NUL becomes ␀, U+202E becomes ‹202E›; a line break becomes ⏎ unless
    ``keep_newlines``. The result has no character that a terminal would act on.
    """
    if keep_newlines:
        return "\n".join(_UNSAFE.sub(_shown, line) for line in text.split("\n"))
    return _UNSAFE.sub(_shown, text.replace("\r\n", "\n").replace("\n", " ⏎ ").replace("\t", " "))


def printable_json(value: object, *, indent: int | None = 2) -> str:
    """``value`` as JSON text that is safe to print: readable Unicode, unsafe marks as ``\\uXXXX``.

    json.dumps escapes only C0 controls; C1 controls, bidi overrides and invisible marks are escaped
    here. They can only stand inside strings, so the result is the same JSON document.
    """
    import json

    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    if indent is None:
        return _UNSAFE.sub(_escaped, text)
    return "\n".join(_UNSAFE.sub(_escaped, line) for line in text.split("\n"))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
