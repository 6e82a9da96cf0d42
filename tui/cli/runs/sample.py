"""``mynah sample``: write tweets with a fine-tuned model."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from core.errors import InputRefused, Interrupted, MynahError, WrongUsage
from core.home import Home
from core.models.generation import (
    MAX_TOKENS,
    MIN_P,
    REPETITION_PENALTY,
    TEMPERATURE,
    TOP_K,
    TOP_P,
)
from core.numbers import percent, plural
from core.safe_text import printable
from tui.cli.asking import may_replace
from tui.cli.long_work import stoppable
from tui.cli.options import (
    FiniteRange,
    OutPath,
    force_option,
    home_option,
    json_option,
    typed_options,
)
from tui.cli.output import ProgressNote, emit, emit_json, narrate
from tui.cli.runs.following import say_stale
from tui.text.numbers import SIGNS, about

if TYPE_CHECKING:
    from core.sampling.request import Sample, SampleEvent, SampleRequest

# Parameters that a stored sample brings with it, or that it cannot be repeated with.
_OWN: Final = (
    "prompt", "reply_to", "prompts", "n", "max_tokens", "temperature", "top_p", "top_k", "min_p",
    "repetition_penalty", "banned", "stops", "probabilities", "seed", "allow_copies", "output",
)  # fmt: skip


@click.command()
@click.argument("run", required=False)
@click.option("--prompt", default="", help="How each sample begins; empty lets it choose.")
@click.option("--reply-to", default="", metavar="TEXT",
              help="A tweet that each sample answers, of a run that has learned answers (`mynah "
                   "train --answers`).")  # fmt: skip
@click.option("--prompts", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
              help="A prompt a line, each with -n samples; - is stdin.")  # fmt: skip
@click.option("--repeat", "sample_id", metavar="ID",
              help="Make a stored sample again, and say whether it is the same.")  # fmt: skip
@click.option("-n", "--count", "n", type=click.IntRange(1, 10_000), default=5,
              show_default=True)  # fmt: skip
@click.option("--max-tokens", type=click.IntRange(1, 1024), default=MAX_TOKENS, show_default=True)
@click.option("--temperature", type=FiniteRange(0, 5), default=TEMPERATURE, show_default=True)
@click.option("--top-p", type=FiniteRange(0, 1, min_open=True), default=TOP_P,
              show_default=True)  # fmt: skip
@click.option("--top-k", type=click.IntRange(0), default=TOP_K, show_default=True, help="0 is off.")
@click.option(
    "--min-p",
    type=FiniteRange(0, 1),
    default=MIN_P,
    show_default=True,
    help="Leave out words whose probability is below this share of the likeliest word's; 0 is off.",
)
@click.option(
    "--repetition-penalty",
    type=FiniteRange(0, min_open=True),
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
@click.option("--exact", is_flag=True,
              help="Compute in float32, also where int8 or bfloat16 is faster here.")  # fmt: skip
@click.option("-o", "--output", type=OutPath(dir_okay=False),
              help="Write each sample to this file when it is done: a line of JSON.")  # fmt: skip
@force_option
@json_option
@home_option
def sample(
    run: str | None,
    prompt: str,
    reply_to: str,
    prompts: Path | None,
    sample_id: str | None,
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
    exact: bool,
    output: Path | None,
    force: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Write tweets with a run's model.

    RUN is an id, the beginning of one, a name, or latest. ≡ marks a copy of a training tweet, ≈ one
    that is close to it; the line below says which, and what words they share. ctrl+c stops and
    shows what there is. With -o the lines come in the order in which samples are done; each has its
    index.

    --repeat takes an id of SQL's table samples, or the beginning of one: prompt, seed and all else
    are those of that sample, and RUN can be left out.
    """
    from core.runs.folder import find_run
    from core.runs.summary import run_summary
    from core.sampling.request import SampleRequest

    if sample_id is not None:
        if others := typed_options(_OWN):
            raise WrongUsage(
                "A repeated sample has its own prompt and settings.",
                "",
                f"Leave {' and '.join(others)} out.",
            )
        _repeat(home, run, sample_id, exact=exact, as_json=as_json)
        return
    if run is None:
        raise WrongUsage("RUN is missing.", "", "`mynah sample latest` samples the newest.")
    if prompt and prompts:
        raise WrongUsage("There are two kinds of prompts.", "", "Leave --prompt or --prompts out.")
    chosen = find_run(home, run)
    say_stale(run_summary(chosen))
    request = SampleRequest(
        prompt=prompt,
        reply_to=reply_to,
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
    ).seeded()
    requests = [request]
    if prompts is not None:
        requests = [replace(request, prompt=one) for one in _prompts(prompts)]
    if output is None:
        samples, stopped = generate(chosen.folder, requests, exact=exact)
        show_samples(samples, chosen.id, as_json)
    else:
        may_replace([output], force=force)
        try:
            with output.open("w", encoding="utf-8") as lines:
                samples, stopped = generate(
                    chosen.folder, requests, exact=exact, lines=lines, run=chosen.id
                )
        except OSError as error:
            raise InputRefused(
                f"{output} cannot be written.", f"{error.strerror or error}."
            ) from None
        made = plural(len(samples), "sample")
        narrate(f"{made} in {output}, generated by {chosen.id}")
    if stopped:
        raise Interrupted(f"Stopped after {len(samples)} of {n * len(requests)} samples.")


def _prompts(path: Path) -> list[str]:
    """The lines of a file that are not empty. Raises InputRefused."""
    try:
        with click.open_file(str(path), "rb") as file:
            lines = file.read().decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = "It is not UTF-8." if isinstance(error, ValueError) else f"{error.strerror}."
        raise InputRefused(f"The prompts in {path} cannot be read.", why) from None
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise InputRefused(f"There is no prompt in {path}.", "", "Write one a line.")
    return found


def _repeat(home: Home, run: str | None, sample_id: str, *, exact: bool, as_json: bool) -> None:
    """Makes a stored sample again, in float32 if that is what it was made in."""
    from core.runs.folder import Run, find_run
    from core.sampling.store import Repeated, find_sample, repeat
    from core.sampling.voices import voice_of

    stored = find_sample(home, sample_id)
    if run is not None and (chosen := find_run(home, run).id) != stored.run:
        raise InputRefused(
            f"{chosen} has no sample {sample_id}.", f"{stored.run} has it.", "Leave the run out."
        )
    folder = find_run(home, stored.run).folder
    voice = voice_of(Run(folder), stored.model)
    note = ProgressNote()
    with voice.sampler(exact=exact or stored.device.endswith("float32")) as sampler:
        note(f"loading the model of {stored.run}…")

        def work() -> Repeated | None:
            return repeat(stored, sampler, voice.hash())

        try:
            again = stoppable(work, sampler.stop)
        finally:
            note.done()
    if again is None:
        raise Interrupted("Stopped before the sample was complete.")
    if as_json:
        outcome = {"repeats": stored.id, "same": again.same, "model_changed": again.model_changed}
        emit_json([one | outcome for one in labelled([again.sample], stored.run)])
    else:
        show_samples([again.sample], stored.run, as_json=False)
    narrate(again.in_words)


def generate(
    run_folder: Path,
    requests: Sequence[SampleRequest],
    *,
    exact: bool = False,
    lines: TextIO | None = None,
    run: str = "",
) -> tuple[list[Sample], bool]:
    """The samples of each request by index, with progress; and whether ctrl+c ended it early.

    ``lines``: each is written there as a line of JSON, with its label, when it is done.
    """
    from core.runs.folder import Run
    from core.sampling.request import Done, Ready
    from core.sampling.store import sample_and_store
    from core.sampling.voices import tuned_voice

    note = ProgressNote()
    voice = tuned_voice(Run(run_folder))
    not_stored: list[str] = []
    done: list[tuple[int, Sample]] = []
    asked: list[bool] = []
    total = sum(request.n for request in requests)
    began = time.monotonic()

    def hear(number: int, event: SampleEvent) -> None:
        nonlocal began
        if isinstance(event, Ready):
            began = time.monotonic()
        if isinstance(event, Done):
            done.append((number, event.sample))
            if lines is not None:
                lines.write(json.dumps(labelled([event.sample], run)[0]) + "\n")
                lines.flush()
        if isinstance(event, (Done, Ready)):
            note(_progress(len(done), total, time.monotonic() - began))

    def work() -> None:
        for number, request in enumerate(requests):
            if asked:
                return
            for event, _ in sample_and_store(voice, sampler, request, not_stored.append):
                hear(number, event)

    def stop() -> None:
        asked.append(True)
        sampler.stop()

    with voice.sampler(exact=exact) as sampler:
        note(f"loading the model of {run_folder.name}…")
        try:
            stoppable(work, stop)
        except MynahError:
            if not asked:  # a child that was still loading leaves by itself on ctrl+c
                raise
        finally:
            note.done()
    if not_stored:
        narrate(f"The samples were not stored in the run: {not_stored[0]}.")
    done.sort(key=lambda made: (made[0], made[1].index))
    return [made for _, made in done], bool(asked)


def _progress(done: int, n: int, seconds: float) -> str:
    """How many there are, and once some are, how many a second and how long it takes."""
    shown = f"{done:,} of {n:,} samples"
    if done and seconds > 0 and done < n:
        shown += f" · {done / seconds:.1f} a second · {about((n - done) * seconds / done)} left"
    return f"{shown} · ctrl+c stops"


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
    if samples[0].reply_to:
        emit(f"in answer to: {printable(samples[0].reply_to)}")
    for one in samples:
        sign = {"verbatim": SIGNS["verbatim"], "near": SIGNS["near"]}.get(one.copy.verdict, " ")
        more = "" if one.stopped in ("eos", "newline", "stop_word") else " …"
        emit(f"{sign} {printable(one.text)}{more}")
        if sign != " " and one.copy.shared:
            shared = " … ".join(one.text[begin:end] for begin, end in one.copy.shared)
            tweets = "tweets" if len(one.copy.tweet_ids) > 1 else "tweet"
            ids = " and ".join(one.copy.tweet_ids) or "without an id"
            emit(f"    {percent(one.copy.share)} in {tweets} {printable(ids)}: {printable(shared)}")
