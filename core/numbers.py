"""Numbers in sentences, as core and tui write them: shares, sizes and counts."""

from __future__ import annotations


def percent(share: float | None, decimals: int | None = None) -> str:
    """A share (0 to 1) as ``50 %``, ``4.2 %`` or ``0.03 %``: two digits at least, or ``decimals``.

    ``–`` where it is not known.
    """
    if share is None:
        return "–"
    value = 100 * share
    if decimals is None:
        decimals = 0 if value >= 9.95 or value == 0 else 1 if value >= 0.95 else 2
    return f"{value:.{decimals}f} %"


def share_in_digits(share: float) -> str:
    """Percent without the sign, with the digits that mean something: ``42``, ``3.1``, ``0``."""
    value = 100 * round(share, 4)  # as it is stored: what is read back is to look the same
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}".rstrip("0").rstrip(".")


def size_in_words(size: int) -> str:
    """Bytes as people read them: ``940 B``, ``1.2 kB``, ``34 MB``, ``1.1 GB``."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}" if size < 10 * unit else f"{size / unit:.0f} {name}"
    return f"{size} B"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun: ``1 tweet``, ``1,200 tweets``; ``many`` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
