"""Token ids turned into text as they come: whole characters only, up to where the text ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from core.tweet import ENTITIES, unescaped

_ENTITIES: Final = tuple(entity for entity, _ in ENTITIES)
_BROKEN = "\ufffd"  # what a decoder gives for bytes that are no whole character (yet)


class TextStream:
    """The text of one sample while it grows.

    A byte-level token may be half an emoji, and some tokenizers put a space only between tokens;
    so new text is what a short window of tokens decodes to, less what its beginning decodes to,
    and it is held back while it ends in a broken character. The text ends before the first of
    ``ends``; what may yet turn out to be the beginning of one is held back too.

    ``unescape``: what a model writes as ``&amp;``, ``&lt;`` or ``&gt;`` is the character that it
    stands for in a tweet. Base models have read web pages and do so of their own accord: after a
    single ``&`` SmolLM2 goes on with ``amp`` once in 20 to 5,000 times.
    """

    def __init__(
        self,
        decode: Callable[[list[int]], str],
        prompt_ids: Sequence[int],
        *,
        ends: Sequence[str] = ("\n",),
        unescape: bool = False,
    ) -> None:
        self._decode = decode
        self._unescape = unescape
        self._entity = ""  # what may be the beginning of one
        self._ends = tuple(ends)
        self._ids = list(prompt_ids)
        self._window = 0
        self._read = len(self._ids)
        self._begun = len(prompt_ids) > 0 and bool(decode(self._ids))
        self._held = ""
        self.text = ""
        self.ended_by: str | None = None

    def push(self, token: int) -> str:
        """The text that ``token`` completes; often empty. ``ended_by`` is the end that was met."""
        self._ids.append(token)
        fresh = self._fresh(self._ids)
        if not fresh or fresh.endswith(_BROKEN):
            return ""
        self._window, self._read = self._read, len(self._ids)
        return self._take(fresh)

    def peek(self, token: int) -> tuple[str, str]:
        """All text so far, and what ``token`` would add to it, ends not looked for."""
        fresh = self._fresh([*self._ids, token])
        return self.text + self._held + self._entity, "" if fresh.endswith(_BROKEN) else fresh

    def flush(self) -> str:
        """What was held back, without the broken character at its end."""
        fresh = self._fresh(self._ids).rstrip(_BROKEN)
        self._read = len(self._ids)
        return self._take(fresh, last=True)

    def _fresh(self, ids: list[int]) -> str:
        known = self._decode(ids[self._window : self._read])
        return self._decode(ids[self._window :])[len(known) :]

    def _take(self, fresh: str, *, last: bool = False) -> str:
        if self.ended_by is not None:
            return ""
        if self._unescape:
            fresh, self._entity = self._entity + fresh, ""
            if not last and (open_at := _maybe_begins(fresh, _ENTITIES)):
                fresh, self._entity = fresh[:-open_at], fresh[-open_at:]
            fresh = unescaped(fresh)
        fresh = self._held + fresh
        found = [(place, end) for end in self._ends if (place := fresh.find(end)) >= 0]
        if found:
            place, self.ended_by = min(found)
            fresh, self._held = fresh[:place], ""
        else:
            open_at = len(fresh) - (0 if last else _maybe_begins(fresh, self._ends))
            fresh, self._held = fresh[:open_at], fresh[open_at:]
        if not self._begun:
            fresh = fresh.lstrip()
        self._begun = self._begun or bool(fresh)
        self.text += fresh
        return fresh


def _maybe_begins(text: str, words: Sequence[str]) -> int:
    """The number of last characters of ``text`` with which one of ``words`` begins."""
    return max(
        (
            size
            for word in words
            for size in range(1, min(len(word) - 1, len(text)) + 1)
            if text.endswith(word[:size])
        ),
        default=0,
    )
