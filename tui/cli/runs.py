"""train, runs, watch, stop, resume."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from core.errors import Interrupted, MynahError, WrongUsage
from core.handles import normal_handles
from core.home import Home
from tui.cli.output import (
    ProgressNote,
    emit,
    emit_json,
    home_option,
    json_option,
    narrate,
    pairs,
    table,
)
from tui.cli.weights import weights_given
from tui.text.blends import expected_sentences, percent, short_shares
from tui.text.numbers import ago, clock, count, short_count

if TYPE_CHECKING:
    from core.dataset.shares import Share
    from core.runs.folder import Run
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary

GOING = ("queued", "starting", "running", "stopping")


@click.command()
@click.argument("handles", metavar="HANDLE...", nargs=-1, required=True)
@click.option("--base", metavar="B", help="smollm2, scratch, a Hugging Face id or a folder.")
@click.option("--recipe", default="standard", show_default=True, help="A recipe's name or file.")
@click.option("--preset", type=click.Choice(["fast", "quality", "classic"]), default="fast",
              show_default=True)  # fmt: skip
@click.option("--epochs", type=click.FloatRange(0.01, 1000), help="Passes over the tweets at most.")
@click.option("--minutes", type=click.FloatRange(0.05, 100_000), help="Training time at most.")
@click.option("--max-steps", type=click.IntRange(1), help="Optimiser steps at most.")
@click.option("--lr", type=click.FloatRange(1e-8, 1), help="Highest learning rate.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto",
              show_default=True)  # fmt: skip
@click.option("--tracker", type=click.Choice(["off", "wandb"]), default="off", show_default=True,
              help="Nothing leaves this machine; wandb is not in this version.")  # fmt: skip
@click.option("--weights", metavar="A=1,B=2",
              help="The parts of the accounts in an epoch's tokens; 1 for the others.")  # fmt: skip
@click.option("--detach", is_flag=True, help="Return at once; the run goes on by itself.")
@json_option
@home_option
def train(
    handles: tuple[str, ...],
    base: str | None,
    recipe: str,
    preset: str,
    epochs: float | None,
    minutes: float | None,
    max_steps: int | None,
    lr: float | None,
    seed: int,
    device: str,
    tracker: str,
    weights: str | None,
    detach: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Fine-tune a model on one account, or on several as a blend.

    A blend holds as many tokens of each account, or what --weights say; the share of each is shown
    before, and measured after.

    The run is a process of its own: closing the terminal does not end it. ctrl+c does, after it
    has saved what it learned.
    """
    if tracker == "wandb":
        raise WrongUsage(
            "--tracker wandb is not in this version of mynah.",
            "The curve is in the run's metrics.jsonl, and in `mynah sql 'FROM metrics'`.",
            "Leave --tracker out.",
        )
    shares = weights_given(weights)
    from core.workflow import train as start

    given = {"epochs": epochs, "minutes": minutes, "max_steps": max_steps, "lr": lr}
    run = start(
        home,
        normal_handles(list(handles)),
        recipe_name=recipe,
        preset=preset,
        base=base,
        seed=seed,
        device=device,
        weights=shares,
        expect=_say_shares,
        **{name: value for name, value in given.items() if value is not None},
    )
    narrate(f"run {run.id} has started; `mynah watch latest` follows it too")
    if detach:
        show_result(run, as_json)
    else:
        finish(home, run, as_json)


def _say_shares(expected: list[Share], counted: bool) -> None:
    for sentence in expected_sentences(expected, counted=counted):
        narrate(sentence)


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
    said = _Said(note)
    try:
        while True:
            summaries, histories, _ = follower.poll()
            summary, history = summaries[0], histories[run.id]
            said.what_is_new(history)
            if summary.state not in GOING:
                return summary
            note(_progress(summary, history, stop_on_interrupt))
            time.sleep(0.5)
    except KeyboardInterrupt:
        note.done()
        if not stop_on_interrupt:
            raise Interrupted(
                f"No longer watching; {run.id} goes on.", "", f"`mynah stop {run.id}` would end it."
            ) from None
        _stop(run)
        raise Interrupted(f"{run.id} was stopped.", what_is_left(run)) from None
    finally:
        note.done()


class _Said:
    """Says each measurement and each sample of a run once."""

    def __init__(self, note: ProgressNote) -> None:
        self._note = note
        self._step = -1
        self._samples = 0

    def what_is_new(self, history: RunHistory) -> None:
        if history.valid_steps and history.valid_steps[-1] != self._step:
            self._step = history.valid_steps[-1]
            loss = history.valid_losses[-1]
            self._note.done()
            measured = "not a number" if loss is None else f"{loss:.3f}"
            narrate(f"step {self._step:,}: held-out loss {measured}")
        for sample in history.samples[self._samples :]:
            self._note.done()
            narrate(f"  generated: {sample.text}")
        self._samples = len(history.samples)


def _progress(summary: RunSummary, history: RunHistory, ends_run: bool) -> str:
    loss = history.train_losses[-1] if history.train_losses else None
    steps = f"step {summary.step:,}" + (f" of {summary.steps:,}" if summary.steps else "")
    parts = [history.doing or summary.state, steps]
    if loss is not None:
        parts.append(f"loss {loss:.3f}")
    if history.tokens_per_second:
        parts.append(f"{short_count(history.tokens_per_second)} tok/s")
    if history.seconds_left is not None:
        parts.append(f"{clock(history.seconds_left)} left")
    parts.append("ctrl+c stops" if ends_run else "ctrl+c leaves it running")
    return " · ".join(parts)


def _stop(run: Run) -> None:
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
    rate = result["tokens_per_second"]
    before, after = (
        "–" if loss is None else f"{loss:.3f}"
        for loss in (result["valid_loss_before"], result["valid_loss_after"])
    )
    train_loss = result["train_loss"]
    emit(
        pairs(
            [
                ("run", result["run"]),
                ("state", result["state"]),
                ("base", result["base"]),
                ("device", result["device"]),
                ("steps", count(result["steps"])),
                ("tokens", count(result["tokens"]) + (f" at {rate:,.0f} a second" if rate else "")),
                *_learned(result["shares"]),
                ("train loss", None if train_loss is None else f"{train_loss:.3f}"),
                ("held-out loss", f"{before} → {after}"),
                ("model", result["model_dir"]),
            ]
        )
    )


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


@click.command()
@json_option
@home_option
def runs(as_json: bool, home: Home) -> None:
    """The runs on this machine, newest first."""
    from core.runs.summary import list_runs

    found = list_runs(home)
    if as_json:
        emit_json([summary.to_json() for summary in found])
    elif not found:
        narrate("No runs yet. `mynah train HANDLE` starts one.")
    else:
        rows = [
            [s.run, "+".join(s.handles) + _in_shares(s), s.base, s.state,
             count(s.step) + (f"/{s.steps:,}" if s.steps else ""),
             s.train_loss, s.valid_loss, ago(s.started_at), "▲ stale" if s.stale else "-"]
            for s in found
        ]  # fmt: skip
        columns = ["run", "accounts", "base", "state", "step", "train loss", "held out", "age",
                   "data"]  # fmt: skip
        emit(table(columns, rows, right=(4, 5, 6, 7)))
        for summary in found:
            say_stale(summary)


def say_stale(summary: RunSummary) -> None:
    """One line when some of what a run was made from was forgotten since."""
    if summary.stale:
        narrate(f"▲ {summary.run} is stale. {summary.stale}")


def _in_shares(summary: RunSummary) -> str:
    shares = short_shares(summary.shares)
    return f" {shares}" if shares else ""


@click.command()
@click.argument("run")
@json_option
@home_option
def watch(run: str, as_json: bool, home: Home) -> None:
    """Follow a run until it ends; ctrl+c stops the watching, not the run.

    RUN is an id, the beginning of one, or latest. A run that has ended shows its result.
    """
    from core.runs.folder import find_run
    from core.runs.summary import run_summary

    found = find_run(home, run)
    summary = run_summary(found)
    say_stale(summary)
    if summary.state in GOING:
        summary = follow(home, found, stop_on_interrupt=False)
    show_result(found, as_json)
    refuse_failure(summary)


@click.command()
@click.argument("run")
@json_option
@home_option
def stop(run: str, as_json: bool, home: Home) -> None:
    """Stop a run; it saves its model first. One that has ended stays as it is.

    RUN is an id, the beginning of one, or latest.
    """
    from core.runs.folder import find_run
    from core.runs.summary import run_summary

    found = find_run(home, run)
    state = run_summary(found).state
    if state in GOING:
        _stop(found)
        narrate(f"{found.id} has stopped. {what_is_left(found)}")
    else:
        how = "is presumed dead" if state == "dead" else f"had already {state}"
        if state == "stopped":
            how = "was stopped before"
        narrate(f"{found.id} {how}; there is nothing to stop.")
    if as_json:
        show_result(found, as_json)


@click.command()
@click.argument("run")
@click.option("--detach", is_flag=True, help="Return at once; the run goes on by itself.")
@json_option
@home_option
def resume(run: str, detach: bool, as_json: bool, home: Home) -> None:
    """Take a stopped, failed or dead run up again at its last checkpoint.

    RUN is an id, the beginning of one, or latest. Its settings stay as they were.
    """
    from core.runs.folder import find_run
    from core.runs.launch import resume_run

    found = resume_run(find_run(home, run))
    narrate(f"run {found.id} goes on; `mynah watch latest` follows it too")
    if detach:
        show_result(found, as_json)
    else:
        finish(home, found, as_json)
