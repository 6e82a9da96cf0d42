"""A sweep file of Weights & Biases (YAML) in mynah's words, and what of it cannot be followed."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from core.sweeps.file import SamplerName, SweepFile
from core.sweeps.space import WrongSpace, is_setting

# A file without run_cap goes on for ever there.
TRIALS: Final = 20

_METHODS: Final[dict[str, SamplerName]] = {"random": "random", "bayes": "tpe", "grid": "grid"}
# What is done elsewhere in the file's world: the program to start, where the results go.
_IGNORED: Final = frozenset(
    "program project entity description job image_uri method metric parameters name run_cap "
    "early_terminate command".split()
)
# transformers' and peft's names, and huggingtweets' own.
_NAMES: Final = {
    "learning_rate": "lr",
    "num_train_epochs": "epochs",
    "warmup_ratio": "warmup",
    "percent_warmup_steps": "warmup",
    "max_grad_norm": "clip",
    "adam_beta2": "beta2",
    "lora_r": "lora_rank",
    "r": "lora_rank",
    "block_size": "row_tokens",
    "max_length": "row_tokens",
    "model": "base",
    "model_name": "base",
    "model_name_or_path": "base",
}
_ACCOUNTS: Final = ("handle", "handles", "account", "accounts", "username")
_LEFT_OUT: Final = {
    "lr_scheduler": "how the rate falls is schedule here, linear or cosine",
    "lr_scheduler_type": "how the rate falls is schedule here, linear or cosine",
    "gradient_accumulation_steps": "a step is as large as batch_tokens says",
    "per_device_train_batch_size": "a step is as large as batch_tokens says",
    "batch_size": "a step is as large as batch_tokens says",
    "seed": "all trials share one, so that they hold out the same tweets",
}
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
_TOP: Final = ("base", "preset", "recipe")


def read_wandb(text: str, remarks: list[str], *, named: bool, counted: bool) -> SweepFile:
    """The file as one of ours; ``remarks`` gets a sentence for each thing that is not followed.

    ``named``: accounts are given elsewhere, so those of the file do not matter; ``counted``: so is
    the number of trials. Raises WrongSpace.
    """
    content = _yaml(text)
    method = content.get("method")
    if not isinstance(method, str) or method not in _METHODS:
        raise WrongSpace("method", f"There is no method {method!r}.", "", "random, bayes or grid.")
    _check_metric(content.get("metric"), remarks)
    parameters = content.get("parameters")
    if not isinstance(parameters, dict) or not parameters:
        raise WrongSpace("parameters", "It has no parameters.")
    if "command" in content:
        remarks.append("Its command is not run: each trial is a training of mynah's own.")
    for key in content:
        if key not in _IGNORED:
            remarks.append(f"{key} is left out: mynah does not know it.")
    found = SweepFile(
        sampler=_METHODS[method],
        pruning="early_terminate" in content,
        trials=content.get("run_cap") if isinstance(content.get("run_cap"), int) else None,
        name=content["name"] if isinstance(content.get("name"), str) else None,
    )
    if found.pruning:
        remarks.append("early_terminate: trials worse than the median of their time end early.")
    for key, given in parameters.items():
        _parameter(found, str(key), given, remarks, named=named)
    if found.trials is None and found.sampler != "grid" and not counted:
        found.trials = TRIALS
        remarks.append(f"It has no run_cap: {TRIALS} trials, or what --trials says.")
    return found


def _yaml(text: str) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped,unused-ignore]

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise WrongSpace("", "It is not valid YAML.", f"{' '.join(str(error).split())}.") from None
    except RecursionError:
        raise WrongSpace("", "It is not valid YAML.", "It is nested too deeply.") from None
    except ValueError as error:  # a date that there is not, a number of thousands of digits
        raise WrongSpace("", "It is not valid YAML.", f"{error}.".capitalize()) from None
    if not isinstance(content, dict):
        raise WrongSpace("", "It is no sweep.", "It holds no method and parameters.")
    return content


def _check_metric(metric: Any, remarks: list[str]) -> None:
    if not isinstance(metric, dict):
        return
    name = metric.get("name")
    if metric.get("goal", "minimize") != "minimize":
        raise WrongSpace(
            "goal", f"Its goal is to maximise {name}.", "mynah minimises the held-out loss.",
            "Write goal: minimize, if that is meant.",
        )  # fmt: skip
    if not isinstance(name, str) or "loss" not in name:
        remarks.append(f"Its metric is {name}; what mynah minimises is the held-out loss.")


def _parameter(found: SweepFile, key: str, given: Any, remarks: list[str], *, named: bool) -> None:
    if not isinstance(given, dict):
        raise WrongSpace(key, f"{key} has neither value, values nor min and max.")
    if key in _ACCOUNTS:
        if not named:
            _take_accounts(found, key, given)
        return
    name = _NAMES.get(key, key)
    if key in _LEFT_OUT:
        remarks.append(f"{key} is left out: {_LEFT_OUT[key]}.")
    elif name in _TOP:
        if not isinstance(given.get("value"), str):
            raise WrongSpace(
                key, f"{key} differs between trials.", "Their losses would not compare.",
                f"Give it one value: {key}: {{value: ...}}",
            )  # fmt: skip
        setattr(found, name, given["value"])
    elif not is_setting(name):
        remarks.append(f"{key} is left out: mynah has no such setting.")
    elif name in found.space or name in found.settings:
        raise WrongSpace(key, f"{key} is {name} once more.", "It is there under another name.")
    else:
        scale = 0.01 if key == "percent_warmup_steps" else 1
        if "value" in given:
            found.settings[name] = _scaled(given["value"], scale)
        else:
            found.space[name] = _dimension(key, given, scale, remarks)


def _take_accounts(found: SweepFile, key: str, given: dict[str, Any]) -> None:
    values = given["values"] if "values" in given else [given.get("value")]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise WrongSpace(key, f"{key} holds something that is no handle.")
    if len(values) > 1:
        raise WrongSpace(
            key,
            f"It draws one of {len(values)} accounts for each trial.",
            "Losses on the tweets of different people do not compare.",
            f"Name whom to learn from: mynah sweep FILE {values[0]}",
        )
    found.accounts = values


def _dimension(key: str, given: dict[str, Any], scale: float, remarks: list[str]) -> Any:
    """As it would stand in [space]."""
    if "values" in given:
        if "probabilities" in given:
            remarks.append(f"The probabilities of {key} are left out: each value is as likely.")
        values = given["values"]
        return [_scaled(value, scale) for value in values] if isinstance(values, list) else values
    low, high = _scaled(given.get("min"), 1), _scaled(given.get("max"), 1)
    if not all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in (low, high)):
        raise WrongSpace(key, f"{key} has neither value, values nor min and max.")
    kind = given.get("distribution") or (
        "int_uniform" if isinstance(low, int) and isinstance(high, int) else "uniform"
    )
    step = given.get("q", 1)
    if kind == "log_uniform":  # of which W&B takes the exponents
        try:
            low, high = math.exp(low), math.exp(high)
        except OverflowError:
            raise WrongSpace(
                key, f"The range of {key} is endless.", "log_uniform takes exponents of e.",
                "log_uniform_values takes the values themselves.",
            ) from None  # fmt: skip
    ends = {"low": _scaled(low, scale), "high": _scaled(high, scale)}
    if kind in ("log_uniform", "log_uniform_values"):
        return ends | {"log": True}
    if kind == "uniform":
        return ends
    if kind == "int_uniform":
        return ends | {"step": scale}
    if kind == "q_uniform":
        return ends | {"step": _scaled(step, scale)}
    raise WrongSpace(
        key, f"{key} is drawn by {kind}, which mynah does not know.", "",
        "It knows uniform, int_uniform, q_uniform, log_uniform and log_uniform_values.",
    )  # fmt: skip


def _scaled(value: Any, scale: float) -> Any:
    """``value``, or a hundredth of it where it is in percent.

    YAML's 1e-4 is a text (only 1.0e-4 is a number); what is meant is the number.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value * scale if number and scale != 1 else value
