"""Token ids turned into text as they come: whole characters only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_BROKEN = "\ufffd"  # what a decoder gives for bytes that are no whole character (yet)


class TextStream:
    """The text of one sample while it grows.

    A byte-level token may be half an emoji, and some tokenizers put a space only between tokens;
    so new text is what a short window of tokens decodes to, less what its beginning decodes to,
    and it is held back while it ends in a broken character. Unless ``lines`` are kept, the text
    ends at the first line break.
    """

    def __init__(
        self, decode: Callable[[list[int]], str], prompt_ids: Sequence[int], *, lines: bool = False
    ) -> None:
        self._decode = decode
        self._lines = lines
        self._ids = list(prompt_ids)
        self._window = 0
        self._read = len(self._ids)
        self._begun = len(prompt_ids) > 0 and bool(decode(self._ids))
        self.text = ""
        self.line_ended = False

    def push(self, token: int) -> str:
        """The text that ``token`` completes; often empty. ``line_ended`` tells of a line break."""
        self._ids.append(token)
        fresh = self._fresh()
        if not fresh or fresh.endswith(_BROKEN):
            return ""
        self._window, self._read = self._read, len(self._ids)
        return self._take(fresh)

    def flush(self) -> str:
        """What was held back, without the broken character at its end."""
        fresh = self._fresh().rstrip(_BROKEN)
        self._read = len(self._ids)
        return self._take(fresh)

    def _fresh(self) -> str:
        known = self._decode(self._ids[self._window : self._read])
        return self._decode(self._ids[self._window :])[len(known) :]

    def _take(self, fresh: str) -> str:
        if self.line_ended:
            return ""
        if not self._lines:
            fresh, line_break, _ = fresh.partition("\n")
            self.line_ended = bool(line_break)
        if not self._begun:
            fresh = fresh.lstrip()
        self._begun = self._begun or bool(fresh)
        self.text += fresh
        return fresh
