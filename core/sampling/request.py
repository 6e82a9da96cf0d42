"""What one asks of a model, and what comes back: plain values that cross the pipe as JSON."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple

from core.errors import WrongUsage
from core.models.generation import (
    MAX_TOKENS,
    MIN_P,
    REPETITION_PENALTY,
    TEMPERATURE,
    TOP_K,
    TOP_P,
)

# newline: the first line break, where the model learned tweets of one line each; stop_word: one of
# ``stops``; stopped: by the person
Stopped = Literal["eos", "newline", "length", "stop_word", "stopped"]
Verdict = Literal["new", "near", "verbatim", "unchecked"]

MOST_SAMPLES = 10_000
MOST_TOKENS = 1024
_LONGEST_PROMPT = 10_000  # characters
_MOST_WORDS = 1000  # banned or stop words
_LONGEST_WORD = 200  # characters
_MOST_SEEDS = 2**63


@dataclass(frozen=True)
class SampleRequest:
    """How to generate. Raises WrongUsage when a value makes no sense.

    prompt              how each sample begins; white space is made single, empty is allowed. Line
                        breaks stay, and are spaces to a model that learned tweets of one line
    n                   1 to 10,000 samples
    max_tokens          1 to 1024 tokens per sample, the prompt not counted
    temperature         0 takes the likeliest token each time; 1 is the model as it is
    top_p               in (0, 1]: the smallest set of likeliest tokens with that share of the mass
    top_k               only that many likeliest tokens; 0 is off
    seed                0 or more; sample i of a seed is the same however many are asked for.
                        None draws a seed, which every sample then reports
    reply_to            a tweet that each sample answers, of a run that has learned answers; the
                        prompt then begins the answer. Empty: none
    allow_copies        False draws a verbatim copy of a training tweet again (a bounded number of
                        times)
    min_p               in [0, 1]: only tokens at least that many times as likely as the likeliest
    repetition_penalty  above 0: logits of tokens that occurred are divided by it, or multiplied
                        when negative; 1 is off
    banned              words or phrases that no text may have, whole and in any case
    stops               a text ends before the first of these, to the letter
    probabilities       True: each sample says how likely the model held each of its tokens

    The order in which they work: ``core.sampling.decoding.draw``.
    """

    prompt: str = ""
    n: int = 10
    max_tokens: int = MAX_TOKENS
    temperature: float = TEMPERATURE
    top_p: float = TOP_P
    top_k: int = TOP_K
    seed: int | None = None
    allow_copies: bool = False
    min_p: float = MIN_P
    repetition_penalty: float = REPETITION_PENALTY
    banned: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    probabilities: bool = False
    reply_to: str = ""

    def __post_init__(self) -> None:
        for what, text in (("prompt", self.prompt), ("tweet to answer", self.reply_to)):
            if len(text) > _LONGEST_PROMPT:
                raise WrongUsage(
                    f"The {what} has {len(text):,} characters.",
                    f"At most {_LONGEST_PROMPT:,} can be taken.",
                    "Give the first words of a tweet.",
                )
        _in_range("The number of samples", self.n, 1, MOST_SAMPLES)
        _in_range("The number of tokens", self.max_tokens, 1, MOST_TOKENS)
        _in_range("Top-k", self.top_k, 0, None)
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise WrongUsage(
                f"The temperature cannot be {self.temperature}.",
                "It is a number of 0 or more.",
                "1 is the model as it is; 0 always takes the likeliest word.",
            )
        if not 0 < self.top_p <= 1:
            raise WrongUsage(
                f"Top-p cannot be {self.top_p}.",
                "It is a share above 0 and up to 1.",
                "1 switches it off; 0.95 is usual.",
            )
        if not 0 <= self.min_p <= 1:
            raise WrongUsage(
                f"Min-p cannot be {self.min_p}.",
                "It is a share from 0 to 1.",
                "0 switches it off; 0.05 is usual.",
            )
        if not (math.isfinite(self.repetition_penalty) and self.repetition_penalty > 0):
            raise WrongUsage(
                f"The repetition penalty cannot be {self.repetition_penalty}.",
                "It is a number above 0.",
                "1 switches it off; 1.1 is usual.",
            )
        if self.seed is not None:
            _in_range("The seed", self.seed, 0, _MOST_SEEDS - 1)
        lines = (" ".join(line.split()) for line in _text(self.prompt).splitlines())
        object.__setattr__(self, "prompt", "\n".join(filter(None, lines)))
        object.__setattr__(self, "reply_to", " ".join(_text(self.reply_to).split()))
        object.__setattr__(self, "banned", _words("banned", [w.strip() for w in self.banned]))
        object.__setattr__(self, "stops", _words("stop", self.stops))

    def seeded(self) -> SampleRequest:
        """The same request with a seed: its own, or a fresh one."""
        return self if self.seed is not None else replace(self, seed=secrets.randbelow(2**31))

    def to_json(self) -> dict[str, Any]:
        """The fields by name, as JSON has them; ``SampleRequest(**fields)`` is the same request."""
        fields = asdict(self) | {"banned": list(self.banned), "stops": list(self.stops)}
        if not self.reply_to:
            del fields["reply_to"]
        return fields


def _text(typed: str) -> str:
    """``typed`` without lone surrogates (half of a broken character from a command line)."""
    return typed.encode("utf-8", "replace").decode("utf-8")


def _words(kind: str, words: Iterable[str]) -> tuple[str, ...]:
    """Each word once; raises WrongUsage when one is empty or too long, or there are too many."""
    once = tuple(dict.fromkeys(_text(word) for word in words))
    if any(not word or len(word) > _LONGEST_WORD for word in once) or len(once) > _MOST_WORDS:
        raise WrongUsage(
            f"The {kind} words cannot be taken.",
            f"Each has 1 to {_LONGEST_WORD} characters, and there are {_MOST_WORDS:,} at most.",
        )
    return once


def _in_range(what: str, value: int, low: int, high: int | None) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        limits = f"{low} or more" if high is None else f"from {low} to {high:,}"
        raise WrongUsage(f"{what} cannot be {value}.", f"It is a whole number, {limits}.")


@dataclass(frozen=True)
class Copy:
    """What a sample shares with the training tweets.

    verdict   verbatim, near or new (``core.sampling.copies`` has the rules); unchecked when the
              training tweets are not at hand
    longest   words of the longest run shared with one training tweet
    tweet_id  of that tweet; None when nothing is shared
    share     part of the words of the text that one tweet covers, or two side by side, 0 to 1
    tweet_ids of these; none when nothing is covered
    shared    the covered words in the text: from which character to which
    """

    verdict: Verdict
    longest: int
    tweet_id: str | None
    share: float = 0.0
    tweet_ids: tuple[str, ...] = ()
    shared: tuple[tuple[int, int], ...] = ()

    @property
    def of_a_tweet(self) -> bool:
        """Whether the text is a training tweet, or nearly."""
        return self.verdict in ("verbatim", "near")

    def to_json(self) -> dict[str, Any]:
        """The fields by name, as JSON has them."""
        lists = {"tweet_ids": list(self.tweet_ids), "shared": [list(one) for one in self.shared]}
        return asdict(self) | lists


class TokenProbability(NamedTuple):
    """How likely the model held one token of a text, before any knob (at temperature 1).

    ``text`` is what the token adds, empty when the next ones complete it; the texts together are
    what was generated. ``rank`` is 1 for the likeliest token.
    """

    text: str
    probability: float
    rank: int


@dataclass(frozen=True)
class Sample:
    """One generated text, the prompt included.

    ``index`` counts from 0 in the request. ``tokens`` were generated and are in the text (neither
    the prompt nor the end mark). ``redrawn`` is how often an earlier draw was thrown away for being
    empty or a copy. With ``seed`` and the same settings the text can be made again.
    ``probabilities`` has one entry per token when the request asked for them. ``reply_to`` is the
    tweet that it answers, as it was cleaned, or empty.
    """

    index: int
    seed: int
    prompt: str
    text: str
    tokens: int
    stopped: Stopped
    copy: Copy
    redrawn: int
    probabilities: tuple[TokenProbability, ...] = ()
    reply_to: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah sample --json``, and index, seed and redrawn.

        ``probabilities``, lists of text, probability and rank, only when there are any; so
        ``reply_to``.
        """
        fields = asdict(self) | {"copy": self.copy.to_json()}
        if not self.reply_to:
            del fields["reply_to"]
        probabilities = [list(token) for token in fields.pop("probabilities")]
        return fields | ({"probabilities": probabilities} if probabilities else {})

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Sample:
        """What `to_json` gave, among other fields or not; raises ValueError for anything else."""
        import msgspec

        return msgspec.convert(fields, cls)


@dataclass(frozen=True)
class Ready:
    """The model is loaded: on which device, how large, in how many seconds.

    ``dtype`` is the arithmetic of its products: float32, bfloat16, float16 or int8.
    """

    event: ClassVar[str] = "ready"
    device: str
    dtype: str
    parameters: int
    seconds: float
    tweets: int | None  # training tweets in the copy check; None when there is none


@dataclass(frozen=True)
class Deltas:
    """New text at the end of some samples: (index, text) in order; the first holds the prompt."""

    event: ClassVar[str] = "deltas"
    items: list[tuple[int, str]]


@dataclass(frozen=True)
class Restarted:
    """Forget the text of this sample so far: it was empty or a copy, and is drawn again."""

    event: ClassVar[str] = "restarted"
    index: int
    reason: Literal["empty", "copy"]


@dataclass(frozen=True)
class Done:
    """A sample is complete. Its text is the sum of its deltas without white space at the ends."""

    event: ClassVar[str] = "done"
    sample: Sample

    @property
    def index(self) -> int:
        return self.sample.index

    @property
    def text(self) -> str:
        return self.sample.text

    @property
    def tokens(self) -> int:
        return self.sample.tokens

    @property
    def stopped(self) -> Stopped:
        return self.sample.stopped

    @property
    def copy(self) -> Copy:
        return self.sample.copy

    @property
    def redrawn(self) -> int:
        return self.sample.redrawn


@dataclass(frozen=True)
class Finished:
    """The request has ended. ``tokens`` counts every token drawn, thrown away or not."""

    event: ClassVar[str] = "finished"
    samples: int
    tokens: int
    seconds: float
    tokens_per_second: float


SampleEvent = Ready | Deltas | Restarted | Done | Finished
