"""``mynah sample``: write tweets with a fine-tuned model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.errors import Interrupted, MynahError
from core.home import Home
from core.models.generation import (
    MAX_TOKENS,
    MIN_P,
    REPETITION_PENALTY,
    TEMPERATURE,
    TOP_K,
    TOP_P,
)
from core.safe_text import printable
from tui.cli.long_work import stoppable
from tui.cli.options import home_option, json_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate
from tui.cli.runs.following import say_stale
from tui.text.numbers import SIGNS

if TYPE_CHECKING:
    from core.sampling.request import Sample, SampleEvent, SampleRequest


@click.command()
@click.argument("run")
@click.option("--prompt", default="", help="How each sample begins; empty lets it choose.")
@click.option("-n", "--count", "n", type=click.IntRange(1, 200), default=5, show_default=True)
@click.option("--max-tokens", type=click.IntRange(1, 1024), default=MAX_TOKENS, show_default=True)
@click.option("--temperature", type=click.FloatRange(0, 5), default=TEMPERATURE, show_default=True)
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=TOP_P,
              show_default=True)  # fmt: skip
@click.option("--top-k", type=click.IntRange(0), default=TOP_K, show_default=True, help="0 is off.")
@click.option(
    "--min-p",
    type=click.FloatRange(0, 1),
    default=MIN_P,
    show_default=True,
    help="Only words at least that many times as likely as the likeliest; 0 is off.",
)
@click.option(
    "--repetition-penalty",
    type=click.FloatRange(0, min_open=True),
    default=REPETITION_PENALTY,
    show_default=True,
    help="1 is off.",
)
@click.option(
    "--ban",
    "banned",
    multiple=True,
    metavar="WORD",
    help="A word or phrase that no sample may have; repeatable.",
)
@click.option("--stop", "stops", multiple=True, metavar="WORD",
              help="A sample ends before it; repeatable.")  # fmt: skip
@click.option("--probabilities", is_flag=True,
              help="With --json: each token, how likely it was, and its rank.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Repeats the same samples.")
@click.option("--allow-copies", is_flag=True, help="Do not draw again what copies a tweet.")
@json_option
@home_option
def sample(
    run: str,
    prompt: str,
    n: int,
    max_tokens: int,
    temperature: float,
    top_p: float,
    top_k: int,
    min_p: float,
    repetition_penalty: float,
    banned: tuple[str, ...],
    stops: tuple[str, ...],
    probabilities: bool,
    seed: int | None,
    allow_copies: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Write tweets with a run's model.

    RUN is an id, the beginning of one, a name, or latest. ≡ marks a copy of a training tweet, ≈ one
    that is close to it; the line below says which, and what words they share. ctrl+c stops and
    shows what there is.
    """
    from core.runs.folder import find_run
    from core.runs.summary import run_summary
    from core.sampling.request import SampleRequest

    chosen = find_run(home, run)
    say_stale(run_summary(chosen))
    request = SampleRequest(
        prompt=prompt,
        n=n,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        seed=seed,
        allow_copies=allow_copies,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        banned=banned,
        stops=stops,
        probabilities=probabilities,
    )
    samples, stopped = generate(chosen.folder, request)
    show_samples(samples, chosen.id, as_json)
    if stopped:
        raise Interrupted(f"Stopped after {len(samples)} of {n} samples.")


def generate(run_folder: Path, request: SampleRequest) -> tuple[list[Sample], bool]:
    """The samples of a request by index, with progress; and whether ctrl+c ended it early."""
    from core.runs.folder import Run
    from core.sampling.request import Done, Ready
    from core.sampling.store import sample_and_store
    from core.sampling.voices import tuned_voice

    note = ProgressNote()
    voice = tuned_voice(Run(run_folder))
    not_stored: list[str] = []
    done: list[Sample] = []
    asked: list[bool] = []

    def hear(event: SampleEvent) -> None:
        if isinstance(event, Done):
            done.append(event.sample)
        if isinstance(event, (Done, Ready)):
            note(f"{len(done)} of {request.n} samples · ctrl+c stops")

    def work() -> None:
        for event, _ in sample_and_store(voice, sampler, request, not_stored.append):
            hear(event)

    def stop() -> None:
        asked.append(True)
        sampler.stop()

    with voice.sampler() as sampler:
        note(f"waking the model of {run_folder.name}…")
        try:
            stoppable(work, stop)
        except MynahError:
            if not asked:  # a child that was still waking leaves by itself on ctrl+c
                raise
        finally:
            note.done()
    if not_stored:
        narrate(f"The samples were not stored in the run: {not_stored[0]}.")
    return sorted(done, key=lambda made: made.index), bool(asked)


def labelled(samples: list[Sample], run: str) -> list[dict[str, Any]]:
    """The contract's objects; each also says that it is generated, and by which run."""
    return [one.to_json() | {"run": run, "generated": True} for one in samples]


def show_samples(samples: list[Sample], run: str, as_json: bool) -> None:
    """Generated text never leaves without its label: that is why it stands in the data."""
    if as_json:
        emit_json(labelled(samples, run))
        return
    if not samples:
        return
    emit(f"generated by {run} (seed {samples[0].seed}); not written by a person")
    for one in samples:
        sign = {"verbatim": SIGNS["verbatim"], "near": SIGNS["near"]}.get(one.copy.verdict, " ")
        more = "" if one.stopped in ("eos", "newline", "stop_word") else " …"
        emit(f"{sign} {printable(one.text)}{more}")
        if sign != " " and one.copy.shared:
            shared = " … ".join(one.text[begin:end] for begin, end in one.copy.shared)
            tweets = "tweets" if len(one.copy.tweet_ids) > 1 else "tweet"
            ids = " and ".join(one.copy.tweet_ids) or "without an id"
            emit(f"    {one.copy.share:.0%} in {tweets} {printable(ids)}: {printable(shared)}")
