"""Numbers in sentences, as core and tui write them: shares and sizes."""

from __future__ import annotations


def percent(share: float, decimals: int = 0) -> str:
    """A share (0 to 1) as ``12 %``, or ``12.5 %`` with one decimal."""
    return f"{100 * share:.{decimals}f} %"


def size_in_words(size: int) -> str:
    """Bytes as people read them: ``940 B``, ``1.2 kB``, ``34 MB``, ``1.1 GB``."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}" if size < 10 * unit else f"{size / unit:.0f} {name}"
    return f"{size} B"
