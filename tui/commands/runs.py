"""train, runs, watch, stop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from core.errors import Interrupted, MynahError
from core.handles import normal_handles
from core.home import Home
from tui.commands.output import (
    ProgressNote,
    emit,
    emit_json,
    home_option,
    json_option,
    narrate,
    table,
)
from tui.words import clock, short_count

if TYPE_CHECKING:
    from core.training import Run

GOING = ("queued", "starting", "running", "stopping")


def follow(home: Home, run: Run, *, stop_on_interrupt: bool) -> Any:
    """Narrate a run until it ends and return its summary; ctrl+c stops it, or only the watching."""
    from core.training import RunsFollower, stop_run

    follower = RunsFollower(home, only=run.id)
    note = ProgressNote()
    said_steps = -1
    said_samples = 0
    try:
        while True:
            summaries, histories, _ = follower.poll()
            summary, history = summaries[0], histories[run.id]
            if len(history.valid_steps) and history.valid_steps[-1] != said_steps:
                said_steps = history.valid_steps[-1]
                note.done()
                narrate(f"step {said_steps}: held-out loss {history.valid_losses[-1]:.3f}")
            for sample in history.samples[said_samples:]:
                note.done()
                narrate(f"  it says (generated): {sample.text}")
            said_samples = len(history.samples)
            if summary.state not in GOING:
                return summary
            loss = history.train_losses[-1] if len(history.train_losses) else None
            note(
                f"{summary.state} · step {summary.step}"
                + (f" · loss {loss:.3f}" if loss is not None else "")
                + f" · {short_count(history.tokens_per_second)} tok/s"
                + f" · {clock(history.seconds_left)} left · ctrl+c stops"
            )
            time.sleep(0.5)
    except KeyboardInterrupt:
        note.done()
        if not stop_on_interrupt:
            raise Interrupted(f"No longer watching; {run.id} goes on.") from None
        narrate("stopping: saving what it has learned…")
        stop_run(run)
        raise Interrupted(
            f"{run.id} was stopped; its model and curve are kept.",
            "",
            f"`mynah sample {run.id}` talks to it.",
        ) from None
    finally:
        note.done()


@click.command()
@click.argument("handles", nargs=-1, required=True)
@click.option("--base", metavar="B", help="smollm2, scratch, a Hugging Face id or a folder.")
@click.option("--recipe", default="standard", show_default=True, help="A recipe's name or file.")
@click.option("--preset", type=click.Choice(["fast", "quality", "classic"]), default="fast",
              show_default=True)  # fmt: skip
@click.option("--epochs", type=click.FloatRange(0.01, 1000), help="Passes over the tweets.")
@click.option("--minutes", type=click.FloatRange(0.05, 100_000), help="Training time at most.")
@click.option("--max-steps", type=click.IntRange(1), help="Optimiser steps at most.")
@click.option("--lr", type=click.FloatRange(1e-8, 1), help="Highest learning rate.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto",
              show_default=True)  # fmt: skip
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
    detach: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Fine-tune a model on one account, or on several as a blend.

    The run is a process of its own: closing the terminal does not end it.
    """
    from core.training import run_result
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
        **{name: value for name, value in given.items() if value is not None},
    )
    narrate(f"run {run.id} has started; `mynah watch {run.id}` follows it")
    if not detach:
        summary = follow(home, run, stop_on_interrupt=True)
        refuse_failure(summary)
    result = run_result(run)
    if as_json:
        emit_json(result)
    else:
        emit(table(["figure", "value"], [[name, value] for name, value in result.items()]))


def refuse_failure(summary: Any) -> None:
    if summary.state in ("failed", "dead"):
        raise MynahError(
            f"{summary.run} {'failed' if summary.state == 'failed' else 'is presumed dead'}.",
            summary.reason or "Its process is gone.",
            f"Its log is {summary.folder / 'train.log'}",
        )


@click.command()
@json_option
@home_option
def runs(as_json: bool, home: Home) -> None:
    """The runs on this machine, newest first."""
    from core.training import list_runs

    found = list_runs(home)
    if as_json:
        emit_json([summary.to_json() for summary in found])
    elif not found:
        narrate("No runs yet. `mynah train HANDLE` starts one.")
    else:
        rows = [
            [s.run, "+".join(s.handles), s.base, s.state, s.step, s.train_loss, s.valid_loss]
            for s in found
        ]
        emit(
            table(["run", "accounts", "base", "state", "step", "train loss", "held out"], rows,
                  right=(4, 5, 6))
        )  # fmt: skip


@click.command()
@click.argument("run")
@json_option
@home_option
def watch(run: str, as_json: bool, home: Home) -> None:
    """Follow a run until it ends; ctrl+c stops the watching, not the run."""
    from core.training import find_run, run_result

    found = find_run(home, run)
    summary = follow(home, found, stop_on_interrupt=False)
    if as_json:
        emit_json(run_result(found))
    else:
        emit(table(["figure", "value"], [[k, v] for k, v in run_result(found).items()]))
    refuse_failure(summary)


@click.command()
@click.argument("run")
@json_option
@home_option
def stop(run: str, as_json: bool, home: Home) -> None:
    """Stop a run; it saves its model first."""
    from core.training import find_run, run_result, stop_run

    found = find_run(home, run)
    stop_run(found)
    if as_json:
        emit_json(run_result(found))
    else:
        narrate(f"{found.id} has stopped; its model and curve are kept.")
