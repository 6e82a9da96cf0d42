"""Following a run from a command: its measurements as they come, and its result at the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from core.errors import Interrupted, MynahError
from core.home import Home
from core.runs.folder import GOING
from tui.cli.output import ProgressNote, emit, emit_json, narrate, pairs
from tui.text.numbers import clock, count, loss, percent, rate, short_count

if TYPE_CHECKING:
    from core.runs.folder import Run
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary


def finish(home: Home, run: Run, as_json: bool) -> None:
    """Follow a run that this command has started, and show what came of it, however it ends."""
    try:
        summary = follow(home, run, stop_on_interrupt=True)
    except Interrupted:
        show_result(run, as_json)
        raise
    show_result(run, as_json)
    refuse_failure(summary)


def follow(home: Home, run: Run, *, stop_on_interrupt: bool) -> RunSummary:
    """Narrate a run until it ends and return its summary.

    ctrl+c stops the run, or only the watching; either way it raises Interrupted.
    """
    from core.runs.summary import RunsFollower

    follower = RunsFollower(home, only=run.id)
    note = ProgressNote()
    news = _News(note)
    try:
        while True:
            summaries, histories, _ = follower.poll()
            summary, history = summaries[0], histories[run.id]
            news.show(history)
            if summary.state not in GOING:
                return summary
            ends = "ctrl+c stops" if stop_on_interrupt else "ctrl+c leaves it running"
            note(f"{progress_line(summary, history)} · {ends}")
            time.sleep(0.5)
    except KeyboardInterrupt:
        note.done()
        if not stop_on_interrupt:
            raise Interrupted(
                f"No longer watching; {run.id} goes on.", "", f"`mynah stop {run.id}` would end it."
            ) from None
        stop_and_wait(run)
        raise Interrupted(f"{run.id} was stopped.", what_is_left(run)) from None
    finally:
        note.done()


class _News:
    """Prints each warning, measurement and sample of a run once."""

    def __init__(self, note: ProgressNote) -> None:
        self._note = note
        self._step = -1
        self._waits_for = ""
        self._samples = self._warnings = self._notes = 0

    def show(self, history: RunHistory) -> None:
        if history.waits_for and history.waits_for != self._waits_for:
            self._note.done()
            narrate(f"It waits for {history.waits_for} to end.")
        self._waits_for = history.waits_for
        for note in history.notes[self._notes :]:
            self._note.done()
            narrate(note)
        self._notes = len(history.notes)
        for warning in history.warnings[self._warnings :]:
            self._note.done()
            narrate(f"▲ {warning}")
        self._warnings = len(history.warnings)
        if history.valid_steps and history.valid_steps[-1] != self._step:
            self._step = history.valid_steps[-1]
            self._note.done()
            measured = history.valid_losses[-1]
            measurement = "not a number" if measured is None else loss(measured)
            narrate(f"step {self._step:,}: held-out loss {measurement}")
        for sample in history.samples[self._samples :]:
            self._note.done()
            narrate(f"  generated: {sample.text}")
        self._samples = len(history.samples)


def progress_line(summary: RunSummary, history: RunHistory) -> str:
    """How a run goes: ``step 12 of 90 · loss 4.12 · 300 tok/s · 0:40 left``."""
    measured = history.train_losses[-1] if history.train_losses else None
    steps = f"step {summary.step:,}" + (f" of {summary.steps:,}" if summary.steps else "")
    parts = [history.doing or summary.state, steps]
    if measured is not None:
        parts.append(f"loss {loss(measured)}")
    if history.tokens_per_second:
        parts.append(f"{short_count(history.tokens_per_second)} tok/s")
    if history.seconds_left is not None:
        parts.append(f"{clock(history.seconds_left)} left")
    return " · ".join(parts)


def stop_and_wait(run: Run) -> None:
    from core.runs.launch import stop_run

    narrate("stopping: it saves what it has learned…")
    stop_run(run)


def what_is_left(run: Run) -> str:
    """What one can do with a run that has ended."""
    if (run.model / "config.json").is_file():
        return f"Its model and curve are kept: `mynah sample {run.id}` talks to it."
    return "It had no time to make a model; what it wrote so far is kept."


def show_result(run: Run, as_json: bool) -> None:
    """The contract's object, or the same for reading."""
    from core.runs.summary import run_result

    result = run_result(run)
    if as_json:
        emit_json(result)
        return
    speed, train_loss = result["tokens_per_second"], result["train_loss"]
    before, after = loss(result["valid_loss_before"]), loss(result["valid_loss_after"])
    emit(
        pairs(
            [
                ("run", result["run"]),
                ("state", result["state"]),
                ("base", result["base"]),
                ("device", result["device"]),
                ("steps", count(result["steps"])),
                ("tokens", count(result["tokens"]) + (f" at {rate(speed)}" if speed else "")),
                *_learned(result["shares"]),
                ("train loss", None if train_loss is None else loss(train_loss)),
                ("held-out loss", _nothing(result) or f"{before} → {after}"),
                ("given back", _nothing(result) or _given_back(result)),
                ("model", result["model_dir"]),
                *(
                    (
                        "tracked",
                        " ".join(
                            filter(None, (one["to"], one["mode"], one["url"] or one["state"]))
                        ),
                    )
                    for one in result["tracked"]
                ),
            ]
        )
    )


def _nothing(result: dict[str, Any]) -> str:
    """Why there is no measure on held-out tweets."""
    return "not measured: no tweet was held out" if result["valid_tweets"] == 0 else ""


def _given_back(result: dict[str, Any]) -> str | None:
    """How much of training and of held-out tweets it repeats; None when that was not measured."""
    train, held_out = result["memorised_train"], result["memorised_held_out"]
    if train is None or held_out is None:
        return None
    return f"{percent(train)} of training phrases word for word, {percent(held_out)} of held-out"


def _learned(shares: dict[str, dict[str, float | None]]) -> list[tuple[str, str]]:
    """A line for each account of a blend: its part of the tokens, and what was expected."""
    if len(shares) < 2:
        return []
    return [
        (
            f"@{handle}",
            f"{percent(share['measured'])} of them, expected {percent(share['expected'])}",
        )
        for handle, share in shares.items()
    ]


def refuse_failure(summary: RunSummary) -> None:
    """Raises MynahError for a run that came to a bad end."""
    if summary.state in ("failed", "dead"):
        raise MynahError(
            f"{summary.run} {'failed' if summary.state == 'failed' else 'is presumed dead'}.",
            summary.reason or "It gave no reason.",
            f"Its log is {summary.folder / 'train.log'}",
        )


def say_stale(summary: RunSummary) -> None:
    """One line when some of what a run was made from was forgotten since."""
    if summary.stale:
        narrate(f"▲ {summary.run} is stale. {summary.stale}")
