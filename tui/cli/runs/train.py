"""``mynah train``: fine-tune a model on the tweets of one or more accounts."""

from __future__ import annotations

import sys
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from core.errors import WrongUsage
from core.handles import normal_handles
from core.home import Home
from core.runs.settings import PRESETS
from core.tracking.options import TRACKERS
from tui.cli.options import FiniteRange, home_option, json_option, typed_options, weights_given
from tui.cli.output import narrate
from tui.cli.runs.following import finish, show_result
from tui.cli.runs.tracking import tracking_options
from tui.text.blends import expected_sentences

if TYPE_CHECKING:
    from core.dataset.shares import Share
    from core.runs.folder import Run
    from core.runs.tracked import Tracked


@click.command()
@click.argument("handles", metavar="HANDLE...", nargs=-1)
@click.option("--from", "first", metavar="RUN",
              help="A new run that goes on from the model of this one, with its accounts, recipe, "
                   "settings and seed; --minutes, --epochs, --lr and the like change them."
              )  # fmt: skip
@click.option("--again", metavar="RUN",
              help="A new run as this one was asked for, on the tweets that the corpus holds now: "
                   "one that is stale, without what was forgotten.")  # fmt: skip
@click.option("--base", metavar="B", help="smollm2, scratch, a Hugging Face id or a folder.")
@click.option("--recipe", help="A recipe's name or file. [default: standard]")
@click.option("--preset", type=click.Choice(PRESETS), help="[default: fast]")
@click.option("--faithful", is_flag=True,
              help="As huggingtweets did, to the letter: the preset faithful. Without --base and "
                   "--recipe it takes gpt2 and classic; nothing is held out.")  # fmt: skip
@click.option("--epochs", type=FiniteRange(0.01, 1000), help="Passes over the tweets at most.")
@click.option("--minutes", type=FiniteRange(0.05, 100_000), help="Training time at most.")
@click.option("--max-steps", type=click.IntRange(1), help="Optimiser steps at most.")
@click.option("--lr", type=FiniteRange(1e-8, 1), help="Highest learning rate.")
@click.option("--answers", is_flag=True,
              help="Learn what answers somebody else's tweet as the answer to it, where that is in "
                   "the corpus; `mynah sample --reply-to` then asks for answers.")  # fmt: skip
@click.option("--max-memorised", type=FiniteRange(0, 1), metavar="SHARE",
              help="End the run once it gives back so much more of its training tweets, word for "
                   "word, than of held-out ones (0.1: a tenth of their phrases).")  # fmt: skip
@click.option("--4bit", "four_bit", is_flag=True,
              help="Hold the base in 4 bits while adapters learn: a quarter of its memory, for "
                   "large bases; with the extra fourbit. It saves a plain model.")  # fmt: skip
@click.option(
    "--exact", is_flag=True, help="Multiply in float32, also where bfloat16 is faster here."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto",
              show_default=True)  # fmt: skip
@click.option("--nproc", type=click.IntRange(1), metavar="N",
              help="Processes that share each step; each needs a core, or a GPU, of this machine."
              )  # fmt: skip
@click.option("--weights", metavar="A=1,B=2",
              help="The parts of the accounts in an epoch's tokens; 1 for the others.")  # fmt: skip
@click.option("--tracker", type=click.Choice(["off", *TRACKERS]), default="off", show_default=True,
              help="A process beside the run brings it there.")  # fmt: skip
@tracking_options
@click.option("--now", is_flag=True,
              help="Begin though another run goes there, or memory seems short.")  # fmt: skip
@click.option("--torchrun", is_flag=True,
              help="Start nothing, but print the line that does, on each machine.")  # fmt: skip
@click.option("--detach", is_flag=True, help="Return at once; the run goes on by itself.")
@json_option
@home_option
def train(
    handles: tuple[str, ...],
    first: str | None,
    again: str | None,
    base: str | None,
    recipe: str | None,
    preset: str | None,
    faithful: bool,
    epochs: float | None,
    minutes: float | None,
    max_steps: int | None,
    lr: float | None,
    answers: bool,
    max_memorised: float | None,
    four_bit: bool,
    exact: bool,
    seed: int,
    device: str,
    nproc: int | None,
    weights: str | None,
    tracker: str,
    now: bool,
    torchrun: bool,
    detach: bool,
    as_json: bool,
    home: Home,
    **tracking: Any,
) -> None:
    """Fine-tune a model on one account, or on several as a blend.

    A blend holds as many tokens of each account, or what --weights say; the share of each is shown
    before, and measured after.

    The run is a process of its own: closing the terminal does not end it. ctrl+c does, after it
    has saved what it learned. It waits its turn while another run goes on the same device.
    """
    _check_sources(first, again, handles, torchrun)
    if faithful and preset not in (None, "faithful"):
        raise WrongUsage(f"--faithful is a preset of its own, not {preset}.", "", "Leave one out.")
    preset = "faithful" if faithful else preset or "fast"
    shares = weights_given(weights)
    from core.workflow.training import train as start

    asked = _tracking(home, tracker, tracking)
    if torchrun and asked is not None:
        raise WrongUsage(
            "Nothing is started, so there is nothing to track yet.",
            "",
            f"Once it goes: `mynah track latest --to {tracker}`.",
        )
    given = {
        "epochs": epochs,
        "minutes": minutes,
        "max_steps": max_steps,
        "lr": lr,
        "answers": answers or None,
        "max_memorised": max_memorised,
        "nproc": nproc,
        "four_bit": four_bit or None,
        "arithmetic": "float32" if exact else None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if again is not None:
        run = _train_again(home, again, now, asked)
    elif first is not None:
        run = _go_on(
            home, first, now, asked, given | ({} if device == "auto" else {"device": device})
        )
    else:
        run = start(
            home,
            normal_handles(list(handles)),
            recipe_name=recipe,
            preset=preset,
            base=base,
            seed=seed,
            device=device,
            weights=shares,
            now=now,
            expect=_say_shares,
            tracking=asked,
            torchrun=torchrun,
            **given,
        )
    record = run.record()
    if record.answering is not None:
        narrate(record.answering.in_words)
    if preset == "faithful":
        narrate(_how_faithful(record.base))
    from core.processes import machine_memory
    from core.runs.memory import warning

    if short := warning(record.memory_needed, machine_memory()):
        narrate(short)
    if torchrun:
        narrate(f"Run {run.id} is ready; docs/distributed.md says how it goes. On each machine:")
        narrate(_torchrun_line(run, nproc or 1))
        show_result(run, as_json)
        return
    narrate(f"Run {run.id} has started; `mynah watch latest` follows it, too.")
    if detach:
        show_result(run, as_json)
    else:
        finish(home, run, as_json)


def _check_sources(
    first: str | None, again: str | None, handles: tuple[str, ...], torchrun: bool
) -> None:
    """Raises WrongUsage for what makes no sense beside --from and --again, or without them."""
    if first is None and again is None:
        if not handles:
            context = click.get_current_context()
            raise click.MissingParameter(ctx=context, param=context.command.params[0])
        return
    if first is not None and again is not None:
        raise WrongUsage("--from and --again do not go together.", "", "Leave one out.")
    option = "--from" if again is None else "--again"
    taken = ["base", "recipe", "preset", "faithful", "weights", "seed"]
    if again is not None:
        taken += ["epochs", "minutes", "max_steps", "lr", "answers", "max_memorised", "four_bit",
                  "exact", "device", "nproc"]  # fmt: skip
    for what in [*(["accounts"] if handles else []), *typed_options(taken)]:
        raise WrongUsage(f"{option} takes {what} from the run.", "", "Leave them out.")
    if torchrun:
        raise WrongUsage(f"{option} starts the run itself.", "", "Leave --torchrun out.")


def _train_again(home: Home, name: str, now: bool, tracking: Tracked | None) -> Run:
    from core.runs.folder import find_run
    from core.workflow.training import train_again

    before = find_run(home, name)
    run = train_again(home, before, now=now, expect=_say_shares, tracking=tracking)
    narrate(f"It is trained as {before.id} was, which stays as it is.")
    return run


def _go_on(
    home: Home, first: str, now: bool, tracking: Tracked | None, given: dict[str, Any]
) -> Run:
    from core.runs.folder import find_run
    from core.workflow.training import continue_training

    before = find_run(home, first)
    run = continue_training(home, before, now=now, expect=_say_shares, tracking=tracking, **given)
    narrate(f"A new run begins with the weights of {before.id}, which stays as it is.")
    return run


def _how_faithful(base: str) -> str:
    """What of huggingtweets' recipe depends on the base."""
    from core.models.catalogue import GPT2, GPT2_SHAPE

    if base == GPT2_SHAPE:
        return (
            "The weights of gpt2, which huggingtweets tuned, are not at hand: a model of its shape "
            "with random weights learns instead, and a vocabulary from these tweets."
        )
    if base.rpartition("/")[2] != GPT2:
        return f"huggingtweets tuned gpt2; all but the base, {base}, is as it was there."
    return "As huggingtweets did: gpt2, every weight, dropout, float32, blocks of 1,024 tokens."


def _tracking(home: Home, tracker: str, given: dict[str, Any]) -> Tracked | None:
    """What the tracker is asked for, checked before the run starts."""
    if tracker == "off":
        if any(given.values()):
            raise WrongUsage(
                "The run is not tracked.", "", "Add --tracker wandb, which these options are for."
            )
        return None
    from core.tracking.options import tracking_asked

    return tracking_asked(home, tracker, **given)


def _torchrun_line(run: Run, processes: int) -> str:
    return (
        f"{quote(sys.executable)} -m torch.distributed.run --nproc-per-node {processes}"
        f" -m core.training.distributed.torchrun {quote(str(run.folder))}"
    )


def _say_shares(expected: list[Share], counted: bool) -> None:
    for sentence in expected_sentences(expected, counted=counted):
        narrate(sentence)
