"""What a person is told before SQL may change the corpus."""

from __future__ import annotations

from typing import Final

NO_UNDO: Final = (
    "What a statement deletes or overwrites is gone: there is no undo. Tweets come back only from "
    "the archive or the service they came from. To be safe, copy this file first:"
)
WHAT_STAYS: Final = (
    "mynah's own tables keep their columns, and no tweet can be there twice. Files, other "
    "databases, settings and extensions stay out of reach."
)
