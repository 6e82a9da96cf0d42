"""From the corpus to files: what `mynah export` and the app's Export both call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.curation.recipe import Recipe
from core.curation.stream import curated_batches
from core.dataset.options import ExportOptions
from core.dataset.progress import ExportProgress, Report
from core.dataset.write import ExportResult, export_batches

if TYPE_CHECKING:
    from core.home import Home


def export_tweets(
    home: Home,
    handles: Sequence[str],
    recipe: Recipe,
    out: Path,
    options: ExportOptions,
    *,
    progress: Callable[[ExportProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ExportResult:
    """Curates the tweets of ``handles`` and writes them to ``out``; see ``export_batches``.

    The corpus is let go before anything is written. Raises InputRefused naming a handle without
    tweets, CorpusBusy, and what ``export_batches`` raises.
    """
    from core.corpus.reading import tweets_at_hand
    from core.corpus.store import Corpus

    corpus = Corpus(home.corpus)
    counts = tweets_at_hand(corpus, handles)
    options.checked(sorted(handles))  # what makes no sense is said before the work begins
    total = sum(counts.values())
    report = Report(out, progress, cancelled)
    batches = curated_batches(
        corpus,
        handles,
        recipe,
        progress=lambda judged: report.show("curating", judged, total),
        cancelled=cancelled,
    )
    return export_batches(
        batches,
        out,
        handles=handles,
        recipe=recipe,
        options=options,
        total=total,
        progress=progress,
        cancelled=cancelled,
    )
