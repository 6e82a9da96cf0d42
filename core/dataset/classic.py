"""The blend of huggingtweets, exact, with its quirks. Source: huggingtweets-demo.ipynb of
borisdayma/huggingtweets.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from core.dataset.blend import SEPARATOR


def classic_order(lengths: Sequence[Sequence[int]], seed: int, epochs: int = 4) -> list[int]:
    """Tweets in the order in which huggingtweets wrote them into its training text.

    ``lengths`` has the characters of each tweet of each account; accounts come in the order in
    which they were entered: it matters. The tweets are numbered through all accounts, from 0.
    Shorter accounts are padded, by characters, with their own tweets to the length of the longest,
    in the first epoch only, and the padding stays; accounts follow one another within an epoch.
    """
    rng = random.Random(seed)  # noqa: S311  # repeatable on purpose, nothing secret
    flat = [length for own in lengths for length in own]
    growing: list[list[int]] = []
    for own in lengths:
        first = sum(map(len, growing))
        growing.append(list(range(first, first + len(own))))
    epoch_length = max((sum(own) for own in lengths), default=0)
    shown: list[int] = []
    for _ in range(epochs):
        for tweets in growing:
            rng.shuffle(tweets)
            length = sum(flat[tweet] for tweet in tweets)
            following = 0
            # An account without a single character would be padded for ever.
            while 0 < length < epoch_length:
                tweets.append(tweets[following])
                length += flat[tweets[following]]
                following += 1
            rng.shuffle(tweets)
            shown += tweets
    return shown


def classic_text(accounts: Sequence[Sequence[str]], seed: int, epochs: int = 4) -> str:
    """The training text exactly as huggingtweets made it from the kept tweets of each account.

    The tweets come as in `classic_order`, with ``<|endoftext|>`` between them and one at each end.
    """
    order = classic_order([list(map(len, tweets)) for tweets in accounts], seed, epochs)
    texts = [text for tweets in accounts for text in tweets]
    return SEPARATOR + SEPARATOR.join(texts[tweet] for tweet in order) + SEPARATOR
