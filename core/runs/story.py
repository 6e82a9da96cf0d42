"""A run's story in lines for a person, from its journal: what its log shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

from core.numbers import percent
from core.runs.positions import sound


def story(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A line for each thing that happened, oldest first, in UTC.

    ``records`` are lines of metrics.jsonl. Of the steps only the newest before each measurement is
    told. Words in them may come from outside: what shows them makes them safe.
    """
    step: dict[str, Any] = {}
    planned: object = None
    for record in map(sound, records):
        kind = record.get("kind")
        if kind in ("start", "train"):
            planned = record.get("steps", planned)
        elif kind == "end":
            record = {**record, "planned": planned}
        if kind == "train":
            step = record
            continue
        for line in _LINES[kind](record) if kind in _LINES else ():
            if step:
                yield _line(step, _step(step))
                step = {}
            yield _line(record, line)
    if step:
        yield _line(step, _step(step))


def why_early(state: object, step: object, planned: object) -> str:
    """Why a run that did not say so has finished after so many steps of those planned; empty when
    it made them all.
    """
    if state != "finished" or not isinstance(step, (int, float)):
        return ""
    if not isinstance(planned, (int, float)) or step >= planned:
        return ""
    return "Its time was up before all steps were done."


def _line(record: dict[str, Any], words: str) -> str:
    try:
        when = datetime.fromtimestamp(float(record["time"]), timezone.utc)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return f"          {words}"
    return f"{when:%H:%M:%S}  {words}"


def _phase(record: dict[str, Any]) -> list[str]:
    return [str(record.get("doing") or "")]


def _queued(record: dict[str, Any]) -> list[str]:
    return [f"waits for {record.get('waits_for')} to end"]


def _start(record: dict[str, Any]) -> list[str]:
    resumed = record.get("resumed_from")
    begins = "begins" if resumed is None else f"goes on after step {_count(resumed)}"
    trained, parameters = record.get("trained_parameters"), record.get("parameters")
    held = ", the base in 4 bits" if record.get("four_bit") is True else ""
    return [
        f"{begins} on {record.get('device')}, {record.get('arithmetic')}{held}",
        f"learns from {_count(record.get('train_tweets'))} tweets, "
        f"measures on {_count(record.get('valid_tweets'))} held-out ones",
        f"{_count(record.get('steps'))} steps at most, {_count(record.get('batch_tokens'))} tokens "
        f"a step, {_count(trained)} of {_count(parameters)} parameters learn",
    ]


def _step(record: dict[str, Any]) -> str:
    rate = record.get("tokens_per_second")
    speed = f", {_count(rate)} tok/s" if rate else ""
    of = f" of {_count(record['steps'])}" if record.get("steps") else ""
    return f"step {_count(record.get('step'))}{of}: train loss {_loss(record.get('loss'))}{speed}"


def _eval(record: dict[str, Any]) -> list[str]:
    measured = f"held-out loss {_loss(record.get('valid_loss'))}"
    return [f"step {_count(record.get('step'))}: {measured}"]


def _memorisation(record: dict[str, Any]) -> list[str]:
    train, held_out = record.get("train"), record.get("held_out")
    if not isinstance(train, (int, float)) or not isinstance(held_out, (int, float)):
        return []
    return [
        f"step {_count(record.get('step'))}: gives back word for word {percent(train)} of "
        f"training phrases, {percent(held_out)} of held-out ones"
    ]


def _checkpoint(record: dict[str, Any]) -> list[str]:
    return [f"step {_count(record.get('step'))}: checkpoint written"]


def _warning(record: dict[str, Any]) -> list[str]:
    return [f"▲ {record.get('text')}"]


def _end(record: dict[str, Any]) -> list[str]:
    steps = record.get("steps")
    after = "" if steps is None else f" after {_count(steps)} step{'s' * (steps != 1)}"
    reason = str(record.get("reason") or "")
    reason = reason or why_early(record.get("state"), steps, record.get("planned"))
    told = [f"{record.get('state')}{after}{': ' if reason else ''}{reason}"]
    if isinstance(record.get("train_loss"), (int, float)):
        # of the newest steps alone it jumps: this is the one that `mynah runs` gives
        told.append(f"train loss {_loss(record['train_loss'])}, averaged over its last steps")
    return told


_LINES = {
    "phase": _phase,
    "queued": _queued,
    "start": _start,
    "eval": _eval,
    "memorisation": _memorisation,
    "checkpoint": _checkpoint,
    "warning": _warning,
    "end": _end,
}


def _count(number: object) -> str:
    return f"{number:,.0f}" if isinstance(number, (int, float)) else "?"


def _loss(number: object) -> str:
    return f"{number:.3f}" if isinstance(number, (int, float)) else "not a number"
