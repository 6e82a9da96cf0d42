"""From files to counts: importing, counting what a recipe keeps, comparing two recipes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.home import bundled

if TYPE_CHECKING:
    from core.corpus.importing import ImportProgress, ImportResult
    from core.curation.counts import AccountStats
    from core.home import Home
    from core.workbench.comparison import Comparison

DEMO_HANDLE = "orbit_grandmother"
# Called with the phase, the tweets done in it, and all tweets.
StatsProgress = Callable[[Literal["curating", "counting"], int, int], None]


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
    columns_of: Mapping[Path, Mapping[str, str]] | None = None,
    encoding: str | None = None,
    date_format: str | None = None,
    progress: Callable[[ImportProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[ImportResult]:
    """Bring files into the corpus, one transaction each, then refresh the ``curated`` view.

    A path may be a pattern, or a folder of tables (see ``files_at``). ``columns`` is of all files
    but those in ``columns_of``.

    Raises InputRefused (that file left nothing behind; those before it stay), Interrupted. When
    the refresh is stopped, the tweets are in; to import the same files again then refreshes.
    """
    from core.corpus.importing import import_path
    from core.corpus.store import Corpus
    from core.workflow.several import files_at

    corpus = Corpus(home.corpus)
    results: list[ImportResult] = []
    all_imported = False
    try:
        for file in [found for path in paths for found in files_at(path)]:
            results += import_path(
                corpus,
                file,
                format=format,
                handle=handle,
                include=include,
                columns=(columns_of or {}).get(file, columns),
                encoding=encoding,
                date_format=date_format,
                progress=progress,
                cancelled=cancelled,
            )
        all_imported = True
    finally:
        # when an import was stopped, those before it are still to be seen in the view
        _refresh_imported(home, results, progress, cancelled if all_imported else None)
    return results


def _refresh_imported(
    home: Home,
    results: Sequence[ImportResult],
    progress: Callable[[ImportProgress], None] | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    from core.corpus.importing import ImportProgress
    from core.curation.stored_verdicts import refresh_where_needed

    if not results:
        return
    changed = {result.handle for result in results if result.new or result.updated}
    path = Path(results[-1].path)
    start = time.monotonic()

    def report(done: int, total: int) -> None:
        if progress:
            rate = done / max(time.monotonic() - start, 1e-6)
            progress(ImportProgress(path, "curating", done, total, rate))

    handles = {result.handle for result in results}
    refresh_where_needed(home, handles, changed=changed, progress=report, cancelled=cancelled)


def stats(
    home: Home,
    handles: Sequence[str],
    recipe_name: str,
    base: str | None = None,
    *,
    progress: StatsProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[AccountStats]:
    """The filter's table; ``handles`` empty means everybody.

    Memory does not grow with the tweets but for some numbers of each. Of very many tweets the
    tokens are estimated from a part, and marked so. Raises InputRefused naming a handle without
    tweets, CorpusBusy, Interrupted when ``cancelled`` says so.
    """
    from core.corpus.reading import account_names, tweets_at_hand
    from core.corpus.store import Corpus
    from core.curation.counts import Counts, TokenEstimate
    from core.curation.recipe import load_recipe
    from core.curation.stream import curated_batches
    from core.models.tokens import token_counter

    corpus = Corpus(home.corpus)
    handles = list(handles) or _everybody(home)
    counts = tweets_at_hand(corpus, handles)
    recipe = load_recipe(recipe_name, home)
    total = sum(counts.values())
    kept = Counts(handles)
    count_tokens = token_counter(base)
    tokens = TokenEstimate(counts, count_tokens) if count_tokens else None
    batches = curated_batches(
        corpus,
        handles,
        recipe,
        explain=False,
        progress=None if progress is None else lambda done: progress("curating", done, total),
        cancelled=cancelled,
    )
    done = 0
    for batch in batches:
        kept.add(batch)
        if tokens:
            tokens.add(batch)
        done += batch.height
        if progress:
            progress("counting", done, total)
    return kept.stats(account_names(corpus, handles), tokens=tokens)


def compare_recipes(
    home: Home,
    handles: Sequence[str],
    first: str,
    second: str,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Comparison:
    """What two recipes make of the same tweets; ``handles`` empty means everybody.

    ``progress`` gets how many tweets were judged, and of how many. Raises Interrupted.
    """
    from core.curation.recipe import load_recipe
    from core.workbench.bench import Workbench
    from core.workbench.comparison import compare

    a, b = load_recipe(first, home), load_recipe(second, home)
    bench = Workbench(home, handles or _everybody(home), cancelled=cancelled)
    return compare(bench, a, b, progress=progress, cancelled=cancelled)


def exclude(
    home: Home,
    tweet_ids: Sequence[str],
    *,
    undo: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Leaves tweets out of training (``undo``: takes them back), and judges the accounts again.

    Returns how many changed. Raises InputRefused for an id that nobody has, CorpusBusy.
    """
    from core.corpus.excluded import exclude_tweets, find_tweets, include_tweets
    from core.corpus.store import Corpus
    from core.curation.stored_verdicts import refresh_curated

    corpus = Corpus(home.corpus)
    found = find_tweets(corpus, tweet_ids)
    changed = (include_tweets if undo else exclude_tweets)(corpus, found)
    if changed:
        refresh_curated(home, sorted({handle for handle, _ in found}), progress=progress)
    return changed


def _everybody(home: Home) -> list[str]:
    from core.corpus.reading import tweet_counts
    from core.corpus.store import Corpus
    from core.errors import InputRefused

    everybody = sorted(tweet_counts(Corpus(home.corpus)))
    if not everybody:
        raise InputRefused(
            "The corpus is empty.",
            f"It is kept in {home.corpus}.",
            "Bring tweets in: mynah import PATH",
        )
    return everybody
