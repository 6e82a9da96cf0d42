"""Texts as words, the way copying is measured: whatever their case, in any script.

A word is a run of letters, digits and the marks on them; in scripts that put no spaces between
words every character counts as one.
"""

from __future__ import annotations

import re
import unicodedata

# Han, kana, Thai, Lao, Khmer, Burmese: written without spaces between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
# Accents and vowel signs stand inside of words, though Python does not call them letters.
_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0dff"
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[\w{_MARKS}])+")
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_ONE_UNSPACED = re.compile(rf"[{_UNSPACED}]")


def words(text: str) -> list[str]:
    """The words of ``text`` as they are compared: NFKC, case folded."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def is_unspaced(word: str) -> bool:
    """Whether ``word`` is of a script that puts no spaces between words."""
    return bool(_ONE_UNSPACED.match(word))


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of ``words(text)`` stand in ``text``: from which character to which.

    Characters that Unicode writes out as several words (such as ½) give as many equal spans.
    """
    if text.isascii():
        return [found.span() for found in _ASCII_WORD.finditer(text)]
    starts: list[int] = []  # of each normal letter: where its characters begin in ``text``
    ends: list[int] = []
    normal: list[str] = []
    for start, end in _clusters(text):
        letters = unicodedata.normalize("NFKC", text[start:end]).casefold()
        normal.append(letters)
        starts += [start] * len(letters)
        ends += [end] * len(letters)
    found = (one.span() for one in _WORD.finditer("".join(normal)))
    return [(starts[first], ends[last - 1]) for first, last in found]


def _clusters(text: str) -> list[tuple[int, int]]:
    """Each character with the marks that follow it, which NFKC may make one character of."""
    begins = [
        at
        for at, character in enumerate(text)
        if character.isascii()
        or not at
        or not unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
    ]
    return list(zip(begins, [*begins[1:], len(text)], strict=True))
