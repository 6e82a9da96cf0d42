"""What rank 0 tells the other processes of a run before the first step."""

from __future__ import annotations

import msgspec

from core.runs.record import Decisions


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """What the others need to hold the same model as rank 0.

    ``vocabulary`` and ``separator``: of the tokenizer, for a model from nothing. ``checkpoint``:
    the name of its folder; empty at the beginning. ``frozen_sum``: of what does not learn.
    """

    version: str
    decisions: Decisions
    vocabulary: int
    separator: int
    checkpoint: str
    parameters: int
    frozen_sum: float
