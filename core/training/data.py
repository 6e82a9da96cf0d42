"""From texts to token ids, rows, and the batches of each step; see `tweets` for those of a run."""

from __future__ import annotations

import itertools
import random
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from core.errors import InputRefused

IGNORE: Final = -100
PAD_TO: Final = 8
_POOL: Final = 512

Row = list[int]
"""Ids of which each but the last is read and each but the first is predicted.

The ids of a tweet that is answered follow the first one as their complements (``~id``, below 0):
those are read and not predicted.
"""


class Batch(NamedTuple):
    """The rows of one step, and how many of the tokens they predict are whose: by author."""

    rows: list[Row]
    tokens: dict[int, int]


@dataclass(frozen=True)
class TweetRows:
    """The rows of each tweet (one, unless it is long), and what they are made of."""

    rows: list[list[Row]]
    tokens: list[int]
    """Predicted tokens of each tweet: its own and the end mark."""
    bytes: list[int]
    """UTF-8 bytes of each tweet, plus one for the end mark."""

    @property
    def total_tokens(self) -> int:
        return sum(self.tokens)


def prepare(
    texts: Sequence[str],
    tokenizer: Any,
    *,
    separator: int,
    row_tokens: int,
    answered: Sequence[Row] = (),
) -> TweetRows:
    """Each text as ``separator text separator``, cut into rows of at most ``row_tokens``.

    A cut row begins with the last id of the one before, so that each id is predicted once.
    ``answered`` has for each text the ids that stand before it and are only read (none of most);
    they stand in the first of its rows.
    A mark such as ``<|endoftext|>`` written out in a tweet is read as the letters that it is made
    of: a tweet cannot end itself.
    """
    if not texts:
        return TweetRows([], [], [])
    encoded = tokenizer(
        list(texts), add_special_tokens=False, truncation=False, split_special_tokens=True
    )["input_ids"]
    rows = []
    for before, ids in itertools.zip_longest(answered, encoded, fillvalue=()):
        whole = [separator, *(~one for one in before), *ids, separator]
        # a row of what is only read teaches nothing
        rows.append([row for row in cut(whole, row_tokens) if row[-1] >= 0])
    return TweetRows(
        rows,
        [sum(predicted(row) for row in own) for own in rows],
        [len(text.encode("utf-8", "replace")) + 1 for text in texts],
    )


def cut(ids: Row, row_tokens: int) -> list[Row]:
    """``ids`` in rows that predict at most ``row_tokens`` each, overlapping by one id."""
    return [ids[at : at + row_tokens + 1] for at in range(0, len(ids) - 1, row_tokens)]


def predicted(row: Row) -> int:
    """How many of the ids of ``row`` are predicted."""
    at = 1
    while row[at] < 0:  # the last never is
        at += 1
    return len(row) - at


def rows_within(context: int, row_tokens: int) -> int:
    """``row_tokens``, or what a model of ``context`` positions can read, padding included.

    Raises InputRefused for a model that reads next to nothing.
    """
    if context < 2 * PAD_TO:
        raise InputRefused(
            f"This base reads {context} tokens at most.", "A tweet is longer.", "Use another base."
        )
    return min(row_tokens, context // PAD_TO * PAD_TO)


def padded_width(row: Row) -> int:
    """How many ids wide a batch is whose longest row is ``row``."""
    return -(-(len(row) - 1) // PAD_TO) * PAD_TO


def batches(rows: Sequence[Row], batch_tokens: int, rng: random.Random) -> list[list[Row]]:
    """``rows``, each once, in batches of similar length and at most ``batch_tokens`` ids.

    Rows are sorted by length within pools of 512 neighbours, so padding is small and the order
    still decides what comes early; the batches of a pool are shuffled. A row that is wider than
    ``batch_tokens`` is a batch by itself.
    """
    return [[rows[number] for number in group] for group in _groups(rows, batch_tokens, rng)]


def _groups(rows: Sequence[Row], batch_tokens: int, rng: random.Random) -> list[list[int]]:
    """`batches`, as numbers of rows."""
    out: list[list[int]] = []
    for start in range(0, len(rows), _POOL):
        pool = range(start, min(start + _POOL, len(rows)))
        groups: list[list[int]] = []
        for number in sorted(pool, key=lambda number: len(rows[number])):
            width = padded_width(rows[number])
            if groups and width * (len(groups[-1]) + 1) <= batch_tokens:
                groups[-1].append(number)
            else:
                groups.append([number])
        rng.shuffle(groups)
        out += groups
    return out


def padded_rows(rows: int, width: int, batch_tokens: int) -> int:
    """As many rows as a full batch of ``width`` has, or the smallest half, quarter, ... of that
    with room for ``rows``: few different shapes come of any batches.
    """
    size = max(rows, batch_tokens // width)
    while size // 2 >= rows:
        size //= 2
    return size


def tensors(batch: Sequence[Row], device: Any, *, batch_tokens: int = 0) -> tuple[Any, Any]:
    """Inputs and targets of a batch, int64 of shape (rows, width); padding targets are IGNORE.

    Padding stands at the right, where causal attention never looks back from, so no mask is
    needed and the fast attention kernels apply. What is only read has the target IGNORE, too.
    ``batch_tokens``, if not 0, adds rows of padding (see `padded_rows`). On a CUDA device the copy
    is not waited for.
    """
    import torch

    width = max(padded_width(row) for row in batch)
    more = padded_rows(len(batch), width, batch_tokens) - len(batch) if batch_tokens else 0
    inputs = [row[:-1] + [0] * (width + 1 - len(row)) for row in batch]
    targets = [row[1:] + [IGNORE] * (width + 1 - len(row)) for row in batch]
    both = [inputs + [[0] * width] * more, targets + [[IGNORE] * width] * more]
    on_cuda = torch.device(device).type == "cuda"
    # from pinned memory, which PyTorch keeps until the copy is made
    ids = torch.tensor(both, dtype=torch.long, pin_memory=on_cuda).to(device, non_blocking=on_cuda)
    if any(row[0] < 0 or row[1] < 0 for row in batch):
        return torch.where(ids[0] < 0, ~ids[0], ids[0]), ids[1].masked_fill(ids[1] < 0, IGNORE)
    return ids[0], ids[1]


@dataclass(frozen=True)
class EpochPlan:
    """What an epoch is made of: its tweets in order, packed as the settings say.

    ``authors`` has a number for whoever wrote each tweet; empty: one author, 0. ``whole_blocks``:
    blocks of ``row_tokens`` ids side by side, of which the first is only read, and without the
    last one if it is not whole, as the TextDataset of transformers cut them for huggingtweets;
    else each block predicts ``row_tokens`` ids and none is left out.
    """

    tweets: TweetRows
    seed: int
    batch_tokens: int
    row_tokens: int
    packing: str = "tweets"
    authors: Sequence[int] = ()
    whole_blocks: bool = False

    def batches(self, epoch: int, order: Sequence[int]) -> list[Batch]:
        """The batches of epoch number ``epoch`` (from 0), whose tweets come as in ``order``."""
        rng = random.Random(f"{self.seed}/{epoch}/batches")  # noqa: S311 - repeatable on purpose
        if self.packing == "tweets":
            return self._of_tweets(order, rng)
        blocks = self._blocks(order)
        rng.shuffle(blocks)
        return blocks

    def _author(self, tweet: int) -> int:
        return self.authors[tweet] if self.authors else 0

    def _of_tweets(self, order: Sequence[int], rng: random.Random) -> list[Batch]:
        rows: list[Row] = []
        authors: list[int] = []
        for tweet in order:
            rows += self.tweets.rows[tweet]
            authors += [self._author(tweet)] * len(self.tweets.rows[tweet])
        made = []
        for group in _groups(rows, self.batch_tokens, rng):
            tokens: Counter[int] = Counter()
            for number in group:
                tokens[authors[number]] += predicted(rows[number])
            made.append(Batch([rows[number] for number in group], dict(tokens)))
        return made

    def _blocks(self, order: Sequence[int]) -> list[Batch]:
        stream: Row = []
        # of each id that is predicted, which is each but the first
        authors = array("i")
        for tweet in order:
            for row in self.tweets.rows[tweet]:
                # each row begins with the id that ended the one before: the mark, or an overlap
                stream += row[1:] if stream else row
                authors.extend([self._author(tweet)] * (len(row) - 1))
        if self.whole_blocks:
            size = self.row_tokens
            starts = range(0, len(stream) - size + 1, size)
            # a text of less than a block was refused by huggingtweets' size gate
            blocks = [(at, stream[at : at + size]) for at in starts] or [(0, stream)]
        else:
            blocks = list(zip(itertools.count(0, self.row_tokens), cut(stream, self.row_tokens)))
        return [Batch([row], dict(Counter(authors[at : at + len(row) - 1]))) for at, row in blocks]
