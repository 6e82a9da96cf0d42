"""What a sweep is asked to try, read from a file (ours or W&B's) and checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import InputRefused
from core.handles import normal_handles
from core.sweeps.file import SamplerName, SweepFile, read_toml
from core.sweeps.space import (
    FIXED,
    LARGEST_GRID,
    Dimension,
    WrongSpace,
    check_setting,
    check_space,
    grid_size,
    read_dimension,
)
from core.sweeps.wandb_file import read_wandb

_LARGEST_FILE: Final = 1 << 20
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_BESIDE: Final = ("minutes", "max_steps")
# Of the settings that trials must share, those that are not written at the top of the file.
_SHARED: Final = ("valid_fraction", "eval_tokens", "device")


class SweepSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep is asked to try.

    name        of its folder, and in the list of runs
    space       what differs between trials; ``settings`` is what they share besides
    trials      how many there are in the end; ``sampler`` says how their settings are drawn
    seed        of the sampler, and of every run: of its held-out tweets, order and first weights.
                A run has one seed for all of these, so it cannot be part of the space
    pruning     whether a trial ends early when its held-out loss is worse than the median's
    file        where it was read from, as an absolute path
    beside      what the command said in place of its own, word by word: ``ada --trials 8``
    """

    name: str
    accounts: tuple[str, ...]
    space: dict[str, Dimension]
    settings: dict[str, Any]
    trials: int
    sampler: SamplerName
    recipe: str
    base: str
    preset: str
    seed: int
    pruning: bool
    file: str = ""
    beside: tuple[str, ...] = ()


def read_sweep(
    path: Path, *, accounts: Sequence[str] = (), trials: int | None = None
) -> tuple[SweepSpec, list[str]]:
    """The sweep that a file asks for, and sentences on what of it is not followed.

    ``accounts`` and ``trials`` stand in for the file's own. Raises InputRefused, with the line.
    """
    text = _text_of(path)
    remarks: list[str] = []
    try:
        if path.suffix.lower() in (".yaml", ".yml"):
            found = read_wandb(text, remarks, named=bool(accounts), counted=trials is not None)
        else:
            found = read_toml(text)
        if accounts:
            found.accounts = list(accounts)
        if trials is not None:
            found.trials = trials
        spec = _checked(found, path, remarks)
        beside = spec.accounts if accounts else ()
        beside += () if trials is None else ("--trials", str(trials))
        return msgspec.structs.replace(spec, beside=beside), remarks
    except WrongSpace as error:
        raise InputRefused(
            f"{path.name}{_line(text, error.key, error.table)}: {error.what}",
            error.why,
            error.next_step,
        ) from None


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputRefused(f"{path.name} is no sweep.", "It is larger than a megabyte.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputRefused(f"{path} cannot be read.", f"{error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path.name} is not a sweep.", "It is not UTF-8 text.") from error


def _line(text: str, key: str, table: str) -> str:
    """``, line 7`` for the first line that sets ``key``, in ``table`` where there is such a one."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if table and f"[{table}]" in line), 0)
    setting = re.compile(rf"""\s*\[?["']?{re.escape(key)}["']?\s*[=:\]]""")
    found = (i for i, line in enumerate(lines) if i >= first and key and setting.match(line))
    number = next(found, None)
    return "" if number is None else f", line {number + 1}"


def _checked(found: SweepFile, path: Path, remarks: list[str]) -> SweepSpec:
    """Raises WrongSpace, and InputRefused for handles."""
    from core.models.catalogue import default_base

    settings = _shared_settings(found)
    try:
        space = {name: read_dimension(name, given) for name, given in found.space.items()}
    except WrongSpace as error:
        error.table = "space"
        raise
    if not space:
        raise WrongSpace("space", "There is nothing to try.", "", "Give it a table [space].")
    for name in settings:
        if name in space:
            raise WrongSpace(name, f"{name} is both fixed and part of the space.")
    base = found.base or default_base()
    if found.seed < 0 or found.seed >= 2**31:
        raise WrongSpace("seed", f"seed is {found.seed}; it must be from 0 to 2147483647.")
    check_space(space, found.preset, base, settings)
    return SweepSpec(
        name=_name(found.name or path.stem),
        accounts=tuple(_accounts(found.accounts)),
        space=space,
        settings=settings,
        trials=_trials(found, space, remarks),
        sampler=found.sampler,
        recipe=found.recipe,
        base=base,
        preset=found.preset,
        seed=found.seed,
        pruning=found.pruning,
        file=str(path.absolute()),
    )


def _shared_settings(found: SweepFile) -> dict[str, Any]:
    settings = dict(found.settings)
    for name in settings:
        check_setting(name, varied=False)
        if name in FIXED and name not in _SHARED:
            raise WrongSpace(name, f"{name} stands at the top of the file, not in [settings].")
    for name in _BESIDE:
        value = getattr(found, name)
        if value is not None and name in settings:
            raise WrongSpace(name, f"{name} is there twice.", "It stands in [settings] too.")
        if value is not None:
            settings[name] = value
    return settings


def _accounts(given: list[str]) -> list[str]:
    if not given:
        raise WrongSpace(
            "accounts", "It names no account.", "", "Name one: mynah sweep FILE HANDLE"
        )
    return normal_handles(given)


def _trials(found: SweepFile, space: dict[str, Dimension], remarks: list[str]) -> int:
    if found.trials is not None and not 1 <= found.trials <= LARGEST_GRID:
        raise WrongSpace("trials", f"trials is {found.trials}; it must be from 1 to 10000.")
    if found.sampler == "grid":
        size = grid_size(space)
        if found.trials is not None and found.trials > size:
            remarks.append(f"The grid has {size} points: that many trials.")
        return min(size, found.trials or size)
    if found.trials is None:
        raise WrongSpace("trials", "It does not say how many trials.", "", "trials = 20, perhaps.")
    return found.trials


def _name(given: str) -> str:
    name = re.sub(r"[^a-z0-9_]+", "-", given.lower()).strip("-_")[:64]
    if not _NAME.fullmatch(name):
        raise WrongSpace(
            "name", f"{given!r} cannot be the name of a sweep.", "", "Use letters and digits."
        )
    return name
