"""The steps of the main job, as both doors run them: import, curate, train, sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.bundled import bundled

if TYPE_CHECKING:
    from core.corpus import ImportProgress, ImportResult
    from core.curation import AccountStats
    from core.home import Home
    from core.training import Run

DEMO_HANDLE = "orbit_grandmother"
DEFAULT_RECIPES = ("standard", "classic")
_TWEETS_AT_ONCE = 150_000


def sample_archives() -> list[Path]:
    """The archives of the three invented authors that ship with mynah."""
    return sorted(bundled("samples").glob("*.zip"))


def import_paths(
    home: Home,
    paths: Sequence[Path],
    *,
    format: str | None = None,  # noqa: A002 - the contract's word
    handle: str | None = None,
    include: frozenset[str] = frozenset(),
    columns: Mapping[str, str] | None = None,
    progress: Callable[[ImportProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[ImportResult]:
    """Bring files into the corpus, one transaction each, then refresh the ``curated`` view.

    Raises InputRefused (that file left nothing behind; those before it stay), Interrupted.
    """
    from core.corpus import Corpus, import_path

    corpus = Corpus(home.corpus)
    results: list[ImportResult] = []
    try:
        for path in paths:
            results += import_path(
                corpus,
                path,
                format=format,
                handle=handle,
                include=include,
                columns=columns,
                progress=progress,
                cancelled=cancelled,
            )
    finally:
        touched = sorted({r.handle for r in results if r.new or r.updated})
        if touched:
            refresh_curated(home, touched)
    return results


def refresh_curated(home: Home, handles: Sequence[str]) -> None:
    """Write the verdicts of the bundled recipes for people who open the corpus themselves.

    A few accounts at a time, so that memory is bounded by the largest of them.
    """
    from core.corpus import Corpus, accounts
    from core.curation import load_recipe, materialise

    corpus = Corpus(home.corpus)
    sizes = {account.handle: account.tweets for account in accounts(corpus)}
    groups: list[list[str]] = []
    room = 0
    for handle in handles:
        if not groups or sizes.get(handle, 0) > room:
            groups.append([])
            room = _TWEETS_AT_ONCE
        groups[-1].append(handle)
        room -= sizes.get(handle, 0)
    for name in DEFAULT_RECIPES:
        for group in groups:
            materialise(corpus, group, load_recipe(name, home))


def stats(
    home: Home, handles: Sequence[str], recipe_name: str, base: str | None = None
) -> list[AccountStats]:
    """The filter's table; ``handles`` empty means everybody."""
    from core.curation import load_recipe
    from core.models import token_counter
    from core.workbench import Workbench

    bench = Workbench(home, handles or _everybody(home))
    return bench.curate(load_recipe(recipe_name, home), token_counter(base)).stats


def _everybody(home: Home) -> list[str]:
    from core.corpus import Corpus, accounts
    from core.errors import InputRefused

    everybody = [account.handle for account in accounts(Corpus(home.corpus))]
    if not everybody:
        raise InputRefused(
            "The corpus is empty.",
            f"It would be {home.corpus}.",
            "Bring tweets in: mynah import PATH",
        )
    return everybody


def train(
    home: Home,
    handles: Sequence[str],
    *,
    recipe_name: str = "standard",
    preset: str = "fast",
    base: str | None = None,
    **overrides: Any,
) -> Run:
    """Freeze the dataset, start the detached trainer, and return its run at once.

    Raises InputRefused when a handle has no tweets, too few are kept, or the base is not at hand.
    """
    from core.curation import load_recipe
    from core.models import default_base
    from core.training import settings_for, start_run
    from core.workbench import Workbench

    settings = settings_for(preset, base or default_base(), **overrides)
    if settings.device not in ("auto", "cpu"):
        from core.training.device import choose_device

        choose_device(settings.device)  # loads torch, but says so now and not in the run's log
    bench = Workbench(home, handles)
    curation = bench.curate(load_recipe(recipe_name, home))
    return start_run(home, bench.handles, curation.recipe, settings, curation.frame, bench.names)
