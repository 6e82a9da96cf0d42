"""The settings of a run, the request to start one, and the presets with their defaults."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from core.errors import WrongUsage

if TYPE_CHECKING:
    from core.curation.recipe import Recipe

Method = Literal["lora", "full"]
Packing = Literal["tweets", "blocks"]
Blend = Literal["even", "classic"]
Arithmetic = Literal["auto", "float32"]
Schedule = Literal["linear", "cosine"]

DEVICES: Final = ("auto", "cpu", "cuda", "mps")
PRESETS: Final = ("fast", "quality", "classic", "faithful")
# Bases that know nothing yet: every weight has to learn.
FROM_NOTHING: Final = ("scratch", "gpt2-shape")


@dataclass(frozen=True)
class TrainSettings:
    """Everything that shapes a run, besides the tweets. It is written into run.json.

    base, preset    names
    method          "lora": small matrices beside the frozen weights, merged at the end;
                    "full": every weight
    epochs          passes over the training tweets at most; may be a fraction
    minutes         wall time at most, from the start of the training process to its end, without
                    the one-time conversion or download of a base; None: no limit
    max_steps       optimiser steps at most; None: no limit
    lr              highest learning rate; it rises over ``warmup`` and falls to 0
    seed            of the held-out split, the order, the adapters and the samples
    device          "auto", "cpu", "cuda" or "mps"
    batch_tokens    tokens a step at most, padding included; 0: what suits the device
    row_tokens      longer tweets are cut into rows of so many tokens
    packing         "tweets": one tweet a row, each from its start;
                    "blocks": one stream of tweets cut every ``row_tokens``, a block a step
    blend           "even": weights by tokens, accounts interleaved, a fresh draw each epoch;
                    "classic": the text of huggingtweets, all epochs in one, accounts in the order
                    they were named in, cut in blocks side by side, what is left over dropped
    warmup          share of the run
    schedule        how the rate falls: "linear", in a straight line; "cosine", as half a cosine
    beta2           AdamW's second decay; the first is 0.9
    clip            largest norm of the gradient
    lora_rank, lora_alpha   the update of a matrix W is (alpha / rank) B A
    lora_layers     share of the model's layers, counted from the head down, whose matrices have
                    such an update; a step's way back ends at the lowest of them
    base_dropout    whether the dropout that the base declares is on while it learns
    four_bit        whether the matrices of the base are held in 4 bits while adapters learn beside
                    them, in a quarter of the memory; what is learned belongs to the rounded ones
    arithmetic      "auto": what the device is fastest in; "float32": nothing shorter, anywhere
    valid_fraction  share of tweets held out; 0: none, so that nothing is measured on such tweets
    eval_tokens     held-out tokens measured each time, always the same; 0: what the device can
                    read in about two seconds
    eval_seconds    between two measurements; 0: a quarter of ``minutes``, 20 to 120
    checkpoint_seconds      between two checkpoints
    max_memorised   ends the run, at the weights it had before, once it gives back so much more of
                    its training tweets than of held-out ones (0 to 1); None: no limit
    answers         whether a tweet that answers somebody else's is learned as the answer to it,
                    where that is in the corpus; the others are learned by themselves
    nproc           processes on this machine that share each step, each with a core or GPU its own
    keep_best       whether a run that gets worse on the held-out tweets goes back to where it was
                    best, and ends when that goes on
    """

    base: str
    preset: str = "fast"
    method: Method = "lora"
    epochs: float = 1.5
    minutes: float | None = None
    max_steps: int | None = None
    lr: float = 2e-3
    seed: int = 1
    device: str = "auto"
    batch_tokens: int = 0
    row_tokens: int = 256
    packing: Packing = "tweets"
    blend: Blend = "even"
    warmup: float = 0.05
    schedule: Schedule = "linear"
    beta2: float = 0.99
    weight_decay: float = 0.0
    clip: float = 1.0
    lora_rank: int = 64
    lora_alpha: int = 64
    lora_layers: float = 1.0
    base_dropout: bool = False
    four_bit: bool = False
    arithmetic: Arithmetic = "auto"
    valid_fraction: float = 0.1
    eval_tokens: int = 0
    eval_seconds: float = 0.0
    checkpoint_seconds: float = 60.0
    keep_best: bool = True
    max_memorised: float | None = None
    nproc: int = 1
    answers: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> TrainSettings:
        """Reads what `to_json` gave; fields that this version does not know are left out.

        Raises ValueError for a value of another type than it should be.
        """
        import msgspec

        # runs of before there was a choice, which resume as they began
        return msgspec.convert({"schedule": "cosine", **content}, cls)

    def adapted_layers(self, layers: int) -> int:
        """How many of a model's ``layers`` have adapters, the uppermost ones; at least one."""
        return max(1, round(self.lora_layers * layers))


# Of a run with nothing held out.
NOTHING_HELD_OUT: Final = (
    "No tweet is held out, so there is no held-out loss and no memorisation curve. The run does "
    "not end early, and its model is that of its last step."
)

# What huggingtweets did (notebook, version 0.6): every weight, 4 epochs at 1.372e-4 with a cosine
# to 0 and no warm-up, blocks of 1,024 tokens, one a step, AdamW as it comes, and its very training
# text. On purpose not the same: dropout is off, and 10 % of the tweets are held out.
_CLASSIC: Final[dict[str, Any]] = {
    "method": "full",
    "lr": 1.372e-4,
    "epochs": 4.0,
    "row_tokens": 1024,
    "packing": "blocks",
    "blend": "classic",
    "warmup": 0.0,
    "schedule": "cosine",
    "beta2": 0.999,
    "keep_best": False,
}
_PRESETS: Final[dict[str, dict[str, Any]]] = {
    # Adapters at a high rate and small steps: most of what a minute or two can teach. On 660 tweets
    # SmolLM2's held-out loss fell from 5.24 to 3.67 in 1.5 epochs of this; 4 of them gave 4.30.
    # Adapters in the upper half of the layers alone, at 3e-3, take two thirds of the time a token
    # and are ahead for the first 10,000 tokens (0.03 to 0.11 nats on four accounts); after 20,000
    # they are behind by 0.12.
    "fast": {},
    # Half the rate and a little longer: 3.64 on the same tweets. More epochs made it worse (3.73
    # after 3 at half of this rate): a few hundred tweets are soon learned by heart.
    "quality": {"lr": 1e-3, "epochs": 2.0},
    "classic": _CLASSIC,
    # To the letter: with the dropout of its base, in float32, and nothing held out.
    "faithful": _CLASSIC | {"base_dropout": True, "arithmetic": "float32", "valid_fraction": 0.0},
}
# A model from nothing has no knowledge to keep: every weight, and many passes.
_SCRATCH: Final[dict[str, Any]] = {"method": "full", "lr": 4e-3, "epochs": 8.0}


_MOST_PRINTED: Final = 1e300
# The least and the most that make sense; None, where a field may be that, always does.
_RANGES: Final[dict[str, tuple[float, float]]] = {
    "epochs": (1e-3, 1e6),
    "minutes": (1e-2, 1e6),
    "max_steps": (1, 1e9),
    "lr": (1e-9, 1),
    "seed": (0, 2**31 - 1),
    # 0: what suits the device
    "batch_tokens": (0, 1 << 20),
    "row_tokens": (8, 1 << 17),
    # at 1 the rate would never fall
    "warmup": (0, 0.9),
    "beta2": (0, 0.99999),
    "weight_decay": (0, 1),
    "clip": (1e-6, 1e6),
    "lora_rank": (1, 1024),
    "lora_alpha": (1, 8192),
    "lora_layers": (0.01, 1),
    # more held out than learned from is no training
    "valid_fraction": (0, 0.5),
    "eval_tokens": (0, 1e9),
    "eval_seconds": (0, 1e6),
    "checkpoint_seconds": (0, 1e6),
    "max_memorised": (0, 1),
    "nproc": (1, 1024),
}
_WHOLE: Final = (
    "max_steps", "seed", "batch_tokens", "row_tokens", "lora_rank", "lora_alpha", "eval_tokens",
    "nproc",
)  # fmt: skip


@dataclass(frozen=True)
class SweepTrial:
    """The sweep that a run belongs to, and which of its trials it is, counted from 1.

    ``id`` tells it from another sweep that had the same name before.
    """

    name: str
    trial: int
    id: str = ""


@dataclass(frozen=True)
class Continued:
    """The run whose weights a new run begins with; ``base`` is the name of what that began with."""

    run: str = ""
    base: str = ""


@dataclass(frozen=True)
class RunRequest:
    """What a new run is asked to learn from and how.

    ``weights`` say how much of each account an epoch holds (1 where there is none). The order of
    ``handles`` only matters to the classic blend. ``names`` are those of the accounts, by handle.
    ``sweep`` marks a trial, and ``dataset`` is the hash that the frozen tweets must have, so that
    its losses compare with those of other trials. ``now``: not to wait for other runs on the same
    device. ``continues``: the settings' base is the model of that run. ``leaked``: ids of tweets to
    leave out, since an earlier model gave them back.
    """

    handles: Sequence[str]
    recipe: Recipe
    settings: TrainSettings
    weights: Mapping[str, float] | None = None
    names: Mapping[str, str | None] | None = None
    sweep: SweepTrial | None = None
    dataset: str | None = None
    now: bool = False
    continues: Continued | None = None
    leaked: Collection[str] = ()


def settings_for(preset: str, base: str, **overrides: Any) -> TrainSettings:
    """The settings of ``preset`` for ``base``, with ``overrides`` by field name.

    Raises WrongUsage for an unknown preset or field and for values that make no sense.
    """
    if preset not in _PRESETS:
        raise WrongUsage(f"There is no preset {preset!r}.", f"There are {', '.join(PRESETS)}.")
    values = dict(_PRESETS[preset])
    if base.strip().lower() in FROM_NOTHING:  # names of models are taken in any case
        base = base.strip().lower()
    if base in FROM_NOTHING and values.get("blend") != "classic":
        values |= _SCRATCH
    known = {field.name for field in fields(TrainSettings)}
    for name in overrides:
        if name not in known:
            raise WrongUsage(f"There is no training setting {name!r}.")
    values |= {name: value for name, value in overrides.items() if value is not None}
    settings = TrainSettings(**{**values, "base": base, "preset": preset})
    if base in FROM_NOTHING and settings.method == "lora":
        settings = replace(settings, method="full")
    _check(settings)
    return settings


def changed_settings(settings: TrainSettings, **overrides: Any) -> TrainSettings:
    """``settings`` with other values by field name; raises WrongUsage as `settings_for` does."""
    changed = replace(settings, **overrides)
    _check(changed)
    return changed


def _check(settings: TrainSettings) -> None:
    if settings.device not in DEVICES:
        raise WrongUsage(
            f"There is no device {settings.device!r}.", f"There are {', '.join(DEVICES)}."
        )
    if settings.method not in ("lora", "full") or settings.packing not in ("tweets", "blocks"):
        raise WrongUsage("The method is lora or full; the packing is tweets or blocks.")
    if settings.schedule not in ("linear", "cosine"):
        raise WrongUsage("The schedule is linear or cosine.")
    if settings.blend not in ("even", "classic"):
        raise WrongUsage("The blend is even or classic.")
    if settings.arithmetic not in ("auto", "float32"):
        raise WrongUsage("The arithmetic is auto or float32.")
    if settings.blend == "classic" and settings.packing != "blocks":
        raise WrongUsage("The classic blend is one text: its packing is blocks.")
    if settings.max_memorised is not None and not settings.valid_fraction:
        raise WrongUsage(
            "What is learned by heart cannot be measured here.",
            "That takes tweets that are held out, and the preset faithful holds none out."
            if settings.preset == "faithful"
            else "That takes tweets that are held out.",
            "Leave the limit out, or use the preset classic.",
        )
    if settings.four_bit and settings.method != "lora":
        knows_nothing = settings.base in FROM_NOTHING
        raise WrongUsage(
            "Only adapters (LoRA) can learn beside a base in 4 bits.",
            f"The base {settings.base} knows nothing yet: every weight of it learns."
            if knows_nothing
            else f"With the preset {settings.preset} every weight learns, the method full.",
            "Use another base, or leave the 4 bits out."
            if knows_nothing
            else "Use the preset fast or quality, or leave the 4 bits out.",
        )
    if settings.answers and settings.packing == "blocks":
        raise WrongUsage(
            f"The preset {settings.preset} cannot learn answers.",
            "It learns one text of all tweets, in which nobody is answered.",
            "Use the preset fast or quality.",
        )
    for name, (least, most) in _RANGES.items():
        value = getattr(settings, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise WrongUsage(f"{name} is {value!r}; it must be a number.")
        if abs(value) > _MOST_PRINTED:  # of hundreds of digits, which {:g} cannot write
            value = math.inf if value > 0 else -math.inf
        if name in _WHOLE and math.isfinite(value) and value != int(value):
            raise WrongUsage(f"{name} is {value:g}; it must be a whole number.")
        if not least <= value <= most:
            nearest = least if value < least else most
            raise WrongUsage(
                f"{name} is {value:g}; it must be from {least:g} to {most:g}.",
                "",
                "" if math.isnan(value) else f"The nearest is {nearest:g}.",
            )
    if settings.nproc > 1 and settings.packing == "blocks":
        raise WrongUsage(
            f"{settings.nproc} processes cannot share a step of one block.",
            f"The preset {settings.preset} learns from one block of text a step.",
            "Use the preset fast or quality, or one process.",
        )
    if settings.nproc > 1 and settings.base_dropout:
        raise WrongUsage("Several processes cannot share the chance of dropout.")
