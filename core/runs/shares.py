"""How much of a run each account gets: expected before it, measured while it learns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import WrongUsage

if TYPE_CHECKING:
    import polars as pl

    from core.curation.counts import AccountStats
    from core.dataset.shares import Share
    from core.runs.settings import TrainSettings


@dataclass(frozen=True)
class AuthorShare:
    """An account's part of the tokens of a run, 0 to 1; None while unknown."""

    expected: float | None
    measured: float | None

    def to_json(self) -> dict[str, float | None]:
        return {"expected": self.expected, "measured": self.measured}


def check_blend(settings: TrainSettings, weights: Mapping[str, float] | None) -> None:
    """Raises WrongUsage for weights where there can be none."""
    if weights and settings.blend == "classic":
        raise WrongUsage(
            f"The preset {settings.preset} has no weights.",
            "huggingtweets showed as many characters of each account.",
            "Choose the preset fast or quality, or leave the weights out.",
        )


def planned_shares(
    stats: Sequence[AccountStats],
    settings: TrainSettings,
    weights: Mapping[str, float] | None = None,
) -> list[Share]:
    """What an epoch would show of each account of a curation, before it is frozen.

    By tokens if every account's are counted, else characters and end marks stand for them. What is
    held out is taken off, the same part of each account.
    """
    learned = 1 - settings.valid_fraction
    counted = all(one.tokens is not None for one in stats)
    tokens = {
        one.handle: round(learned * ((one.tokens or 0) if counted else one.kept_chars + one.kept))
        for one in stats
    }
    chars = {one.handle: round(learned * one.kept_chars) for one in stats}
    return shares_of(tokens, chars, settings, weights)


def sizes_by_handle(train: pl.DataFrame, token_counts: Sequence[int] | None = None) -> pl.DataFrame:
    """Columns handle, tokens and chars: the sums of ``train`` (columns handle, text), or of a part.

    ``token_counts`` has one number a row, end mark included; without it, characters plus one stand
    for tokens.
    """
    import polars as pl

    chars = train["text"].str.len_chars().cast(pl.Int64)
    tokens = chars + 1 if token_counts is None else pl.Series(token_counts, dtype=pl.Int64)
    sizes = pl.DataFrame({"handle": train["handle"], "tokens": tokens, "chars": chars})
    return sizes.group_by("handle").agg(pl.col("tokens").sum(), pl.col("chars").sum())


def shares_of_sizes(
    sizes: Sequence[pl.DataFrame],
    settings: TrainSettings,
    weights: Mapping[str, float] | None = None,
) -> list[Share]:
    """`shares_of` a train part whose sizes were summed some rows at a time."""
    import polars as pl

    sums = pl.concat(sizes).group_by("handle").agg(pl.col("tokens").sum(), pl.col("chars").sum())
    return shares_of(
        dict(sums.select("handle", "tokens").rows()),
        dict(sums.select("handle", "chars").rows()),
        settings,
        weights,
    )


def shares_of(
    tokens: Mapping[str, int],
    chars: Mapping[str, int],
    settings: TrainSettings,
    weights: Mapping[str, float] | None = None,
) -> list[Share]:
    """What an epoch will show of each account, by its tokens (end marks included) and characters
    in the train part.
    """
    from core.dataset.shares import classic_shares, expected_shares

    if settings.blend == "classic":
        return classic_shares(tokens, chars)
    return expected_shares(tokens, weights)


def author_shares(handles: Sequence[str], expected: Any, tokens: Any) -> dict[str, AuthorShare]:
    """Expected shares beside the measured ones, which are ``tokens`` that were learned from.

    Both are numbers by handle as a run's files have them; what is damaged counts as unknown. One
    for each of ``handles``, the accounts of the run.
    """
    shares, counts = _numbers(expected), _numbers(tokens)
    total = sum(counts.values())
    return {
        handle: AuthorShare(shares.get(handle), counts.get(handle, 0) / total if total else None)
        for handle in handles
    }


def _numbers(found: Any) -> dict[str, float]:
    if not isinstance(found, dict):
        return {}
    return {
        str(handle): float(number)
        for handle, number in found.items()
        if isinstance(number, (int, float)) and math.isfinite(number)
    }
