"""huggingtweets' own semantics in plain Python, one tweet at a time: what `classic` must equal.

Written from a description of borisdayma/huggingtweets (huggingtweets-demo.ipynb): fix_text,
clean_tweet, boring_tweet, the size gates, and the blend of several accounts over four epochs.
"""

from __future__ import annotations

import random
import re

SEPARATOR = "<|endoftext|>"


def unescape(text: str) -> str:
    """Three replacements in this order, so that &amp;lt; ends as <."""
    return text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")


def clean(text: str, *, allow_new_lines: bool = False) -> str:
    """Links out, spaces evened, line breaks folded."""
    for prefix in ("http:", "https:"):
        text = re.sub(rf" {prefix}\S+", "", text)
        text = re.sub(rf"{prefix}\S+ ", "", text)
        text = re.sub(rf"\n{prefix}\S+ ", "", text)
        text = re.sub(rf"\n{prefix}\S+", "", text)
        text = re.sub(rf"{prefix}\S+", "", text)
    text = re.sub(" +", " ", text)
    if not allow_new_lines:
        text = " ".join(text.split())
    return text.strip()


def is_boring(text: str, least: int = 3) -> bool:
    """Fewer than three words without http, @ or # in them."""
    words = [w for w in text.split() if not any(mark in w.lower() for mark in ("http", "@", "#"))]
    return len(words) < least


def curate(texts: list[str]) -> list[tuple[str, bool]]:
    """Cleaned text and whether it is kept, for texts that are not retweets."""
    cleaned = [clean(unescape(text)) for text in texts]
    return [(text, not is_boring(text)) for text in cleaned]


def size(kept: list[str]) -> int:
    """The measure of the two size gates (6,000 and 40,000)."""
    return len(SEPARATOR.join(kept))


def blend(accounts: list[list[str]], seed: int, epochs: int = 4) -> str:
    """The training file: padding happens in the first epoch only and stays."""
    rng = random.Random(seed)
    accounts = [list(tweets) for tweets in accounts]
    longest = max(len("".join(tweets)) for tweets in accounts)
    out: list[str] = []
    for _ in range(epochs):
        for tweets in accounts:
            rng.shuffle(tweets)
            length = len("".join(tweets))
            for tweet in tweets:  # the list grows while it is walked
                if length >= longest:
                    break
                tweets.append(tweet)
                length += len(tweet)
            rng.shuffle(tweets)
            out += tweets
    return SEPARATOR + SEPARATOR.join(out) + SEPARATOR
