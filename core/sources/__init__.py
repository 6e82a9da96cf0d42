"""Intake: every door a tweet can come through, each yielding canonical Polars batches."""

from __future__ import annotations

from core.sources.detect import detect, formats, open_source
from core.sources.encodings import encoding_names, encoding_title, read_encoding
from core.sources.mapping import read_map
from core.sources.model import (
    Account,
    BrokenLine,
    Detected,
    HandleCount,
    Source,
    SourceSummary,
    Tick,
)

__all__ = [
    "Account",
    "BrokenLine",
    "Detected",
    "HandleCount",
    "Source",
    "SourceSummary",
    "Tick",
    "detect",
    "encoding_names",
    "encoding_title",
    "formats",
    "open_source",
    "read_encoding",
    "read_map",
]
