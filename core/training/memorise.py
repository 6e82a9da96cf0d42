"""The memorisation curve: how much of its training tweets a model gives back word for word.

The model reads the first third of a tweet and continues it, always with the likeliest token. What
counts is the share of the word 4-, 5- and 6-grams of the true rest that stand in what it wrote,
over tweets that it learns from and over tweets that it never sees: people repeat themselves, so
only what the first share has more than the second is learned by heart. Held-out loss does not show
it: memorisation rises before that loss is at its best (Slack & Al Moubayed, arXiv 2510.11372, from
which the 4-6-gram score is).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.training.decode import continue_rows
from core.words import words

GRAMS: Final = (4, 5, 6)
# The tokens that are written for each tweet at most: room for about fourteen words.
MOST_TOKENS: Final = 20
# The largest share of a run's time that may go into this.
TIME_SHARE: Final = 0.05
# Tweets of each side: so many that one more given back by heart moves the share by a few percent.
_TWEETS: Final = {"cpu": 16, "cuda": 128}


@dataclass(frozen=True)
class Memorised:
    """``train`` and ``held_out`` are shares from 0 to 1, each over ``tweets`` tweets or fewer."""

    train: float
    held_out: float
    tweets: int

    @property
    def excess(self) -> float:
        """What is learned by heart: the share of the training tweets above that of the others."""
        return self.train - self.held_out


@dataclass(frozen=True)
class _Task:
    """A tweet in two: the ids that are read, the words that should follow, ids to write."""

    prompt: list[int]
    rest: list[str]
    length: int


class Memorisation:
    """The same tweets each time, so that two measures compare."""

    def __init__(
        self,
        train: Sequence[str],
        held_out: Sequence[str],
        tokenizer: Any,
        *,
        answered: tuple[Sequence[list[int]], Sequence[list[int]]] = ((), ()),
        separator: int,
        seed: int,
        context: int,
        device: Any,
    ) -> None:
        """Draws the tweets; those whose rest has less than four words say nothing. ``answered``
        has for those of each side what stands before them, as it was learned; empty: nothing.
        """
        self._tokenizer, self._separator, self._device = tokenizer, separator, device
        most = _TWEETS.get(device.type, _TWEETS["cpu"])
        self._sides = [
            self._draw(texts, before, most, context, random.Random(f"{seed}/memorisation/{side}"))  # noqa: S311
            for side, texts, before in (
                ("train", train, answered[0]),
                ("held out", held_out, answered[1]),
            )
        ]

    @property
    def possible(self) -> bool:
        """Whether there are tweets on both sides to measure with."""
        return all(self._sides)

    def measure(self, model: Any) -> Memorised:
        """One continuation for each tweet; ``model`` as it is, in whatever arithmetic is on."""
        train, held_out = self._sides
        written = continue_rows(
            model,
            [task.prompt for task in train + held_out],
            [task.length for task in train + held_out],
            likeliest,
            separator=self._separator,
            device=self._device,
        )
        texts = [self._tokenizer.decode(ids, skip_special_tokens=True) for ids in written]
        shares = [
            given_back(task.rest, words(text))
            for task, text in zip(train + held_out, texts, strict=True)
        ]
        return Memorised(
            _mean(shares[: len(train)]),
            _mean(shares[len(train) :]),
            max(len(train), len(held_out)),
        )

    def _draw(
        self,
        texts: Sequence[str],
        answered: Sequence[list[int]],
        most: int,
        context: int,
        rng: random.Random,
    ) -> list[_Task]:
        tasks: list[_Task] = []
        for number in rng.sample(range(len(texts)), len(texts)):
            if len(tasks) >= most:
                break
            first, rest = in_two(texts[number])
            if len(words(rest)) < GRAMS[0]:
                continue
            read, follow = (
                self._tokenizer(part, add_special_tokens=False, split_special_tokens=True)[
                    "input_ids"
                ]
                for part in (first, rest)
            )
            read = [*(answered[number] if answered else ()), *read]
            length = min(MOST_TOKENS, len(follow))
            if 1 + len(read) + length > context:
                continue
            # what is beyond the tokens that may be written cannot be given back
            reachable = self._tokenizer.decode(follow[:length], skip_special_tokens=True)
            wanted = words(reachable)
            if len(wanted) >= GRAMS[0]:
                tasks.append(_Task([self._separator, *read], wanted, length))
        return tasks


def in_two(text: str) -> tuple[str, str]:
    """The first third of ``text`` and the rest, which begins with the space between the words.

    Cut before the first space at or after a third; exactly there in texts without such a space.
    """
    third = max(len(text) // 3, 1)
    space = text.find(" ", third)
    at = third if space < 0 else space
    return text[:at], text[at:]


def given_back(wanted: Sequence[str], written: Sequence[str]) -> float:
    """The share of the different 4-, 5- and 6-grams of ``wanted`` that stand in ``written``, 0 to
    1: the mean over those sizes that ``wanted`` has room for.
    """
    shares = []
    for size in GRAMS:
        of_rest = _grams(wanted, size)
        if of_rest:
            shares.append(len(of_rest & _grams(written, size)) / len(of_rest))
    return _mean(shares)


def likeliest(logits: Any) -> Any:
    """The id of the largest logit of each row, of shape (rows, 1)."""
    return logits.argmax(dim=-1, keepdim=True)


def _grams(text: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(text[at : at + size]) for at in range(len(text) - size + 1)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


class Allowance:
    """Keeps what is spent on the measure within TIME_SHARE of a run's time."""

    def __init__(self, parameters: int, device_type: str) -> None:
        self.spent = 0.0
        # about what 32 rows of 20 tokens take, until it has been measured
        self.cost = parameters / (3e7 if device_type == "cpu" else 3e9) + 0.2
        """Seconds that the last measure took; a guess before the first."""

    def add(self, seconds: float) -> None:
        """Another measure took ``seconds``."""
        self.spent += seconds
        self.cost = seconds

    def enough(self, run_seconds: float | None, *, last: bool = False) -> bool:
        """Whether a measure now fits in a run of ``run_seconds`` in all (None: not known yet, so
        that it does not). But for the ``last`` one, time for one more is kept back.
        """
        if run_seconds is None:
            return False
        return self.spent + self.cost * (1 if last else 2) <= TIME_SHARE * run_seconds
