"""Walking through what was typed before, with what is being typed now behind the newest."""

from __future__ import annotations

from collections.abc import Sequence


class PastTexts:
    """Steps through ``past`` (oldest first); behind the newest waits what was being typed."""

    def __init__(self, past: Sequence[str], draft: str) -> None:
        self._past = past
        self._draft = draft
        self._at = len(past)
        if past and past[-1] == draft.strip():
            self._at -= 1  # what stands there is the newest one

    def step(self, by: int) -> str | None:
        """The text ``by`` steps on, or None when there is none in that direction."""
        to = max(0, min(self._at + by, len(self._past)))
        if to == self._at:
            return None
        self._at = to
        return self._draft if to == len(self._past) else self._past[to]
