"""Curation from Parquet to Parquet, of more tweets than memory would hold.

A tweet's verdict depends on itself, and for some rules on the others of its account; so the tweets
are sorted, cut between accounts, and curated partition by partition. Neither the engine nor the
number of partitions, of the input or of the work, can be seen in the output.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from core import __version__
from core.bulk.engines import ENGINES, Engine, EngineName, local_engine
from core.bulk.job import Job
from core.bulk.partitions import SourceFile, cut, source_files, write_sorted
from core.bulk.tasks import parts
from core.curation.counts import Counts
from core.curation.recipe import Recipe
from core.dataset.exported import remember_export
from core.dataset.in_place import put_in_place, unfinished, workspace
from core.dataset.manifest import HF_NAME, VERSION, ExportedFile, sealed, text_of
from core.dataset.write import stopped
from core.errors import InputRefused, WrongUsage
from core.home import in_full
from core.json_lines import parse_json
from core.progress import Cancelled, Progress, Reporter

if TYPE_CHECKING:
    from core.home import Home

# rows of a file of the output: it decides the bytes
PART_ROWS: Final = 1_000_000
# a task takes no more rows, unless a single account has more
PARTITION_ROWS: Final = 500_000

_PART: Final = re.compile(r"part-\d{5,}\.parquet")


@dataclass(frozen=True)
class CuratedFiles:
    """A folder of parts and their manifest; ``sha256`` is that of the manifest."""

    path: Path
    rows: int
    kept: int
    accounts: int
    sha256: str
    manifest: Path
    files: tuple[ExportedFile, ...]

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah curate --json``."""
        return {
            "path": str(self.path),
            "rows": self.rows,
            "kept": self.kept,
            "accounts": self.accounts,
            "sha256": self.sha256,
            "manifest": str(self.manifest),
            "files": [asdict(file) for file in self.files],
        }


def curate_files(
    sources: Path | Sequence[Path],
    out: Path,
    recipe: Recipe,
    *,
    home: Home | None = None,
    engine: EngineName = "local",
    partitions: int | None = None,
    address: str | None = None,
    part_rows: int = PART_ROWS,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> CuratedFiles:
    """Curates the tweets of Parquet files, and of folders of them, into the new folder ``out``.

    ``sources`` have the columns of a canonical tweet; a row of theirs is a row of the output, so
    that a tweet which is there twice stays twice, unless the recipe drops duplicates. The output
    has those columns, clean_text, kept, reason and trigger, by handle, time (undated last) and id,
    in files ``part-00000.parquet`` and so on of ``part_rows`` rows each, with a manifest that
    ``verify`` understands. The verdicts are those of ``curate`` over all tweets at once.

    ``partitions`` cuts the work into about so many partitions, or more, of whole accounts. A worker
    holds 50,000 tweets, and about a hundred bytes for each tweet of its partition. ``home``, where
    there is one, remembers the output, so that forgetting can name it.

    An earlier output in ``out`` is replaced when all is done. Raises InputRefused for sources and
    places that will not do, WrongUsage where Ray is wanted but not there, and Interrupted when
    ``cancelled`` says so; then everything is as it was.
    """
    if partitions is not None and partitions < 1:
        raise WrongUsage("There is no work in less than one partition.")
    sources = [sources] if isinstance(sources, Path) else list(sources)
    out = in_full(out)
    _check_out(out, sources)
    reporter = Reporter(progress, cancelled, lambda: stopped(out))

    try:
        with workspace(out) as folder:
            ready = _engine(engine, folder, address, reporter.check)
            files = source_files(sources)
            job = Job.begin(folder, recipe, part_rows)
            with ready as workers:
                made = _work(job, workers, files, partitions, reporter)
            done = _put(job, made, out)
    except OSError as error:
        raise InputRefused(
            f"{out} cannot be written.", f"{error.strerror or error}.", "Choose another place."
        ) from error
    if home is not None:
        remember_export(home, done.manifest)
    return done


def curate_corpus(
    home: Home,
    handles: Sequence[str],
    out: Path,
    recipe: Recipe,
    *,
    engine: EngineName = "local",
    partitions: int | None = None,
    address: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> CuratedFiles:
    """``curate_files`` of the tweets of ``handles`` in the corpus: the same bytes as of files.

    The corpus is let go before the work begins. Raises InputRefused naming a handle without
    tweets, CorpusBusy, and what ``curate_files`` raises.
    """
    from core.corpus.reading import tweets_at_hand
    from core.corpus.store import Corpus
    from core.curation.stream import sorted_copy

    corpus = Corpus(home.corpus)
    tweets_at_hand(corpus, handles)
    with sorted_copy(corpus, handles, cancelled) as tweets:
        return curate_files(
            tweets.path,
            out,
            recipe,
            home=home,
            engine=engine,
            partitions=partitions,
            address=address,
            progress=progress,
            cancelled=cancelled,
        )


def _check_out(out: Path, sources: Sequence[Path]) -> None:
    if out.exists() and not out.is_dir():
        raise InputRefused(f"{out} is a file.", "", "Name a folder for the output.")
    for source in sources:
        inside = out.resolve()
        if source.resolve() in (inside, *inside.parents) and source.is_dir():
            raise InputRefused(
                f"The output cannot lie in {source}.", "It is read from.", "Choose another folder."
            )
        if inside in source.resolve().parents:
            raise InputRefused(
                f"{source} lies in the output's folder.", "", "Choose another folder."
            )
    if out.is_dir() and any(out.iterdir()) and not earlier_output(out):
        raise InputRefused(
            f"The folder {out} holds other files.", "", "Choose a new or an empty folder."
        )


def earlier_output(out: Path) -> list[Path]:
    """The parts of an output that lies in this folder, by its manifest: they would be replaced."""
    try:
        content = parse_json((out / HF_NAME).read_text(encoding="utf-8"))
        if "part_rows" not in content:
            return []
        return [out / name for name in content["files"] if _PART.fullmatch(name)]
    except (OSError, ValueError, KeyError, TypeError):
        return [file for file in unfinished(out) if _PART.fullmatch(file.name)]


def _work(
    job: Job,
    engine: Engine,
    files: Sequence[SourceFile],
    partitions: int | None,
    reporter: Reporter,
) -> int:
    """Sorts, curates and writes; returns how many parts were made."""
    total = sum(file.rows for file in files)

    def run(phase: str, kind: str, tasks: int) -> None:
        done = 0
        reporter.show(phase, done, total)
        with closing(engine.run(kind, tasks)) as going:
            for rows in going:
                done += rows
                reporter.show(phase, done, total)

    reporter.show("sorting", 0, total)
    accounts = write_sorted(files, job.sorted_file, reporter.cancelled)
    reporter.show("sorting", total, total)
    least = -(-total // min(partitions or engine.workers, total))  # rows in so many partitions
    pieces = cut(accounts, min(least, PARTITION_ROWS))
    count = job.set_tasks("curate", map(asdict, pieces))
    run("curating", "curate", count)
    made = job.set_tasks("write", parts(job, count, job.settings["part_rows"]))
    run("writing", "write", made)
    return made


def _engine(
    name: str, folder: Path, address: str | None, check: Callable[[], None]
) -> AbstractContextManager[Engine]:
    """The engine of this name for the job in ``folder``, for the length of a block.

    Raises WrongUsage for another name or for an ``address`` that nobody would ask, and InputRefused
    where Ray is wanted but not installed, or not to be found at ``address``.
    """
    if name not in ENGINES:
        raise WrongUsage(f"{name!r} is not an engine.", f"There are: {', '.join(ENGINES)}.")
    if name == "ray":
        from core.bulk.ray import ray_engine

        return ray_engine(folder, address)
    if address:
        raise WrongUsage("Only Ray has an address.", "", "Add --engine ray.")
    return local_engine(folder, check)


def _put(job: Job, count: int, out: Path) -> CuratedFiles:
    counts = Counts(origins=True)
    files: list[ExportedFile] = []
    made: dict[Path, Path] = {}
    for number in range(count):
        path = job.folder / "parts" / f"{number}.parquet"
        part = job.get_json(path.with_suffix(".json"))
        counts.merge(Counts.from_json(part["counts"]))
        name = f"part-{number:05}.parquet"
        files.append(ExportedFile(name, part["rows"], part["sha256"], "exported", part["bytes"]))
        made[path] = out / name
    tally = counts.to_json()
    text = text_of(sealed(_manifest(job, tally, files))).encode("utf-8")
    (job.folder / HF_NAME).write_bytes(text)
    unwanted = [file for file in earlier_output(out) if file not in made.values()]
    put_in_place(made, (job.folder / HF_NAME, out / HF_NAME), unwanted, folder=out)
    return CuratedFiles(
        path=out,
        rows=sum(file.rows for file in files),
        kept=sum(one["kept"] for one in tally["handles"].values()),
        accounts=len(tally["handles"]),
        sha256=hashlib.sha256(text).hexdigest(),
        manifest=out / HF_NAME,
        files=tuple(files),
    )


def _manifest(job: Job, tally: dict[str, Any], files: Sequence[ExportedFile]) -> dict[str, Any]:
    recipe = job.recipe
    handles = tally["handles"].items()
    return {
        "manifest_version": VERSION,
        "mynah": __version__,
        "polars": pl.__version__,
        "recipe": {"name": recipe.name, "hash": recipe.hash, "rules": recipe.rules},
        "format": "parquet",
        "what": "all",
        "part_rows": job.settings["part_rows"],
        "handles": {name: {**one, "exported": one["downloaded"]} for name, one in handles},
        "source_files": tally["source_files"],
        "files": {
            file.name: {
                "part": file.part,
                "rows": file.rows,
                "bytes": file.size,
                "sha256": file.sha256,
            }
            for file in files
        },
    }
