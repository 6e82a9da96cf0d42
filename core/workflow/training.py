"""From a corpus to runs: starting one, resuming it, one without leaks, sweeps of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from core.children.warm import Warm
    from core.dataset.shares import Share
    from core.home import Home
    from core.runs.folder import Run
    from core.runs.settings import RunRequest
    from core.runs.tracked import Tracked
    from core.sweeps.spec import SweepSpec
    from core.sweeps.study import TrialRow
    from core.sweeps.trials import SweepEvent

# What a trainer and a sampler import, the slow parts of transformers, which loads them late, too.
_WARM_MODULES = (
    "core.dataset.frozen",
    "core.training.child",
    "core.training.distributed.leader",
    "core.training.distributed.worker",
    "core.training.finish",
    "core.training.fit",
    "core.training.setup",
    "core.workflow.speed",
    "core.sampling.child",
    "core.sampling.copies",
    "core.sampling.engine",
    "core.sampling.decoding.loading",
    "core.models.light_peft",
    "transformers.generation",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.gpt2.modeling_gpt2",
    "transformers.models.llama.modeling_llama",
)


def train(
    home: Home,
    handles: Sequence[str],
    *,
    recipe_name: str | None = None,
    preset: str = "fast",
    base: str | None = None,
    weights: Mapping[str, float] | None = None,
    now: bool = False,
    expect: Callable[[list[Share], bool], None] | None = None,
    tracking: Tracked | None = None,
    torchrun: bool = False,
    **overrides: Any,
) -> Run:
    """`start_training` with a recipe by its name, settings by preset, base and ``overrides``.

    Recipe and base that are not named are the usual ones; those of huggingtweets where the preset
    is faithful.
    """
    from core.curation.recipe import load_recipe
    from core.models.catalogue import base_of_huggingtweets, default_base
    from core.runs.settings import RunRequest, settings_for

    faithful = preset == "faithful"
    base = base or (base_of_huggingtweets() if faithful else default_base())
    settings = settings_for(preset, base, **overrides)
    if not torchrun:  # else it is for other machines, too
        _check_device(settings.device, settings.nproc)
    recipe = load_recipe(recipe_name or ("classic" if faithful else "standard"), home)
    request = RunRequest(handles, recipe, settings, weights, now=now)
    return start_training(home, request, expect=expect, tracking=tracking, torchrun=torchrun)


def _check_device(device: str, processes: int) -> None:
    """Raises InputRefused for a device that is not here, or not for so many processes."""
    if processes > 1 or device not in ("auto", "cpu"):
        from core.training.device import check_processes, choose_device

        # loads torch, but says so now and not in the run's log
        check_processes(processes, choose_device(device))


def start_training(
    home: Home,
    request: RunRequest,
    *,
    expect: Callable[[list[Share], bool], None] | None = None,
    tracking: Tracked | None = None,
    torchrun: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> Run:
    """Curate and freeze the dataset, start the detached trainer, and return its run at once.

    The recipe need not be saved. The tweets are curated in a stream, as for an export: memory does
    not grow with them. ``expect`` is that of `create_run`; ``tracking`` (see `tracking_asked`) is
    for a process beside the run that brings it into a tracker. ``torchrun``: nothing is started,
    torchrun does that. Raises InputRefused when a handle has no tweets, too few are kept, or the
    base is not at hand; CorpusBusy; Interrupted when ``cancelled`` says so.
    """
    from core.corpus.reading import account_names, tweets_at_hand
    from core.corpus.store import Corpus
    from core.curation.stream import curated_batches
    from core.dataset.answers import answers_of
    from core.models.four_bit import check_library
    from core.runs.housekeeping import AT_ONCE, empty_trash
    from core.runs.launch import prepare_run, start_run

    if request.settings.four_bit and not torchrun:
        check_library()
    empty_trash(home, most=AT_ONCE)
    corpus = Corpus(home.corpus)
    tweets_at_hand(corpus, request.handles)
    batches = curated_batches(
        corpus, request.handles, request.recipe, explain=False, cancelled=cancelled
    )
    if request.leaked:
        from core.report.leaks import without_leaked

        batches = without_leaked(batches, request.leaked)
    request = replace(request, names=account_names(corpus, request.handles))
    begin = prepare_run if torchrun else start_run
    with ExitStack() as stack:
        answers = None
        if request.settings.answers:
            found = answers_of(corpus, request.handles, request.recipe, cancelled, of_others=True)
            answers = stack.enter_context(found)
        run = begin(home, request, batches, answers=answers, expect=expect)
    if tracking is not None:
        from core.tracking.launch import track_with_run

        track_with_run(run, tracking)
    return run


def train_without_leaks(
    home: Home,
    run: Run,
    *,
    torchrun: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> Run:
    """A new run like ``run``, but for the tweets that its model gave back word for word.

    They are those that the last `make_report` with leaks found, and those that ``run`` itself was
    made without. Accounts, recipe, settings and weights are the same; the tweets are what the
    corpus holds now. Where the run went on from another, whose weights may hold them, the new one
    begins with what the first of these began with. ``torchrun`` is that of `start_training`.
    Raises InputRefused when no leak was found, and what that raises.
    """
    from core.errors import InputRefused
    from core.report.leaks import leaked_ids

    leaked = leaked_ids(run)
    if not leaked:
        raise InputRefused(
            f"No tweet is known to come back from {run.id}.",
            "",
            f"`mynah report {run.id} --leaks` looks for them.",
        )
    request = _anew(run)
    request = replace(request, leaked={*request.leaked, *leaked})
    return start_training(home, request, torchrun=torchrun, cancelled=cancelled)


def train_again(
    home: Home,
    run: Run,
    *,
    now: bool = False,
    expect: Callable[[list[Share], bool], None] | None = None,
    tracking: Tracked | None = None,
    torchrun: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> Run:
    """A run asked for as ``run`` was, with the tweets that the corpus holds now.

    So what was forgotten since is not in it; nor is it in the weights, as for
    `train_without_leaks`. Accounts of which no tweet is left are left out. Raises InputRefused when
    that leaves none, and what `start_training` does.
    """
    from core.corpus.reading import tweet_counts
    from core.corpus.store import Corpus
    from core.errors import InputRefused

    request = _anew(run)
    there = tweet_counts(Corpus(home.corpus), request.handles)
    handles = [handle for handle in request.handles if handle in there]
    if not handles:
        raise InputRefused(
            f"{run.id} cannot be made again.",
            "The corpus holds no tweets of its accounts any more.",
            f"`mynah runs delete {run.id}` deletes it.",
        )
    weights = {name: part for name, part in (request.weights or {}).items() if name in there}
    request = replace(request, handles=handles, weights=weights or None, now=now)
    return start_training(
        home, request, expect=expect, tracking=tracking, torchrun=torchrun, cancelled=cancelled
    )


def continue_training(
    home: Home,
    run: Run,
    *,
    now: bool = False,
    expect: Callable[[list[Share], bool], None] | None = None,
    tracking: Tracked | None = None,
    cancelled: Callable[[], bool] | None = None,
    **overrides: Any,
) -> Run:
    """A new run that begins with the weights of ``run``: same accounts, recipe, weights and seed.

    So what was held out stays so, as far as the tweets are the same; they are what the corpus
    holds now. ``overrides`` are settings by name; a limit of steps is not taken over. Raises
    InputRefused when ``run`` has no model or still goes on, and what `start_training` does.
    """
    from core.errors import InputRefused
    from core.runs.folder import GOING
    from core.runs.settings import Continued, changed_settings
    from core.runs.summary import run_summary

    summary = run_summary(run)
    if summary.state in GOING:
        raise InputRefused(f"{run.id} is still going.", "", f"`mynah stop {run.id}` ends it.")
    if not summary.has_model:
        raise InputRefused(
            f"{run.id} has no model to go on from.", "", "`mynah runs` lists others."
        )
    request = _same_request(run)
    _check_device(
        overrides.get("device", request.settings.device),
        overrides.get("nproc", request.settings.nproc),
    )
    base = str(run.model.absolute())
    settings = changed_settings(request.settings, **{"max_steps": None, **overrides, "base": base})
    continues = Continued(run.id, run.record().base_name)
    request = replace(request, settings=settings, continues=continues, now=now)
    return start_training(home, request, expect=expect, tracking=tracking, cancelled=cancelled)


def _first_base(run: Run) -> str:
    """The base of the first of the runs that went on from each other up to ``run``."""
    from core.runs.folder import Run

    record = run.record()
    while record.continues is not None:
        first = Run(run.folder.parent / record.continues.run)
        if not first.record_file.is_file():  # it was deleted; of a folder the name alone is known
            return record.continues.base
        record = first.record()
    return record.base


def _anew(run: Run) -> RunRequest:
    """`_same_request`, without the weights of a run that ``run`` went on from."""
    request = _same_request(run)
    return replace(request, settings=replace(request.settings, base=_first_base(run)))


def _same_request(run: Run) -> RunRequest:
    """What a run was asked for. Raises InputRefused where that cannot be read."""
    from core.dataset.frozen import load_frozen
    from core.errors import InputRefused
    from core.runs.settings import RunRequest

    record = run.record()
    settings = record.train_settings
    if settings is None:
        raise InputRefused(f"The settings of {run.id} cannot be read.", "Its run.json is damaged.")
    manifest = load_frozen(run.dataset).manifest
    return RunRequest(
        record.handles, manifest.recipe, settings, manifest.weights or None, leaked=record.leaked
    )


def warm_up() -> Warm | None:
    """A process beside this one from which runs and samplers then start in a moment.

    Returns at once; ``end`` it. None where there is one already, or the system cannot have one.
    """
    from core.children import warm
    from core.children.start import child_environment

    return warm.begin(_WARM_MODULES, child_environment())


def resume_training(run: Run, *, now: bool = False) -> Run:
    """`resume_run`, and the trackers that were started with the run; returns at once.

    Raises InputRefused where it needs a library that is not installed, and what `resume_run` does.
    """
    from core.models.four_bit import check_library
    from core.runs.launch import resume_run
    from core.tracking.launch import track_again

    settings = run.record().train_settings
    if settings is not None and settings.four_bit:
        check_library()
    resume_run(run, now=now)
    track_again(run)
    return run


def sweep(
    home: Home,
    spec: SweepSpec,
    *,
    report: Callable[[SweepEvent], None],
    cancelled: Callable[[], bool],
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    workers: int | None = None,
) -> list[TrialRow]:
    """Trains the trials of a sweep that are not done yet; returns all.

    Each is a run as `start_training` makes it. The engine local has one at work, ray as many as
    there are ``workers``, in a Ray at ``address`` (see `ray_workers`). Raises what these raise,
    SweepStopped when ``cancelled`` says so, and InputRefused when the sweep was begun with another
    space.
    """
    from core.curation.recipe import load_recipe
    from core.errors import WrongUsage
    from core.sweeps.trials import run_sweep

    def start(request: RunRequest) -> Run:
        return start_training(home, request, torchrun=engine == "ray", cancelled=cancelled)

    if engine == "ray":
        from core.sweeps.ray import ray_workers

        recipe = load_recipe(spec.recipe, home)
        with ray_workers(address, workers, start, warm_up, cancelled) as ray:
            return run_sweep(
                home, spec, recipe, ray.start, ray.resume, report=report, cancelled=cancelled,
                stop=ray.stop, at_once=ray.count,
            )  # fmt: skip
    if address or workers:
        what = "an address" if address else "workers"
        raise WrongUsage(f"Only Ray has {what}.", "", "Add --engine ray.")
    _check_device(spec.settings.get("device", "auto"), spec.settings.get("nproc", 1))
    recipe = load_recipe(spec.recipe, home)
    warm = warm_up()
    try:
        return run_sweep(
            home, spec, recipe, start, resume_training, report=report, cancelled=cancelled
        )
    finally:
        if warm is not None:
            warm.end()
