"""Cleaned tweets as files for other tools, each export with a manifest that says what it holds.

Columns: tweet_id, handle, created_at, kind, text; with what="all" also raw_text (as published),
kept and reason. Formats: txt (texts only), jsonl, csv, parquet, and hf (a folder that Hugging Face
datasets loads by its path).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from core import __version__
from core.curation import Recipe
from core.dataset.blend import epoch_order
from core.dataset.files import sha256_of, write_text_whole, write_whole
from core.dataset.freeze import check_weights, handle_counts, split_rows
from core.dataset.split import in_order
from core.errors import InputRefused, WrongUsage
from core.export.formats import WRITERS, safe_for_spreadsheets

Format = Literal["txt", "jsonl", "csv", "parquet", "hf"]
What = Literal["kept", "all"]
FORMATS: Final = tuple(WRITERS)

_HF_README: Final = """---
configs:
- config_name: default
  data_files:
{files}---

# Tweets of {handles}

{rows:,} tweets, cleaned by mynah {mynah} with the recipe `{recipe}`. `mynah.manifest.json` holds
the rules, the counts and the sha256 of each file. The words are their authors': ask before you
share them.
"""


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export."""

    name: str
    rows: int
    sha256: str


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
    """Writes a frame from ``curate`` to ``out``, and beside it ``out`` + ".manifest.json".

    split    holds out that fraction: out.csv becomes out.train.csv and out.valid.csv
    weights  makes of the (train) rows one epoch with these shares: rows repeat, accounts
             interleave; without weights, rows stand by handle and time
    seed     decides split and order; the same rows and arguments give the same bytes
    spreadsheet_safe   puts an apostrophe before csv cells that begin with = + - @, a tab or a
             carriage return, so that no spreadsheet runs them; False gives the exact text

    Existing files are replaced, each in one step. Raises WrongUsage for arguments that do not go
    together, InputRefused when nothing is kept or ``out`` cannot be written.
    """
    handles = sorted(curated["handle"].unique().to_list())
    _check(format, what, split, weights)
    checked = check_weights(weights, handles)
    rows = _rows(curated, what)
    if rows.is_empty():
        raise InputRefused(
            "There is nothing to export.",
            f"The recipe {recipe.name} keeps none of the {curated.height:,} tweets.",
            "Loosen its rules, or export with --what all.",
        )
    parts = {"": rows}
    if split is not None:
        train, valid = split_rows(rows, seed=seed, valid_fraction=split)
        parts = {"train": train, "valid": valid}
    first = next(iter(parts))
    if weights is not None:
        order = epoch_order(parts[first], seed=seed, epoch=0, weights=checked)
        parts[first] = parts[first][order]
    safe = spreadsheet_safe and format == "csv"
    try:
        files = _write(parts, out, format, safe)
        manifest = _manifest(curated, handles, parts, files, recipe)
        manifest |= {"format": format, "what": what, "seed": seed, "split": split}
        manifest |= {"weights": checked, "spreadsheet_safe": safe}
        if format == "hf":
            write_text_whole(out / "README.md", _readme(manifest))
        manifest_path = (
            out / "mynah.manifest.json"
            if format == "hf"
            else out.with_name(f"{out.name}.manifest.json")
        )
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        write_text_whole(manifest_path, text)
    except OSError as error:
        raise InputRefused(
            f"{out} cannot be written.", f"{error.strerror or error}.", "Choose another place."
        ) from error
    path = out if format == "hf" else out.parent / files[0].name
    return ExportResult(
        path=path,
        rows=sum(file.rows for file in files),
        sha256=files[0].sha256 if len(files) == 1 else sha256_of(manifest_path),
        manifest=manifest_path,
        files=tuple(files),
    )


def _check(
    format: str,  # noqa: A002
    what: str,
    split: float | None,
    weights: Mapping[str, float] | None,
) -> None:
    if format not in FORMATS:
        raise WrongUsage(f"{format!r} is not a format.", f"There are: {', '.join(FORMATS)}.")
    if what not in ("kept", "all"):
        raise WrongUsage(f"{what!r} cannot be exported.", "It is either kept or all.")
    if what == "all" and format == "txt":
        raise WrongUsage(
            "txt cannot hold all tweets.",
            "It has no place to say which were kept.",
            "Choose jsonl, csv or parquet.",
        )
    if what == "all" and (split is not None or weights is not None):
        raise WrongUsage(
            "All tweets cannot be split or weighted.", "Both make a training set of the kept ones."
        )


def _rows(curated: pl.DataFrame, what: str) -> pl.DataFrame:
    columns = ["tweet_id", "handle", "created_at", "kind", pl.col("clean_text").alias("text")]
    if what == "all":
        columns += [pl.col("text").alias("raw_text"), "kept", "reason"]
        return in_order(curated.select(columns))
    return in_order(curated.filter("kept").select(columns))


def _write(
    parts: dict[str, pl.DataFrame],
    out: Path,
    format: str,  # noqa: A002
    safe: bool,
) -> list[ExportedFile]:
    if format == "hf":
        if out.is_dir() and any(out.iterdir()) and not (out / "mynah.manifest.json").exists():
            raise InputRefused(
                f"The folder {out} holds other files.", "", "Choose a new or an empty folder."
            )
        if "valid" not in parts:  # one of an earlier export would be taken for a part of this one
            (out / "data" / "validation.parquet").unlink(missing_ok=True)
    elif out.is_dir():
        raise InputRefused(
            f"{out} is a folder.", "", f"Add a file's name, such as tweets.{format}."
        )
    files = []
    for part, rows in parts.items():
        if format == "hf":
            name = f"data/{'validation' if part == 'valid' else 'train'}.parquet"
            path = out / name
        else:
            name = f"{out.stem}.{part}{out.suffix}" if part else out.name
            path = out.with_name(name)
        shown = safe_for_spreadsheets(rows) if safe else rows
        write_whole(path, partial(WRITERS[format], shown))
        files.append(ExportedFile(name, rows.height, sha256_of(path)))
    return files


def _manifest(
    curated: pl.DataFrame,
    handles: list[str],
    parts: dict[str, pl.DataFrame],
    files: list[ExportedFile],
    recipe: Recipe,
) -> dict[str, Any]:
    named = {f"{name or 'exported'}": rows for name, rows in parts.items()}
    return {
        "mynah": __version__,
        "polars": pl.__version__,
        "recipe": {"name": recipe.name, "hash": recipe.hash, "rules": recipe.rules},
        "handles": handle_counts(curated, handles, **named),
        "source_files": curated["source_file"].drop_nulls().unique().sort().to_list(),
        "files": {file.name: {"rows": file.rows, "sha256": file.sha256} for file in files},
    }


def _readme(manifest: dict[str, Any]) -> str:
    files = "".join(
        f"  - split: {Path(name).stem}\n    path: {name}\n" for name in manifest["files"]
    )
    return _HF_README.format(
        files=files,
        handles=", ".join(f"@{handle}" for handle in manifest["handles"]),
        rows=sum(file["rows"] for file in manifest["files"].values()),
        mynah=manifest["mynah"],
        recipe=manifest["recipe"]["name"],
    )
