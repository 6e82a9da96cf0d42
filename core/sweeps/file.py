"""A sweep file of ours (TOML): its fields, and reading them.

It holds ``accounts``, ``trials`` and the table ``[space]``; and where they differ from what is
usual ``recipe``, ``base``, ``preset``, ``sampler`` (random, tpe, grid), ``seed``, ``pruning``,
``minutes`` or ``max_steps`` of a trial, ``name``, and the table ``[settings]`` with the settings
that all trials share. Names of settings are those of TrainSettings.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from core.curation.rules import did_you_mean
from core.sweeps.space import WrongSpace, is_setting
from core.toml import parse_toml

SamplerName = Literal["random", "tpe", "grid"]


class SweepFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a TOML file; of a W&B file what it says in the same words."""

    accounts: list[str] = []
    space: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    trials: int | None = None
    sampler: SamplerName = "random"
    recipe: str = "standard"
    base: str | None = None
    preset: str = "fast"
    seed: int = 1
    pruning: bool = False
    minutes: float | None = None
    max_steps: int | None = None
    name: str | None = None


def read_toml(text: str) -> SweepFile:
    try:
        content = parse_toml(text)
    except ValueError as error:  # which names the line
        raise WrongSpace("", "It is not valid TOML.", f"{error}.") from None
    known = SweepFile.__struct_fields__
    for key in content:
        if key not in known:
            near = did_you_mean(key, known)
            if is_setting(key):
                near = "Training settings stand under [settings] or [space]."
            raise WrongSpace(key, f"{key!r} is not known.", "", near)
    try:
        return msgspec.convert(content, SweepFile)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        key = re.split(r"[.\[`]", where)[0]
        raise WrongSpace(key, f"{key} cannot be read.", f"{what}.") from None
