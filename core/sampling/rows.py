"""One sample while it grows: its random numbers, its text, and what becomes of it at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import torch

from core.sampling.decoding.banned import BannedWords
from core.sampling.decoding.draw import draw
from core.sampling.request import (
    Copy,
    Done,
    Restarted,
    Sample,
    SampleRequest,
    Stopped,
    TokenProbability,
)
from core.sampling.text_stream import TextStream

MOST_REDRAWS: Final = 5

CheckCopy = Callable[[str, str], Copy]


@dataclass
class Row:
    """``ids`` of the prompt and of what was generated; ``tokens`` counts the latter."""

    request: SampleRequest
    index: int
    redrawn: int
    stream: TextStream
    ids: list[int]
    tokens: int = 0
    probabilities: list[TokenProbability] = field(default_factory=list)
    _uniforms: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)

    def __post_init__(self) -> None:
        # Numbers of its own: they depend on the seed, its index and how often it was drawn.
        random = np.random.default_rng([self.request.seed or 0, self.index, self.redrawn])
        self._uniforms = random.random(self.request.max_tokens)

    @property
    def uniform(self) -> float:
        """The number in [0, 1) that the next token is drawn with."""
        return float(self._uniforms[self.tokens])

    def allowed(
        self, token: int, logits: torch.Tensor, banned: BannedWords, stops: frozenset[int]
    ) -> int:
        """``token``, or another of ``logits`` (vocabulary,) when it completes a banned word.

        Drawn with fresh numbers from all tokens but those refused, which is the distribution given
        that the token is allowed. The fresh numbers depend on seed, index and place alone.
        """
        fresh: np.random.Generator | None = None
        while token not in stops:
            before, piece = self.stream.peek(token)
            if not banned.completed_by(self.request.prompt + before, piece):
                break
            if fresh is None:
                fresh = np.random.default_rng(
                    [self.request.seed or 0, self.index, self.redrawn, self.tokens]
                )
                logits = logits.clone()
            logits[token] = -torch.inf
            uniform = torch.tensor([fresh.random()], dtype=torch.float64, device=logits.device)
            token = int(drawn(logits[None], uniform, self.request)[0])
        return token

    def push(self, token: int) -> str:
        """Adds a token; the text that it completes."""
        self.tokens += 1
        self.ids.append(token)
        return self.stream.push(token)

    def ended(self, room: int) -> Stopped | None:
        """Why the text is over, of at most ``room`` tokens; None while it is not."""
        end = self.stream.ended_by
        if end is None:
            return "length" if self.tokens == room else None
        return "stop_word" if end in self.request.stops else "newline"

    def close(self, stopped: Stopped, check: CheckCopy) -> Done | Restarted | None:
        """What becomes of it; None when it was stopped before it said anything."""
        request = self.request
        empty = not self.stream.text.strip()
        if empty and stopped == "stopped":
            return None
        text = (request.prompt + self.stream.text).strip()
        copy = check(text, request.prompt)
        again = stopped != "stopped" and request.temperature > 0 and self.redrawn < MOST_REDRAWS
        reason: Literal["empty", "copy"] | None = None
        if empty:
            reason = "empty"
        elif copy.verdict == "verbatim" and not request.allow_copies:
            reason = "copy"
        if again and reason:
            return Restarted(self.index, reason)
        return Done(
            Sample(
                index=self.index,
                seed=request.seed or 0,
                prompt=request.prompt,
                text=text,
                tokens=self.tokens,
                stopped=stopped,
                copy=copy,
                redrawn=self.redrawn,
                probabilities=tuple(self.probabilities),
                reply_to=request.reply_to,
            )
        )


def drawn(logits: torch.Tensor, uniforms: torch.Tensor, request: SampleRequest) -> torch.Tensor:
    """Token ids (rows,) by the knobs of ``request``."""
    return draw(
        logits,
        uniforms,
        temperature=request.temperature,
        top_k=request.top_k,
        top_p=request.top_p,
        min_p=request.min_p,
    )
