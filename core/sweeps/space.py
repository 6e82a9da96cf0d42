"""The space of a sweep: which values a setting may take, as a list or as a range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, get_args, get_type_hints

import msgspec

from core.curation.rules import did_you_mean
from core.errors import MynahError, WrongUsage
from core.runs.settings import FROM_NOTHING, PRESETS, TrainSettings, settings_for

Scalar = bool | int | float | str

# Settings whose trials would not be measured alike, so that their losses say nothing.
FIXED: Final = {
    "seed": "It decides which tweets are held out, too: losses on other tweets do not compare.",
    "valid_fraction": "It decides which tweets are held out: losses on others do not compare.",
    "eval_tokens": "It decides which tweets are measured: losses on others do not compare.",
    "base": "Each base has tokens of its own: losses a token do not compare.",
    "preset": "It stands for several settings at once; name those.",
    "device": "All trials run on the same one.",
}
# A grid of more than this would never be run.
LARGEST_GRID: Final = 10_000


class Choice(msgspec.Struct, frozen=True):
    """One of a list of values, each as likely."""

    values: tuple[Scalar, ...]


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From ``low`` to ``high``, both included.

    ``log``: as likely to lie between 1 and 10 as between 10 and 100. ``step``: only ``low``,
    ``low + step``, and so on; a whole-number setting has one of 1.
    """

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None


Dimension = Choice | Range


class WrongSpace(MynahError):
    """Something in a sweep file that cannot be, at ``key``, which stands in ``table`` if not at
    the top. Whoever has the text adds the line.
    """

    table = ""

    def __init__(self, key: str, what: str, why: str = "", next_step: str = "") -> None:
        self.key = key
        super().__init__(what, why, next_step)


@cache
def _kinds() -> dict[str, set[type]]:
    """The types that each field of TrainSettings may have; of a Literal those of its values."""
    found = {}
    for name, hint in get_type_hints(TrainSettings).items():
        parts = get_args(hint) or (hint,)
        kinds = {part if isinstance(part, type) else type(part) for part in parts}
        found[name] = kinds - {type(None)}
    return found


def is_setting(name: str) -> bool:
    """Whether TrainSettings has a field of that name."""
    return name in _kinds()


def is_whole(name: str) -> bool:
    """Whether a setting is a whole number."""
    return _kinds()[name] == {int}


def check_setting(name: str, *, varied: bool) -> None:
    """Raises WrongSpace for what is no training setting, or not one that trials may differ in."""
    if not is_setting(name):
        raise WrongSpace(
            name, f"There is no training setting {name!r}.", "", did_you_mean(name, _kinds())
        )
    if varied and name in FIXED:
        raise WrongSpace(name, f"{name} cannot be part of the space.", FIXED[name])


def read_dimension(name: str, given: Any) -> Dimension:
    """A list as Choice, a table as Range, of a setting that trials may differ in.

    Raises WrongSpace.
    """
    check_setting(name, varied=True)
    if isinstance(given, list):
        return _choice(name, given)
    if isinstance(given, dict):
        try:
            found = msgspec.convert(given, Range)
        except msgspec.ValidationError as error:
            raise WrongSpace(
                name,
                f"The range of {name} cannot be read.",
                f"{error}.",
                "A range is { low = 1e-4, high = 1e-2, log = true } or { low, high, step }.",
            ) from None
        try:
            return _range(name, found)
        except OverflowError:
            raise WrongSpace(
                name, f"The range of {name} holds a value that is too large or too small."
            ) from None
    raise WrongSpace(
        name,
        f"{name} is neither a list nor a range.",
        "The space holds what differs between trials.",
        f"{name} = [{given!r}], or under [settings] if it is the same for all.",
    )


def _choice(name: str, values: list[Any]) -> Choice:
    if not values or not all(isinstance(value, (bool, int, float, str)) for value in values):
        raise WrongSpace(name, f"{name} needs a list of numbers, words, or true and false.")
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise WrongSpace(name, f"{name} holds a value that is no number.")
    if len({(type(value) is bool, value) for value in values}) < len(values):
        raise WrongSpace(name, f"{name} has a value twice.")
    return Choice(tuple(values))


def _range(name: str, found: Range) -> Range:
    if not _kinds()[name] <= {int, float}:
        raise WrongSpace(name, f"{name} has no range.", "It is not a number.", "Give it a list.")
    low, high, step = found.low, found.high, found.step
    if is_whole(name):
        step = 1 if step is None else step
        if any(value != int(value) for value in (low, high, step) if math.isfinite(value)):
            raise WrongSpace(name, f"{name} is a whole number; so are the ends of its range.")
    if not all(math.isfinite(value) for value in (low, high, 0 if step is None else step)):
        raise WrongSpace(name, f"The range of {name} holds a value that is no number.")
    if is_whole(name):
        low, high, step = int(low), int(high), int(step or 0)
    if low >= high:
        raise WrongSpace(
            name, f"The range of {name} is empty.", f"It goes from {low:g} to {high:g}.",
            "low is less than high.",
        )  # fmt: skip
    if found.log and (low <= 0 or step not in (None, 1)):
        raise WrongSpace(
            name, f"{name} cannot be logarithmic.", "", "low is more than 0, and there is no step."
        )
    if step is not None:
        if step <= 0:
            raise WrongSpace(name, f"The step of {name} is {step:g}; it must be more than 0.")
        if not found.log:  # the last value that steps reach
            high = low + math.floor((high - low) / step + 1e-9) * step
    return Range(low, high, found.log, step)


def ends_of(dimension: Dimension) -> list[Any]:
    """The values that a dimension is judged by: all of a list, both ends of a range."""
    if isinstance(dimension, Choice):
        return list(dimension.values)
    return [dimension.low, dimension.high]


def check_space(
    space: Mapping[str, Dimension], preset: str, base: str, fixed: Mapping[str, Any]
) -> None:
    """Raises WrongSpace where a value makes no sense with the fixed settings, or no difference."""
    if preset not in PRESETS:
        raise WrongSpace(
            "preset", f"There is no preset {preset!r}.", f"There are {', '.join(PRESETS)}."
        )
    for name, value in fixed.items():
        _check_value(name, value, preset, base, fixed)
    if not settings_for(preset, base, **fixed).valid_fraction:
        raise WrongSpace(
            "valid_fraction" if "valid_fraction" in fixed else "preset",
            "No tweets are held out.",
            "Trials are compared by the loss on them.",
            'Use preset = "classic".' if preset == "faithful" else "",
        )
    for name, dimension in space.items():
        for value in ends_of(dimension):
            _check_value(name, value, preset, base, fixed)
    method = settings_for(preset, base, **fixed).method
    for name in space:
        if name.startswith("lora_") and method == "full" and "method" not in space:
            raise WrongSpace(
                name,
                f"{name} makes no difference here.",
                f"With the base {base} and the preset {preset} every weight learns: no LoRA.",
                'Leave it out, or say method = "lora" under [settings].'
                if base not in FROM_NOTHING
                else "Leave it out.",
            )


def _check_value(name: str, value: Any, preset: str, base: str, fixed: Mapping[str, Any]) -> None:
    try:
        settings = settings_for(preset, base, **{**fixed, name: value})
        TrainSettings.from_json(settings.to_json())
    except WrongUsage as error:
        raise WrongSpace(name, error.what, error.why, error.next_step) from None
    except ValueError as error:
        raise WrongSpace(name, f"{name} cannot be {value!r}.", f"{error}.") from None


def grid_values(name: str, dimension: Dimension) -> list[Any]:
    """Every value of a dimension; raises WrongSpace when there is no end to them."""
    if isinstance(dimension, Choice):
        return list(dimension.values)
    if dimension.step is None or dimension.log:
        raise WrongSpace(
            name, f"A grid cannot hold the range of {name}.", "It has too many values.",
            "Give it a list, or a step.",
        )  # fmt: skip
    count = round((dimension.high - dimension.low) / dimension.step) + 1
    if count > LARGEST_GRID:
        raise WrongSpace(name, f"The range of {name} has {count:,} values.", "", "Enlarge step.")
    return [dimension.low + i * dimension.step for i in range(count)]


def grid_size(space: Mapping[str, Dimension]) -> int:
    """How many trials the whole grid has; raises WrongSpace for one that is endless or huge."""
    size = math.prod(len(grid_values(name, dimension)) for name, dimension in space.items())
    if size > LARGEST_GRID:
        name = next(iter(space))
        raise WrongSpace(name, f"The grid has {size:,} points.", "", 'Try sampler = "random".')
    return size


def grid_point(space: Mapping[str, Dimension], number: int) -> dict[str, Any]:
    """The settings of trial ``number``, counted from 0; the last dimension moves fastest."""
    point = {}
    for name in reversed(list(space)):
        values = grid_values(name, space[name])
        number, index = divmod(number, len(values))
        point[name] = values[index]
    return {name: point[name] for name in space}
