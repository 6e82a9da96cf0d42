"""Whether a text that grows would come to have a banned word: looked for in text, not in tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence


class BannedWords:
    """Words and phrases, found whole and in any case, however a tokenizer spells them.

    A word counts as whole when no letter or digit stands beside it; at the end of the text so far
    it counts too, so that a longer word is lost only where its first token is a banned word. White
    space within a phrase is any white space.
    """

    def __init__(self, words: Sequence[str]) -> None:
        pattern = "|".join(_pattern(word) for word in words)
        self._pattern = re.compile(pattern, re.IGNORECASE) if words else None
        # One character before the longest match tells whether it begins a word; white space in a
        # text may be longer than in the phrase.
        self._tail = 2 * max(map(len, words), default=0) + 1

    def __bool__(self) -> bool:
        return self._pattern is not None

    def completed_by(self, text: str, fresh: str) -> bool:
        """Whether a banned word ends within ``fresh``, which comes after ``text``."""
        if self._pattern is None or not fresh:
            return False
        before = text[-self._tail :]
        together = before + fresh
        return any(
            found.end() > len(before)
            for start in range(len(together))
            if (found := self._pattern.match(together, start))
        )


def _pattern(word: str) -> str:
    before = r"(?<!\w)" if re.match(r"\w", word) else ""
    after = r"(?!\w)" if re.match(r"\w", word[-1]) else ""
    return before + r"\s+".join(map(re.escape, word.split())) + after
