"""Options and words that ``train`` and ``track`` share: where a run is tracked, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tui.cli.output import narrate

if TYPE_CHECKING:
    from core.runs.tracked import Tracked

Command = TypeVar("Command", bound=Callable[..., Any])


def tracking_options(command: Command) -> Command:
    """W&B's project, entity and mode, and what may be uploaded; by name, as `tracking_asked`."""
    for option in (
        click.option("--upload-model", is_flag=True,
                     help="W&B gets the model's files, not only their names and sha256."),
        click.option("--upload-tweets", is_flag=True,
                     help="W&B gets the texts the model learns from, not only counts."),
        click.option("--mode", type=click.Choice(["offline", "online"]),
                     help="Of W&B; offline needs no account.  [default: offline]"),
        click.option("--entity", metavar="E", help="Of W&B: whose project it is."),
        click.option("--project", metavar="P", help="Of W&B.  [default: mynah]"),
    ):  # fmt: skip
        command = option(command)
    return command


def say_where(run: str, tracked: Tracked) -> None:
    """Where one can look at what the tracker has."""
    if tracked.to == "tensorboard":
        narrate(f"`tensorboard --logdir {tracked.url}` shows it.")
    elif tracked.to != "wandb" or tracked.mode == "online":
        narrate(f"It is at {tracked.url}")
    else:
        narrate(
            f"It is in {tracked.url}. "
            f"`mynah track {run} --to wandb --mode online` sends it, `wandb leet` shows it here."
        )
