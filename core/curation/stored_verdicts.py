"""A recipe's verdicts, stored for SQL: what the views ``curated`` and ``account_stats`` show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from core.curation.recipe import Recipe, load_recipe
from core.curation.stream import ROW_GROUP, Progress, curated_copy, sorted_copy
from core.files import remove_orphans
from core.progress import Cancelled

if TYPE_CHECKING:
    import duckdb

    from core.corpus.store import Corpus
    from core.home import Home

DEFAULT_RECIPES: Final = ("standard", "classic")
_TWEETS_AT_ONCE: Final = 250_000  # accounts are taken together up to so many
_COLUMNS: Final = ("tweet_id", "handle", "kept", "reason", "clean_text")
# Beyond the bound DuckDB goes to disk; the order in the table means nothing.
_BOUNDS: Final = ("SET memory_limit = '256MB'", "SET preserve_insertion_order = false")
_FILES: Final = "read_parquet($files, hive_partitioning = false)"
_THEIRS: Final = "handle IN (SELECT unnest($handles))"
# Two sets of tweets with the same fingerprint are the same.
_FINGERPRINT: Final = (
    "SELECT count(*), bit_xor(hash(handle, tweet_id)), "
    "sum(hash(tweet_id, handle)::HUGEINT)::VARCHAR"
)

_LACKING: Final = f"""
WITH wanted AS (SELECT unnest($names) AS recipe, unnest($hashes) AS recipe_hash),
there AS (SELECT handle, count(*) AS tweets FROM tweets WHERE {_THEIRS} GROUP BY handle),
judged AS (
    SELECT handle, recipe, recipe_hash, count(*) AS tweets
    FROM verdicts WHERE {_THEIRS} GROUP BY ALL
)
SELECT DISTINCT handle
FROM there CROSS JOIN wanted LEFT JOIN judged USING (handle, recipe, recipe_hash)
WHERE judged.tweets IS DISTINCT FROM there.tweets
ORDER BY handle
"""  # noqa: S608 - our own names


def refresh_where_needed(
    home: Home,
    handles: Iterable[str],
    *,
    changed: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """`refresh_curated` of those of ``handles`` that ``changed``, or that lack a verdict, as where
    a process was killed before it wrote them. What that left goes. Raises as `refresh_curated`.
    """
    from core.corpus.store import Corpus

    recipes = [load_recipe(name, home) for name in DEFAULT_RECIPES]
    lacking = outdated(Corpus(home.corpus), sorted(set(handles) - set(changed)), recipes)
    if wanted := sorted({*changed, *lacking}):
        refresh_curated(home, wanted, progress=progress, cancelled=cancelled)
    else:
        remove_orphans(home.corpus.parent, "curating")


def refresh_curated(
    home: Home,
    handles: Sequence[str],
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write the verdicts of the bundled recipes for people who open the corpus themselves.

    A few accounts at a time, so that nobody waits long for the corpus, in memory that does not
    grow with their number. ``progress`` is told how many of how many verdicts are made. Raises
    CorpusBusy; Interrupted when ``cancelled`` says so: accounts that were not reached keep the
    verdicts they had.
    """
    from core.corpus.reading import tweet_counts
    from core.corpus.store import Corpus

    corpus = Corpus(home.corpus)
    recipes = [load_recipe(name, home) for name in DEFAULT_RECIPES]
    sizes = tweet_counts(corpus, handles)
    groups: list[list[str]] = []
    room = 0
    for handle in handles:
        if not groups or sizes.get(handle, 0) > room:
            groups.append([])
            room = _TWEETS_AT_ONCE
        groups[-1].append(handle)
        room -= sizes.get(handle, 0)
    total = sum(sizes.values()) * len(recipes)
    done = 0
    for group in groups:
        tell = None if progress is None else partial(_further, progress, done, total)
        store_verdicts(corpus, group, *recipes, progress=tell, cancelled=cancelled)
        done += sum(sizes.get(handle, 0) for handle in group) * len(recipes)


def _further(tell: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    tell(before + done, total)


def store_verdicts(
    corpus: Corpus,
    handles: Sequence[str],
    *recipes: Recipe,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> None:
    """Curates the tweets of ``handles`` and replaces their verdicts under each recipe's name.

    Verdicts of other recipes and other accounts stay. The tweets are read once, in bounded memory,
    and the verdicts are written in one transaction: a reader sees the old ones or the new ones.
    ``progress`` is called with the number of tweets judged so far, from 0 to their number times
    that of the recipes. Raises CorpusBusy; Interrupted when ``cancelled`` says so, and then nothing
    is changed.
    """
    if not corpus.exists:
        return
    with sorted_copy(corpus, handles, cancelled) as copy:
        files: dict[Recipe, list[Path]] = {}
        for number, recipe in enumerate(recipes):
            before = number * copy.total
            batches = curated_copy(
                copy,
                recipe,
                rows=ROW_GROUP,
                explain=False,
                progress=_after(progress, before),
                cancelled=cancelled,
            )
            files[recipe] = list(_written(batches, copy.folder, number))
        _replace(corpus, handles, files)


def outdated(corpus: Corpus, handles: Sequence[str], recipes: Sequence[Recipe]) -> list[str]:
    """Those of ``handles`` that lack verdicts of one of ``recipes`` as it is now."""
    if not corpus.exists:
        return []
    with corpus.reading() as connection:
        found = connection.execute(
            _LACKING,
            {
                "handles": list(handles),
                "names": [recipe.name for recipe in recipes],
                "hashes": [recipe.hash for recipe in recipes],
            },
        )
        return [str(handle) for (handle,) in found.fetchall()]


def _after(progress: Progress | None, before: int) -> Progress | None:
    return None if progress is None else lambda done: progress(before + done)


def _written(batches: Iterable[pl.DataFrame], folder: Path, number: int) -> Iterator[Path]:
    # DuckDB reads a Polars frame only through pyarrow, which is not needed here: hence files.
    for part, batch in enumerate(batches):
        file = folder / f"stored-{number}-{part:06}.parquet"
        batch.select(_COLUMNS).write_parquet(file, compression="lz4", statistics=False)
        yield file


def _replace(corpus: Corpus, handles: Sequence[str], files: dict[Recipe, list[Path]]) -> None:
    theirs: dict[str, Any] = {"handles": list(handles)}
    columns = ", ".join(_COLUMNS)
    with corpus.writing() as connection:  # one transaction
        for setting in _BOUNDS:
            connection.execute(setting).fetchall()
        for recipe, parts in files.items():
            connection.execute(
                f"DELETE FROM verdicts WHERE recipe = $recipe AND {_THEIRS}",  # noqa: S608
                theirs | {"recipe": recipe.name},
            ).fetchall()
            if not parts:
                continue
            names = [str(part) for part in parts]
            # A tweet that was forgotten since it was read must not come back as a verdict. To join
            # with all tweets takes long, and most often none was.
            left = (
                ""
                if _as_read(connection, names, theirs)
                else "SEMI JOIN tweets USING (tweet_id, handle)"
            )
            connection.execute(
                f"INSERT INTO verdicts BY NAME SELECT {columns}, $recipe AS recipe, "  # noqa: S608
                f"$hash AS recipe_hash FROM {_FILES} {left}",
                {"recipe": recipe.name, "hash": recipe.hash, "files": names},
            ).fetchall()


def _as_read(
    connection: duckdb.DuckDBPyConnection, files: list[str], theirs: dict[str, Any]
) -> bool:
    """Whether the accounts still have exactly the tweets that the verdicts are about."""
    now = connection.execute(f"{_FINGERPRINT} FROM tweets WHERE {_THEIRS}", theirs).fetchall()
    read = connection.execute(f"{_FINGERPRINT} FROM {_FILES}", {"files": files})
    return now == read.fetchall()
