"""Estimates of a new run on this machine: time and memory, from earlier runs if there are any."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from core.children.start import child_environment, leave, start_child
from core.errors import MynahError
from core.files import write_text_whole
from core.home import Home
from core.json_lines import parse_json
from core.models.catalogue import at_hand, resolve
from core.models.shape import shape_of
from core.numbers import percent
from core.processes import machine_memory, this_machine, usable_cores
from core.runs.folder import all_runs
from core.runs.memory import in_gb, memory_needed
from core.runs.record import Result
from core.runs.settings import FROM_NOTHING, TrainSettings, settings_for

# Adapters on SmolLM2-135M, a core of a server processor of 2025 that is busy with other work too.
_CORE_TOKENS: Final = 150.0
_CORE_PARAMETERS: Final = 134_515_008
_FULL_SHARE: Final = 0.7
# Of English tweets under the tokenizers at hand, with an end mark; only used while nothing has been
# counted.
_TOKENS_A_TWEET: Final = 28
# Starting Python and PyTorch, loading, two measurements, writing the model (SmolLM2, two cores).
_OVERHEAD_SECONDS: Final = 15.0
# Measured speeds, beside the runs; and for how long a measurement may go on, a conversion included.
_SPEEDS: Final = "speeds.json"
_MEASURING_SECONDS: Final = 60.0
# A measurement that got less of the processor's time is not believed.
_LEAST_SHARE: Final = 0.6


@dataclass(frozen=True)
class Advice:
    """Numbers about a run that has not been started, and ``lines`` that say them.

    tokens              of one epoch, end marks included; ``tokens_counted``: False if guessed
    tokens_per_second   None when nothing is known of this device; ``measured``: by a run here, or
                        by `measure_speed`
    epochs              how many fit into the minutes, at most the preset's
    seconds             how long the run would take
    memory              bytes at the peak
    """

    settings: TrainSettings
    tokens: int
    tokens_counted: bool
    tokens_per_second: float | None
    measured: bool
    epochs: float | None
    seconds: float | None
    memory: int | None
    memory_measured: bool
    lines: tuple[str, ...]


def advise(
    home: Home,
    *,
    kept: int,
    tokens: int | None = None,
    repeats: float = 1.0,
    base: str | None = None,
    preset: str = "fast",
    minutes: float | None = None,
    device: str = "auto",
    own: Mapping[str, Any] | None = None,
) -> Advice:
    """What training on ``kept`` tweets of ``tokens`` tokens would be like.

    ``tokens`` are those of all kept tweets with an end mark each, as the counts have them; None:
    nobody has counted. What is held out is taken off. ``repeats``: how often an epoch shows a
    token, on average; above 1 where a blend shows a small account more than once. ``own``: settings
    by name that are not the preset's. Looks at the runs in ``home`` and at the processor; loads no
    model and asks no network. Raises WrongUsage for an unknown preset.
    """
    from core.models.catalogue import default_base

    settings = settings_for(
        preset, base or default_base(), minutes=minutes, device=device, **own or {}
    )
    learned = (1 - settings.valid_fraction) * (tokens if tokens else kept * _TOKENS_A_TWEET)
    an_epoch = int(learned * repeats)
    parameters = next((b.parameters for b in at_hand() if b.name == settings.base), None)
    earlier = _earlier(home, settings)
    known = earlier.tokens_per_second or _remembered_speed(home, settings)
    rate = known or _guessed_rate(parameters, settings)
    memory = earlier.peak_memory or _estimated_memory(settings)
    epochs, seconds = _fit(an_epoch, rate, settings)
    return Advice(
        settings=settings,
        tokens=an_epoch,
        tokens_counted=bool(tokens),
        tokens_per_second=rate,
        measured=bool(known),
        epochs=epochs,
        seconds=seconds,
        memory=memory,
        memory_measured=bool(earlier.peak_memory),
        lines=_lines(
            settings, an_epoch, bool(tokens), rate, bool(known), earlier, epochs, seconds, memory
        ),
    )


def in_words(advice: Advice) -> str:
    """One sentence on how long all of the tweets take, or why that is unknown.

    ``advice`` is that of `advise` without ``minutes``.
    """
    if not advice.tokens:
        return ""
    if advice.seconds is None or advice.epochs is None:
        return "How long learning it takes here is known after a first run."
    how = "measured" if advice.measured else "estimated"
    passes = f"{advice.epochs:g} times" if advice.epochs != 1 else "once"
    preset, time = advice.settings.preset, _time(advice.seconds)
    return f"The preset {preset} learns all of it {passes}: about {time} here, {how}."


def _earlier(home: Home, settings: TrainSettings) -> Result:
    """The result of the newest run here with the same base, method and device; or an empty one."""
    for run in all_runs(home)[:50]:
        try:
            record = run.record()
        except MynahError:
            continue
        then, result = record.train_settings, record.result
        if (
            then is not None
            and result is not None
            and result.tokens_per_second
            and record.machine == this_machine()
            and _as_fast(then) == _as_fast(settings)
        ):
            return result
    return Result()


def _as_fast(settings: TrainSettings) -> tuple[str | float, ...]:
    """Runs for which this is the same make about as many tokens a second on one machine."""
    s = settings
    layers = s.lora_layers if s.method == "lora" else 1.0
    batch = (s.batch_tokens,) if s.batch_tokens else ()  # else what suits the device
    return s.base, s.method, layers, s.four_bit, s.device, s.nproc, s.packing, *batch


def measure_speed(
    home: Home,
    preset: str,
    base: str,
    device: str = "auto",
    *,
    cancelled: Callable[[], bool] | None = None,
) -> float | None:
    """Tokens a second of such a training here, tried out for about a second and remembered.

    A process of its own tries it. None where that did not work, ``cancelled`` said so, or other
    programs took so much of the processor that the figure would say nothing of a quiet hour.
    """
    settings = settings_for(preset, base, device=device)
    with tempfile.TemporaryFile() as answer, open(os.devnull, "r+b") as nothing:  # noqa: PTH123
        child = start_child(
            "core.workflow.speed",
            *(preset, base, device),
            environment=child_environment(),
            files=(nothing.fileno(), answer.fileno(), nothing.fileno()),
        )
        give_up = time.monotonic() + _MEASURING_SECONDS
        while child.poll() is None:
            if time.monotonic() > give_up or (cancelled and cancelled()):
                leave(child, 2.0)
                return None
            time.sleep(0.1)
        answer.seek(0)
        try:
            found = json.loads(answer.read())
            rate, share = float(found["tokens_per_second"]), float(found["share"])
        except (ValueError, KeyError, TypeError):
            return None
    if settings.device in ("auto", "cpu") and share < _LEAST_SHARE:
        return None
    remember_speed(home, settings, rate)
    return rate


def remember_speed(home: Home, settings: TrainSettings, rate: float) -> None:
    """What advice goes by until a run tells better; a home without a folder remembers nothing."""
    speeds = _speeds(home) | {_speed_key(settings): rate}
    with suppress(OSError):
        if home.root.exists():  # who only looks leaves no trace
            write_text_whole(home.root / _SPEEDS, json.dumps(speeds, indent=1) + "\n")


def _remembered_speed(home: Home, settings: TrainSettings) -> float | None:
    """What was measured here before; of one process."""
    return _speeds(home).get(_speed_key(settings)) if settings.nproc == 1 else None


def _speed_key(settings: TrainSettings) -> str:
    return " ".join((this_machine(), *map(str, _as_fast(settings))))


def _speeds(home: Home) -> dict[str, float]:
    try:
        found = parse_json((home.root / _SPEEDS).read_bytes())
        return {str(key): float(rate) for key, rate in found.items() if float(rate) > 0}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _guessed_rate(parameters: int | None, settings: TrainSettings) -> float | None:
    """Tokens a second on a CPU, in proportion to cores and size; None for a GPU."""
    if parameters is None or settings.device in ("cuda", "mps"):
        return None
    rate = _CORE_TOKENS * usable_cores() * _CORE_PARAMETERS / parameters
    # small matrices keep a processor less busy
    rate = min(rate, 4000.0 * usable_cores())
    return rate * (_FULL_SHARE if settings.method == "full" else 1.0)


def _estimated_memory(settings: TrainSettings) -> int | None:
    """Bytes; None for a base that is not at hand."""
    there = {base.name for base in at_hand()} | set(FROM_NOTHING)
    shape = shape_of(resolve(settings.base)) if settings.base in there else None
    if shape is None:
        return None
    on_gpu = settings.device == "cuda"
    kind = settings.device if on_gpu else "cpu"
    return memory_needed(shape, settings, device=kind, short=on_gpu).total() * settings.nproc


def _fit(
    tokens: int, rate: float | None, settings: TrainSettings
) -> tuple[float | None, float | None]:
    if rate is None or tokens == 0:
        return None, None
    wanted = settings.epochs * tokens / rate
    if settings.minutes is None:
        return settings.epochs, wanted + _OVERHEAD_SECONDS
    time = max(settings.minutes * 60 - _OVERHEAD_SECONDS, 0.0)
    epochs = min(settings.epochs, time * rate / tokens)
    return epochs, min(wanted, time) + _OVERHEAD_SECONDS


def _lines(
    settings: TrainSettings,
    tokens: int,
    counted: bool,
    rate: float | None,
    measured: bool,
    earlier: Result,
    epochs: float | None,
    seconds: float | None,
    memory: int | None,
) -> tuple[str, ...]:
    method = "LoRA" if settings.method == "lora" else "every weight"
    if settings.four_bit:
        method = "LoRA beside 4 bits"
    lines = [
        f"{method}, rate {settings.lr:g}",
        f"{tokens:,} tokens an epoch{'' if counted else ' (guessed)'}",
    ]
    if settings.valid_fraction:
        lines.append(f"{percent(settings.valid_fraction)} of the tweets held out")
    else:
        lines.append("Nothing is held out: no held-out loss.")
    if rate is None or epochs is None or seconds is None:
        lines.append("speed unknown until a run here")
    else:
        how = "measured" if measured else "estimated"
        passes = f"{epochs:.1f}" if epochs >= 0.05 else "under 0.1"
        lines.append(f"{passes} epochs in {_time(seconds)}")
        lines.append(f"{rate:,.0f} tok/s ({how})")
    if memory:
        how = "measured" if earlier.peak_memory else "estimated"
        lines.append(f"{in_gb(memory)} ({how})")
        free = machine_memory().free
        if memory > free and settings.device != "cuda":
            lines.append(f"Only {in_gb(free)} of memory is free.")
    if epochs is not None and epochs < 0.5:
        lines.append("More minutes would help: it sees less than half of the tweets in this time.")
    return tuple(lines)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
