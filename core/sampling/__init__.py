"""Generating text with a fine-tuned model, and telling copies from new sentences.

Importing this loads neither torch nor transformers: they live in the child process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.sampling.client import Sampler, sample
from core.sampling.favourites import Favourite, drop_favourite, favourites, keep_favourite
from core.sampling.request import (
    Copy,
    Deltas,
    Done,
    Finished,
    Ready,
    Restarted,
    Sample,
    SampleEvent,
    SampleRequest,
)

if TYPE_CHECKING:
    from core.sampling.copies import CopyIndex

__all__ = [
    "Copy",
    "CopyIndex",
    "Deltas",
    "Done",
    "Favourite",
    "Finished",
    "Ready",
    "Restarted",
    "Sample",
    "SampleEvent",
    "SampleRequest",
    "Sampler",
    "drop_favourite",
    "favourites",
    "keep_favourite",
    "sample",
]


def __getattr__(name: str) -> Any:
    if name == "CopyIndex":  # needs numpy, which most who import this do not
        from core.sampling.copies import CopyIndex

        return CopyIndex
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
