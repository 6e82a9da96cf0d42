"""Cleaned tweets as files, each dataset with a manifest that says what it holds.

An export for other tools and the frozen dataset of a run are written here alike: gather the rows,
split them, put them in order, write each part, write the manifest.

Columns: tweet_id, handle, created_at, kind, text; with what="all" also raw_text (as published),
kept and reason. Formats: txt, chat and instruct (texts only), jsonl, csv, parquet, and hf (a
folder that Hugging Face datasets loads by its path).

Tweets come in batches and go to disk at once, so that millions need no more memory than a few;
files appear under their names in one step, when all of it is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from core.curation.reasons import JOINED
from core.curation.recipe import Recipe
from core.curation.rules import ALIKE
from core.curation.stream import curated_batches
from core.dataset import card
from core.dataset.answers import Answers, answers_of
from core.dataset.exported import remember_export
from core.dataset.formats import LINES, write_lines, write_parquet
from core.dataset.in_place import put_in_place, unfinished, workspace
from core.dataset.manifest import (
    HF_NAME,
    RUN_NAME,
    SUFFIX,
    ExportedFile,
    Manifest,
    manifest_of,
    sealed,
)
from core.dataset.options import CONVERSATIONS, ExportOptions
from core.dataset.rows import Part, Rows, parts_of, set_down
from core.errors import InputRefused, Interrupted
from core.files import sha256_of
from core.home import in_full
from core.progress import Cancelled, Progress, Reporter

if TYPE_CHECKING:
    from core.home import Home

Enough = Callable[[int, int], None]
"""Raises InputRefused when so many rows, of so many tweets, are too few."""

_CARD: Final = "README.md"
# Beside the rows of a run whose recipe joins threads: tweet_id and handle of the joined tweets.
JOINED_NAME: Final = "joined.parquet"


@dataclass(frozen=True)
class ExportResult:
    """``sha256`` is that of the only data file; of an export in several, that of the manifest.

    ``answered`` says how many tweets of a chat or instruct export have the words that they answer.
    """

    path: Path
    rows: int
    sha256: str
    manifest: Path
    files: tuple[ExportedFile, ...]
    answered: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah export --json``, and each file with its rows and sha256."""
        counts = {} if self.answered is None else {"answered": self.answered}
        return {
            "path": str(self.path),
            "rows": self.rows,
            **counts,
            "sha256": self.sha256,
            "manifest": str(self.manifest),
            "files": [asdict(file) for file in self.files],
        }


def export_tweets(
    home: Home,
    handles: Sequence[str],
    recipe: Recipe,
    out: Path,
    options: ExportOptions,
    *,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> ExportResult:
    """Curates the tweets of ``handles`` and writes them to ``out``; see ``export_batches``.

    The corpus is let go before anything is written. Raises InputRefused naming a handle without
    tweets, CorpusBusy, and what ``export_batches`` raises.
    """
    from core.corpus.reading import tweets_at_hand
    from core.corpus.store import Corpus

    corpus = Corpus(home.corpus)
    counts = tweets_at_hand(corpus, handles)
    options.checked(sorted(handles))  # what makes no sense is refused before the work begins
    total = sum(counts.values())
    reporter = Reporter(progress, cancelled, lambda: stopped(out))
    batches = curated_batches(
        corpus,
        handles,
        recipe,
        explain=False,
        progress=lambda judged: reporter.show("curating", judged, total),
        cancelled=cancelled,
    )
    with ExitStack() as stack:
        answers = None
        if options.format in CONVERSATIONS:
            answers = stack.enter_context(answers_of(corpus, handles, recipe, cancelled))
        done = export_batches(
            batches,
            out,
            handles=handles,
            recipe=recipe,
            options=options,
            answers=answers,
            total=total,
            progress=progress,
            cancelled=cancelled,
        )
    remember_export(home, done.manifest)
    return done


def export_batches(
    batches: Iterable[pl.DataFrame],
    out: Path,
    *,
    handles: Sequence[str],
    recipe: Recipe,
    options: ExportOptions,
    answers: Answers | None = None,
    total: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> ExportResult:
    """Writes batches of a curated frame to ``out``, and beside it ``out`` + ".manifest.json".

    ``batches`` come by handle, time (undated last) and id, as ``curated_batches`` gives them, and
    hold tweets of ``handles`` only; ``total`` is how many there are, for the progress, and
    ``answers`` the words that replies answer, for chat and instruct. The same rows and options give
    the same bytes.

    Existing files are replaced, each in one step, when all are done. Raises WrongUsage for options
    that do not go together, InputRefused when nothing is kept or ``out`` cannot be written, and
    Interrupted when ``cancelled`` says so; then everything is as it was.
    """

    def enough(rows: int, tweets: int) -> None:
        if not rows:
            raise InputRefused(
                "There is nothing to export.",
                f"The recipe {recipe.name} keeps none of the {tweets:,} tweets.",
                "Loosen its rules, or export with --what all.",
            )

    out = in_full(out)
    options = options.checked(sorted(handles))
    _check_out(out, options)
    layout = layout_of(out, options)
    manifest, files = write_dataset(
        batches,
        layout,
        handles=handles,
        recipe=recipe,
        options=options,
        answers=answers,
        enough=enough,
        total=total,
        reporter=Reporter(progress, cancelled, lambda: stopped(out)),
    )
    return ExportResult(
        path=out if options.format == "hf" else layout.folder / files[0].name,
        rows=sum(file.rows for file in files),
        sha256=files[0].sha256 if len(files) == 1 else manifest.sha256,
        manifest=layout.manifest,
        files=tuple(files),
        answered=manifest.content.get("answered"),
    )


def stopped(out: Path) -> Interrupted:
    """The error of an export that was asked to stop."""
    return Interrupted(f"The export to {out} was stopped.", "What lay there before is as it was.")


def _check_out(out: Path, options: ExportOptions) -> None:
    if options.format != "hf":
        if out.is_dir():
            raise InputRefused(
                f"{out} is a folder.", "", f"Add a file's name, such as tweets.{options.format}."
            )
        if out.exists() and not out.is_file():
            raise InputRefused(
                f"{out} is a pipe or a device.", "A manifest lies beside an export.", "Name a file."
            )
        if in_the_way := next(filter(Path.is_dir, _targets(out, options)), None):
            raise InputRefused(
                f"{in_the_way} is a folder.", "A file of that name belongs to the export.",
                "Name another file.",
            )  # fmt: skip
    elif out.is_dir() and any(out.iterdir()) and not ((out / HF_NAME).exists() or unfinished(out)):
        raise InputRefused(
            f"The folder {out} holds other files.", "", "Choose a new or an empty folder."
        )


def would_replace(out: Path, options: ExportOptions) -> list[Path]:
    """The files that an export to ``out`` writes, and so replaces where they are there."""
    return [file for file in _targets(in_full(out), options) if not file.is_dir()]


def _targets(out: Path, options: ExportOptions) -> list[Path]:
    layout = layout_of(out, options)
    if options.format == "hf":
        return [layout.manifest]
    parts = ("exported",) if options.split is None else ("train", "valid")
    return [*(layout.folder / layout.names[part] for part in parts), layout.manifest]


@dataclass(frozen=True)
class Layout:
    """Where the files of a dataset lie.

    out       what was asked for: a file's name, or the folder
    folder    which the manifest lies in, and from which it names the files
    names     the file of each part
    """

    out: Path
    folder: Path
    manifest: Path
    names: Mapping[str, str]


def layout_of(out: Path, options: ExportOptions) -> Layout:
    """The layout of an export (``out`` is a file, or a folder for hf) or of a run's dataset."""
    if options.purpose == "training":
        names = {part: f"{part}.parquet" for part in ("train", "valid")}
        return Layout(out, out, out / RUN_NAME, names)
    if options.format == "hf":
        parts = ("exported", "train", "valid")
        names = {part: f"data/{card.split(part)}.parquet" for part in parts}
        return Layout(out, out, out / HF_NAME, names)
    names = {part: f"{out.stem}.{part}{out.suffix}" for part in ("train", "valid")}
    names["exported"] = out.name
    return Layout(out, out.parent, out.with_name(out.name + SUFFIX), names)


def write_dataset(
    batches: Iterable[pl.DataFrame],
    layout: Layout,
    *,
    handles: Sequence[str],
    recipe: Recipe,
    options: ExportOptions,
    answers: Answers | None = None,
    enough: Enough,
    total: int | None,
    reporter: Reporter,
) -> tuple[Manifest, list[ExportedFile]]:
    """Gathers, splits, orders and writes; the manifest comes last.

    ``options`` are checked ones. Raises what ``enough`` raises, InputRefused where nothing can be
    written, Interrupted.
    """
    try:
        with workspace(layout.out) as folder:
            rows = Rows(folder / "rows", options, sorted(handles), answers)
            rows.gather(batches, lambda seen: reporter.show("gathering", seen, total))
            enough(sum(rows.per_handle.values()), sum(rows.counts.downloaded.values()))
            kept = sum(rows.per_handle.values())
            parts = parts_of(rows, options, lambda: reporter.show("splitting", 0, kept))
            files = _write_parts(parts, folder, rows, layout, options, reporter)
            in_parts = {part.name: part.per_handle for part in parts}
            if rows.joined:
                files.append(_write_joined(rows, folder / "joined"))
                in_parts["joined"] = {
                    handle: one.reasons[JOINED] for handle, one in rows.counts.accounts.items()
                }
            made = {folder / file.part: layout.folder / file.name for file in files}
            content = manifest_of(recipe, options, rows.counts, files, in_parts)
            if options.split:
                content["held_out"] = {
                    "fraction": options.split,
                    "seed": options.seed,
                    "alike": ALIKE,
                }
            if answers is not None or options.format in CONVERSATIONS:
                content["answered"] = answers.found if answers is not None else 0
            unwanted: list[Path] = []
            if options.format == "hf":
                made[_write_card(content, rows, folder)] = layout.folder / _CARD
                # one of an earlier export would be taken for a part of this one
                valid = layout.folder / layout.names["valid"]
                unwanted = [valid] if valid not in made.values() else []
            manifest = Manifest(sealed(content))
            (folder / SUFFIX).write_bytes(manifest.text.encode("utf-8"))
            filled = layout.out if options.format == "hf" else None
            put_in_place(made, (folder / SUFFIX, layout.manifest), unwanted, folder=filled)
            return manifest, files
    except OSError as error:
        raise InputRefused(
            f"{layout.out} cannot be written.",
            f"{error.strerror or error}.",
            "Choose another place.",
        ) from error


def _write_parts(
    parts: Sequence[Part],
    folder: Path,
    rows: Rows,
    layout: Layout,
    options: ExportOptions,
    reporter: Reporter,
) -> list[ExportedFile]:
    """Writes each part to a file of its name in ``folder``."""
    total = sum(part.rows for part in parts)
    files: list[ExportedFile] = []
    for part in parts:
        before = sum(file.rows for file in files)
        file = folder / part.name
        frames = _reported(part.frames(), reporter, before, total)
        if options.format in LINES:
            sha256 = write_lines(frames, file, rows.empty.columns, options)
        else:
            ipc = rows.files if part.as_gathered else set_down(frames, file.with_suffix(".rows"))
            reporter.show("writing", before, total)
            write_parquet(ipc, file, rows.empty)
            sha256 = sha256_of(file)
        name = layout.names[part.name]
        files.append(ExportedFile(name, part.rows, sha256, part.name, file.stat().st_size))
    reporter.show("writing", total, total)
    return files


def _write_joined(rows: Rows, file: Path) -> ExportedFile:
    """Which tweets a run learns from without a row of their own: who forgets one finds the run."""
    write_parquet(rows.joined, file, pl.DataFrame())
    size = file.stat().st_size
    return ExportedFile(JOINED_NAME, _height(rows.joined), sha256_of(file), "joined", size)


def _height(files: Sequence[Path]) -> int:
    rows = pl.scan_ipc(list(files), glob=False, hive_partitioning=False)
    return int(rows.select(pl.len()).collect().item())


def _reported(
    frames: Iterable[pl.DataFrame], reporter: Reporter, before: int, total: int
) -> Iterator[pl.DataFrame]:
    """The same frames, reported as rows that are being written after ``before`` others."""
    for frame in frames:
        reporter.show("writing", before, total)
        yield frame
        before += frame.height


def _write_card(content: dict[str, Any], rows: Rows, folder: Path) -> Path:
    """Writes the card of a folder for Hugging Face, and its sha256 into the manifest."""
    text = card.readme(content, rows.empty).encode("utf-8")
    (folder / _CARD).write_bytes(text)
    content["card"] = {"name": _CARD, "sha256": hashlib.sha256(text).hexdigest()}
    return folder / _CARD
