"""How much of an epoch each account gets: what weights ask for, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOST_REPEATS: Final = 4


@dataclass(frozen=True)
class Share:
    """What an epoch shows of one account.

    tokens  of its tweets in the train part, end marks included
    times   how often an epoch shows each of them, on average
    needed  how often it would have to, for the share that was asked; above ``times`` where
            MOST_REPEATS is in the way
    shown   tokens an epoch shows, repeats included: ``tokens * times``
    share   of all tokens of an epoch, 0 to 1
    asked   the share that was asked for, 0 to 1
    """

    handle: str
    tokens: int
    times: float
    needed: float
    shown: float
    share: float
    asked: float

    @property
    def capped(self) -> bool:
        """Whether it gets less than was asked, because its tweets would be shown too often."""
        return self.needed > self.times


def needed_times(
    tokens: Mapping[str, int], weights: Mapping[str, float] | None = None
) -> dict[str, float]:
    """How often an epoch has to show each tweet of each account for shares of tokens in
    proportion to ``weights`` (1 where there is none); the largest for its weight once.

    times = weight * max(tokens / weight over all accounts) / tokens. Accounts without tokens are
    left out.
    """
    weight = {handle: (weights or {}).get(handle, 1.0) for handle, n in tokens.items() if n > 0}
    largest = max((tokens[handle] / weight[handle] for handle in weight), default=0.0)
    return {handle: weight[handle] * largest / tokens[handle] for handle in sorted(weight)}


def expected_shares(
    tokens: Mapping[str, int], weights: Mapping[str, float] | None = None
) -> list[Share]:
    """The shares of `epoch_order`, by handle, whatever order ``tokens`` come in.

    ``tokens`` is what each account has to learn from, end marks included: counted in a frozen
    dataset, or in a curation before freezing. Anything that stands for tokens will do, such as
    characters. Accounts with nothing to learn from are left out.
    """
    needed = needed_times(tokens, weights)
    asked = {handle: (weights or {}).get(handle, 1.0) for handle in needed}
    times = {handle: min(needed[handle], float(MOST_REPEATS)) for handle in needed}
    return _shares(tokens, times, needed, asked)


def classic_shares(tokens: Mapping[str, int], chars: Mapping[str, int]) -> list[Share]:
    """The shares of `classic_order`, by handle: each account is padded to the characters of the
    longest, without a limit, so that the terser one gets more tokens.

    An epoch is longer than that by one tweet an account at most.
    """
    times = needed_times({handle: n for handle, n in chars.items() if handle in tokens})
    return _shares(tokens, times, times, dict.fromkeys(times, 1.0))


def _shares(
    tokens: Mapping[str, int],
    times: Mapping[str, float],
    needed: Mapping[str, float],
    asked: Mapping[str, float],
) -> list[Share]:
    shown = {handle: tokens[handle] * times[handle] for handle in times}
    total, asked_in_all = sum(shown.values()), sum(asked.values())
    return [
        Share(
            handle=handle,
            tokens=tokens[handle],
            times=times[handle],
            needed=needed[handle],
            shown=shown[handle],
            share=shown[handle] / total,
            asked=asked[handle] / asked_in_all,
        )
        for handle in sorted(times)
    ]
