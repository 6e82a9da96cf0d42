"""Starting, stopping and resuming the process of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import core
from core.children.start import Child, child_environment, start_child
from core.errors import InputRefused, Interrupted, MynahError
from core.files import force_to_disk, owned_folder
from core.home import Home
from core.locks import Locked, held_lock
from core.models.catalogue import Base, resolve
from core.processes import (
    Owner,
    process_age,
    process_times,
    since_boot,
    this_machine,
)
from core.runs.folder import ENDED, STALE_NOTE, Run, base_of, new_run_id, stale_note
from core.runs.follow import after_all_lines, beats_elsewhere, is_alive
from core.runs.memory import check_here, estimated
from core.runs.record import RecipeName, RunRecord
from core.runs.settings import RunRequest, TrainSettings
from core.runs.shares import check_blend, shares_of_sizes, sizes_by_handle

if TYPE_CHECKING:
    import polars as pl

    from core.dataset.answers import Answers
    from core.dataset.shares import Share

TERM_SECONDS: Final = 10.0
KILL_SECONDS: Final = 5.0
# A process that was killed holds its lock until the last of its threads is gone.
LOCK_SECONDS: Final = 1.0
# Python and the first imports: until then a process does not listen to signals.
START_SECONDS: Final = 10.0


def start_run(
    home: Home,
    request: RunRequest,
    batches: Iterable[pl.DataFrame],
    *,
    answers: Answers | None = None,
    expect: Callable[[list[Share], bool], None] | None = None,
) -> Run:
    """`create_run`, and its process, which lives on when this one ends. Returns at once.

    Raises InputRefused where this machine has too little memory, but for ``request.now``.
    """
    base = resolve(request.settings.base)
    if not request.now:
        check_here(base, request.settings)
    run = create_run(home, request, batches, answers=answers, expect=expect, base=base)
    try:
        with held_lock(run.lock):
            _launch(run, needs_network=_needs_network(base))
    except BaseException:
        shutil.rmtree(run.folder, ignore_errors=True)
        raise
    return run


def prepare_run(
    home: Home,
    request: RunRequest,
    batches: Iterable[pl.DataFrame],
    *,
    answers: Answers | None = None,
    expect: Callable[[list[Share], bool], None] | None = None,
) -> Run:
    """`create_run`; its processes are then started by torchrun, or one by `resume_run`."""
    run = create_run(home, request, batches, answers=answers, expect=expect)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    run.update_record(state="stopped", ended=now, reason="It waits for torchrun to start it.")
    return run


def create_run(
    home: Home,
    request: RunRequest,
    batches: Iterable[pl.DataFrame],
    *,
    answers: Answers | None = None,
    expect: Callable[[list[Share], bool], None] | None = None,
    base: Base | None = None,
) -> Run:
    """Freezes the dataset, and what others say, and writes run.json; nothing is started.

    ``batches`` are the request's tweets as `curated_batches` gives them, in order, read once;
    ``answers`` what they answer, where settings ask for it. ``expect`` gets what an epoch will show
    of each account, and whether tokens were counted. ``base``: the settings' one, resolved before.

    Raises InputRefused (too few tweets kept, base not at hand), WrongUsage (weights), CorpusBusy
    and ServiceRefused (base not at the hub); then no folder is left behind.
    """
    from core.dataset.answers import Answers
    from core.dataset.frozen import FEWEST_TWEETS, answering_of, freeze
    from core.dataset.sayings import freeze_sayings

    recipe, names = request.recipe, request.names or {}
    check_blend(request.settings, request.weights)
    base = base or resolve(request.settings.base)
    settings = replace(request.settings, base=base.name)  # its process runs in another folder
    handles = list(request.handles) if settings.blend == "classic" else sorted(request.handles)
    now = datetime.now(timezone.utc)
    begins_with = Run(home.runs / request.continues.run) if request.continues else None
    first = begins_with.record() if begins_with else None
    run = Run(home.runs / new_run_id(handles, now.astimezone()))
    with owned_folder(home.runs, "run", elsewhere=False) as made:
        staged = Run(made / run.id)
        staged.folder.mkdir()
        manifest = freeze(
            batches,
            staged.dataset,
            handles=handles,
            recipe=recipe,
            seed=settings.seed,
            valid_fraction=settings.valid_fraction,
            weights=request.weights,
            fewest=FEWEST_TWEETS,
            answers=(answers or Answers([])) if settings.answers else None,
        )
        if request.dataset not in (None, manifest.sha256):
            raise InputRefused(
                "The tweets are not those that the other trials learned from.",
                "What the recipe keeps of them has changed since.",
                "Their losses would not compare: begin a sweep under another name.",
            )
        freeze_sayings(staged.dataset, home, handles)
        answering = answering_of(staged.dataset, settings.row_tokens) if settings.answers else None
        shares, counted = _expected(staged, settings, manifest.weights)
        staged.write_record(
            RunRecord(
                id=run.id,
                handles=handles,
                names={handle: names.get(handle) or handle for handle in request.handles},
                base=base.name,
                base_source=first.base_source if first else base.source,
                base_licence=first.base_licence if first else base.licence,
                recipe=RecipeName(recipe.name, recipe.hash, recipe.edited),
                dataset=manifest.sha256,
                weights=dict(manifest.weights),
                expected_shares={share.handle: share.share for share in shares},
                settings=settings.to_json(),
                sweep=request.sweep,
                continues=request.continues,
                leaked=sorted(request.leaked),
                answering=answering,
                now=request.now,
                memory_needed=estimated(base, settings),
                state="queued",
                created=now.isoformat(timespec="seconds"),
                machine=this_machine(),
                python=sys.version.split()[0],
                versions={
                    name: _version(name) for name in ("mynah", "torch", "transformers", "peft")
                },
            )
        )
        if begins_with is not None and stale_note(begins_with.folder) is not None:
            # what was forgotten since is in the weights that it begins with
            shutil.copyfile(begins_with.folder / STALE_NOTE, staged.folder / STALE_NOTE)
        if expect is not None:
            expect(shares, counted)
        # a run from now on: who is killed before leaves only what the next one clears away
        staged.folder.rename(run.folder)
        force_to_disk(home.runs)
    return run


def _expected(
    run: Run, settings: TrainSettings, weights: Mapping[str, float]
) -> tuple[list[Share], bool]:
    """By the tokens of the base where its tokenizer is at hand, which the process counts again;
    and whether it is.
    """
    import polars as pl

    from core.dataset.frozen import training_batches
    from core.models.tokens import token_counter

    handles = [part["handle"].unique() for part in training_batches(run.dataset, ["handle"])]
    several = pl.concat(handles).n_unique() > 1
    count_tokens = token_counter(settings.base) if several else None
    sizes = []
    for part in training_batches(run.dataset, ["handle", "text"]):
        counts = count_tokens(part["text"].to_list()) if count_tokens else None
        with_marks = None if counts is None else [count + 1 for count in counts]
        sizes.append(sizes_by_handle(part, with_marks))
    return shares_of_sizes(sizes, settings, weights), count_tokens is not None


def resume_run(run: Run, *, now: bool = False) -> Run:
    """Takes a stopped, failed or dead run up again at its last checkpoint, with its own settings.

    One that has no checkpoint yet starts again at its beginning. ``now``: it does not wait for
    other runs, even if it was started to. Raises InputRefused when it still
    goes on, has finished, or somebody else takes it up at this moment.
    """
    with _taken_up(run, now=now) as base:
        _launch(run, "--resume", needs_network=_needs_network(base))
    return run


def work_here(run: Run) -> bool:
    """This process is that of ``run`` from now on; returns whether the run had begun before.

    For one that somebody else has started, on whichever machine. Raises InputRefused as
    `resume_run` does.
    """
    with _taken_up(run, now=False):
        pid = os.getpid()
        record = run.update_record(
            pid=pid,
            pid_start=process_times(pid),
            pid_since_boot=since_boot(pid),
            machine=this_machine(),
            reason="",
        )
    return record.decisions is not None


@contextlib.contextmanager
def _taken_up(run: Run, *, now: bool) -> Iterator[Base]:
    """The base of ``run``, which has no process, and nobody else gives it one for the block."""
    # the process of a run that has just ended, or was killed, may still be there for a moment
    record = run.record()
    wait = TERM_SECONDS if record.state in ENDED else 0.0 if is_alive(run, record) else LOCK_SECONDS
    try:
        with held_lock(run.lock, seconds=wait):
            record = run.record()
            if record.state == "finished":
                raise InputRefused(
                    f"{run.id} has finished.",
                    "Its model is made, and its checkpoints are removed.",
                    f"A new run can go on from it: `mynah train --from {run.id}`.",
                )
            if not _gone(run, record, wait) or beats_elsewhere(run, record):
                raise _still_going(run)
            if record.train_settings is None:
                raise InputRefused(
                    f"{run.id} cannot be resumed.",
                    "The settings in its run.json cannot be read.",
                    "Start a new run.",
                )
            base = base_of(run, record)
            run.stop_mark.unlink(missing_ok=True)
            run.update_record(
                state="queued",
                ended=None,
                pid=None,
                pid_start=None,
                pid_since_boot=None,
                resumed=after_all_lines(run),
                now=record.now or now,
            )
            yield base
    except Locked as error:
        raise _still_going(run) from error


def _still_going(run: Run) -> InputRefused:
    return InputRefused(f"{run.id} is still going.", "", f"`mynah watch {run.id}` follows it.")


def _needs_network(base: Base) -> bool:
    return base.kind == "hub" and base.folder is None


def stop_run(run: Run, wait: float = 60.0, *, cancelled: Callable[[], bool] | None = None) -> None:
    """Asks the process to save and leave, and returns when it is gone.

    SIGINT: it finishes its step, saves checkpoint and model, and leaves. If that has not happened
    after ``wait`` seconds SIGTERM: it leaves with its last checkpoint. Then SIGKILL. A run that is
    not going is left as it is. Raises MynahError when the process cannot be ended from here, and
    Interrupted when ``cancelled`` says so: what was asked of the process by then stands.
    """
    record = run.record()
    until = time.monotonic() + KILL_SECONDS
    while record.pid is None and is_alive(run, record) and time.monotonic() < until:
        time.sleep(0.05)  # it is being started this very moment
        record = run.record()
    if not is_alive(run, record):
        return
    if record.pid is None or record.machine != this_machine():
        raise MynahError(
            f"{run.id} cannot be stopped from here.", "Its process runs on another machine."
        )
    run.stop_mark.touch()  # where nobody waits any more it stays: a young process has not seen it
    age = process_age(record.pid)
    for number, seconds in _stop_signals(wait, young=age is not None and age < START_SECONDS):
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, number)
        if _gone(run, record, seconds, cancelled):
            run.stop_mark.unlink(missing_ok=True)
            return
    raise MynahError(f"{run.id} does not end.", f"Its process is {record.pid}.")


def _stop_signals(wait: float, *, young: bool) -> list[tuple[int | None, float]]:
    """What to send, and how long to wait then; None sends nothing, the mark is there already."""
    if sys.platform == "win32":
        # No SIGINT reaches a detached process there; it sees the mark after its step.
        return [(None, wait), (signal.SIGTERM, KILL_SECONDS)]
    # one that does not listen yet would die of a signal; it sees the mark when it does
    first: list[tuple[int | None, float]] = [(None, min(wait, START_SECONDS))] if young else []
    return [
        *first,
        (signal.SIGINT, wait),
        (signal.SIGTERM, TERM_SECONDS),
        (signal.SIGKILL, KILL_SECONDS),
    ]


def _gone(
    run: Run,
    record: RunRecord,
    seconds: float,
    cancelled: Callable[[], bool] | None = None,
) -> bool:
    until = time.monotonic() + seconds
    while is_alive(run, record):
        if cancelled and cancelled():
            raise Interrupted(f"{run.id} was asked to stop.", "Nobody waits for it any more.")
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _launch(run: Run, *arguments: str, needs_network: bool) -> None:
    """Starts the child, detached from this terminal, and writes its pid into run.json.

    The caller holds the lock of the run, which the child waits for and then holds while it lives.
    """
    run.update_record(starter=Owner.this_process())
    run.heartbeat.touch()
    try:
        child = start_detached(
            run,
            "core.training.child",
            *arguments,
            log=run.log,
            environment=child_environment(needs_network=needs_network),
        )
    except BaseException:
        run.update_record(starter=None)
        raise
    run.update_record(
        pid=child.pid,
        pid_start=process_times(child.pid),
        pid_since_boot=since_boot(child.pid),
        machine=this_machine(),
        starter=None,
    )


def start_detached(
    run: Run, module: str, *arguments: str, log: Path, environment: Mapping[str, str]
) -> Child:
    """``MODULE RUN_FOLDER ARGUMENTS``, which lives on when this process or its terminal ends;
    what it prints is added to ``log``.
    """
    with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        return start_child(
            module,
            str(run.folder),
            *arguments,
            environment=environment,
            files=(nothing.fileno(), output.fileno(), output.fileno()),
            folder=run.folder,
            detached=True,
        )


@cache  # to look for it takes milliseconds
def _version(name: str) -> str | None:
    if name == "mynah":
        return core.__version__
    try:
        return version(name)
    except PackageNotFoundError:
        return None
