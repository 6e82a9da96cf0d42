"""What a blend of several accounts comes to, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from core.numbers import percent
from core.safe_text import printable

if TYPE_CHECKING:
    from core.dataset.shares import Share
    from core.runs.shares import AuthorShare

# Up to so many accounts are named one by one.
FEW: Final = 4


def times(share: Share) -> str:
    """``×1.8`` for tweets that an epoch shows more than once; empty for the others."""
    return f"×{share.times:.1f}" if share.times > 1.05 else ""


def who_learns(shares: Iterable[Share]) -> list[str]:
    """``@a 50 %`` and ``@b 50 % (×1.8)``; of many accounts the largest shares."""
    ordered = sorted(shares, key=lambda share: -share.share)
    rest = len(ordered) - FEW
    return [
        *(_one_who_learns(share) for share in ordered[:FEW]),
        *([f"and {rest} more"] if rest > 0 else []),
    ]


def in_lines(items: Sequence[str], width: int) -> str:
    """``items`` with commas, in lines of ``width`` cells that break between items only."""
    from rich.cells import cell_len

    lines = [""]
    for item in [item + "," for item in items[:-1]] + list(items[-1:]):
        joined = f"{lines[-1]} {item}".lstrip()
        if lines[-1] and cell_len(joined) > width:
            lines.append(item)
        else:
            lines[-1] = joined
    return "\n".join(lines)


def facts_in_lines(facts: Sequence[str], width: int) -> list[str]:
    """The same, with each sentence among them on a line of its own behind the rest."""
    sentences = [fact for fact in facts if fact.endswith(".")]
    return [
        *in_lines([fact for fact in facts if fact not in sentences], width).splitlines(),
        *sentences,
    ]


def _one_who_learns(share: Share) -> str:
    notes = [times(share)] if times(share) else []
    if share.capped:
        notes.append(f"▲ not {percent(share.asked)}")
    shown = f"@{printable(share.handle)} {percent(share.share)}"
    return f"{shown} ({', '.join(notes)})" if notes else shown


def expected_sentences(shares: list[Share], *, counted: bool = True) -> list[str]:
    """What an epoch will show of each account; nothing to say of a single one.

    ``counted``: in tokens; else in characters, which stand for them.
    """
    if len(shares) < 2:
        return []
    by = "" if counted else " by characters"
    parts = [f"expected{by}: " + ", ".join(f"@{one.handle} {percent(one.share)}" for one in shares)]
    parts += [
        f"each tweet of @{one.handle} shown {one.times:.1f} times per epoch"
        for one in shares
        if times(one) and not one.capped
    ]
    return [", ".join(parts), *(capped(one) for one in shares if one.capped)]


def capped(share: Share) -> str:
    """Why an account gets less than was asked for."""
    return (
        f"@{share.handle} is too small for {percent(share.asked)}: each of its tweets would be "
        f"shown {share.needed:.1f} times per epoch, and {share.times:.0f} is the most."
    )


def shares_so_far(shares: Mapping[str, AuthorShare]) -> str:
    """What a run has learned from beside what was expected; empty for a single account.

    ``33/33/34 % (plan 33/34/33)`` in the order of the accounts; of many accounts how far the
    farthest is off.
    """
    measured = [one.measured for one in shares.values() if one.measured is not None]
    expected = [one.expected for one in shares.values() if one.expected is not None]
    if len(shares) < 2 or len(expected) < len(shares):
        return ""
    if len(shares) <= FEW and len(measured) == len(shares):
        return f"{_together(measured)} (plan {_together(expected).removesuffix(' %')})"
    if len(shares) <= FEW:
        return f"plan {_together(expected)}"
    if len(measured) < len(shares):
        return ""
    worst = max(abs(one - other) for one, other in zip(measured, expected, strict=True))
    return f"within {100 * worst:.1f} points of the plan"


def short_shares(shares: Mapping[str, AuthorShare]) -> str:
    """``33/33/34 %`` in the order of the accounts, once measured; empty for many accounts."""
    measured = [one.measured for one in shares.values() if one.measured is not None]
    return _together(measured) if 1 < len(shares) == len(measured) <= FEW else ""


def _together(shares: Iterable[float]) -> str:
    return "/".join(f"{100 * share:.0f}" for share in shares) + " %"
