"""Cleaned tweets as files for other tools, each export with a manifest that says what it holds.

Columns: tweet_id, handle, created_at, kind, text; with what="all" also raw_text (as published),
kept and reason. Formats: txt, chat and instruct (texts only), jsonl, csv, parquet, and hf (a
folder that Hugging Face datasets loads by its path).

Tweets come in batches and go to disk at once, so that millions need no more memory than a few;
what is made appears in its place in one step, when all of it is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.curation.recipe import Recipe
from core.dataset import card
from core.dataset.formats import LINES, write_lines, write_parquet
from core.dataset.gathered import BATCH, Gathered, set_down
from core.dataset.manifest import HF_NAME, SUFFIX, ExportedFile, manifest_of, sealed, text_of
from core.dataset.options import ExportOptions, Format, What
from core.dataset.parts import Part, parts_of
from core.dataset.place import put_in_place, workspace
from core.dataset.progress import ExportProgress, Report
from core.dataset.split import in_order
from core.dataset.tally import Tally
from core.errors import InputRefused
from core.files import sha256_of

_CARD: Final = "README.md"


@dataclass(frozen=True)
class ExportResult:
    """``sha256`` is that of the only data file; of an export in several, that of the manifest."""

    path: Path
    rows: int
    sha256: str
    manifest: Path
    files: tuple[ExportedFile, ...]

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah export --json``, and each file with its rows and sha256."""
        return {
            "path": str(self.path),
            "rows": self.rows,
            "sha256": self.sha256,
            "manifest": str(self.manifest),
            "files": [asdict(file) for file in self.files],
        }


def export(
    curated: pl.DataFrame,
    out: Path,
    *,
    format: Format,  # noqa: A002 - the contract's word
    recipe: Recipe,
    what: What = "kept",
    split: float | None = None,
    seed: int = 0,
    weights: Mapping[str, float] | None = None,
    spreadsheet_safe: bool = True,
) -> ExportResult:
    """``export_batches`` of one frame from ``curate``, whatever order its rows stand in."""
    options = ExportOptions(format, what, split, seed, weights, spreadsheet_safe)
    handles = curated["handle"].unique().to_list()
    rows = in_order(curated)
    return export_batches(
        rows.iter_slices(BATCH), out, handles=handles, recipe=recipe, options=options
    )


def export_batches(
    batches: Iterable[pl.DataFrame],
    out: Path,
    *,
    handles: Sequence[str],
    recipe: Recipe,
    options: ExportOptions,
    total: int | None = None,
    progress: Callable[[ExportProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ExportResult:
    """Writes batches of a curated frame to ``out``, and beside it ``out`` + ".manifest.json".

    ``batches`` come by handle, time (undated last) and id, as ``curated_batches`` gives them, and
    hold tweets of ``handles`` only; ``total`` is how many there are, for the progress. The same
    rows and options give the same bytes.

    Existing files are replaced, each in one step, when all are done. Raises WrongUsage for options
    that do not go together, InputRefused when nothing is kept or ``out`` cannot be written, and
    Interrupted when ``cancelled`` says so; then everything is as it was.
    """
    handles = sorted(handles)
    options = options.checked(handles)
    out = out.expanduser().absolute()
    _check_place(out, options)
    report = Report(out, progress, cancelled)
    try:
        with workspace(out) as folder:
            tally = Tally(handles)
            gathered = Gathered(folder / "rows", options.what, tally)
            gathered.gather(
                batches,
                handles=handles,
                seed=options.seed if options.split is not None or options.weights else None,
                check=lambda seen: report.show("gathering", seen, total),
            )
            if not any(gathered.per_handle.values()):
                tweets = sum(tally.downloaded.values())
                raise InputRefused(
                    "There is nothing to export.",
                    f"The recipe {recipe.name} keeps none of the {tweets:,} tweets.",
                    "Loosen its rules, or export with --what all.",
                )
            return _write(gathered, folder, out, recipe, options, report)
    except OSError as error:
        raise InputRefused(
            f"{out} cannot be written.", f"{error.strerror or error}.", "Choose another place."
        ) from error


def _check_place(out: Path, options: ExportOptions) -> None:
    if options.format != "hf":
        if out.is_dir():
            raise InputRefused(
                f"{out} is a folder.", "", f"Add a file's name, such as tweets.{options.format}."
            )
    elif out.is_dir() and any(out.iterdir()) and not (out / HF_NAME).exists():
        raise InputRefused(
            f"The folder {out} holds other files.", "", "Choose a new or an empty folder."
        )


def _write(
    gathered: Gathered,
    folder: Path,
    out: Path,
    recipe: Recipe,
    options: ExportOptions,
    report: Report,
) -> ExportResult:
    parts = parts_of(gathered, options)
    total = sum(part.rows for part in parts)
    files: list[ExportedFile] = []
    made: dict[Path, Path] = {}
    base = out if options.format == "hf" else out.parent
    for part in parts:
        before = sum(file.rows for file in files)
        file = folder / part.name
        sha256 = _write_part(part, file, gathered, options, report, before, total)
        name = _name(out, part.name, options)
        files.append(ExportedFile(name, part.rows, sha256, part.name, file.stat().st_size))
        made[file] = base / name
    report.show("writing", total, total)
    counts = {part.name: part.per_handle for part in parts}
    manifest = manifest_of(recipe, options, gathered.tally, files, counts)
    unwanted = []
    if options.format == "hf":
        text = card.readme(manifest, gathered.empty).encode("utf-8")
        (folder / _CARD).write_bytes(text)
        made[folder / _CARD] = out / _CARD
        manifest["card"] = {"name": _CARD, "sha256": hashlib.sha256(text).hexdigest()}
        # one of an earlier export would be taken for a part of this one
        unwanted = [
            place for place in (out / _name(out, "valid", options),) if place not in made.values()
        ]
    text = text_of(sealed(manifest)).encode("utf-8")
    (folder / SUFFIX).write_bytes(text)
    place = out / HF_NAME if options.format == "hf" else out.with_name(out.name + SUFFIX)
    put_in_place(made, (folder / SUFFIX, place), unwanted)
    return ExportResult(
        path=out if options.format == "hf" else base / files[0].name,
        rows=total,
        sha256=files[0].sha256 if len(files) == 1 else hashlib.sha256(text).hexdigest(),
        manifest=place,
        files=tuple(files),
    )


def _write_part(
    part: Part,
    file: Path,
    gathered: Gathered,
    options: ExportOptions,
    report: Report,
    before: int,
    total: int,
) -> str:
    """Writes one part's file; returns its sha256."""
    if options.format in LINES:
        frames = report.watch(part.frames(), before, total)
        return write_lines(frames, file, gathered.empty.columns, options)
    if part.whole:
        ipc = gathered.parts
    else:
        ipc = set_down(report.watch(part.frames(), before, total), file.with_suffix(".rows"))
    report.show("writing", before, total)
    write_parquet(ipc, file, gathered.empty)
    return sha256_of(file)


def _name(out: Path, part: str, options: ExportOptions) -> str:
    """The name of a part's file, from the folder that the manifest lies in."""
    if options.format == "hf":
        return f"data/{card.split(part)}.parquet"
    return out.name if part == "exported" else f"{out.stem}.{part}{out.suffix}"
