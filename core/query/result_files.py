"""A query's rows as csv, json, jsonl or parquet."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from core.errors import InputRefused, WrongUsage
from core.query.result import QueryResult, as_json, records

if TYPE_CHECKING:
    import polars as pl

FORMATS: Final = ("csv", "json", "jsonl", "parquet")
BY_SUFFIX: Final = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


def write_result(
    result: QueryResult, kind: str, output: Path | None, *, spreadsheet_safe: bool = True
) -> str | None:
    """Write as csv, json, jsonl or parquet to ``output``, or return the text without one.

    A file is replaced as a whole or not at all. ``spreadsheet_safe`` puts an apostrophe before csv
    cells that a spreadsheet would run. Raises InputRefused when it cannot be written, WrongUsage
    for an unknown kind and for Parquet without a file.
    """
    return write_frames([result.frame], kind, output, spreadsheet_safe=spreadsheet_safe)


def write_frames(
    frames: Iterable[pl.DataFrame],
    kind: str,
    output: Path | None,
    *,
    spreadsheet_safe: bool = True,
) -> str | None:
    """As `write_result`, for rows that come in several frames of the same columns."""
    from core.files import write_whole

    check_kind(kind, output)
    if output is None:
        text = io.BytesIO()
        _write_text(frames, kind, text, spreadsheet_safe)
        return text.getvalue().decode()

    def write(part: Path) -> None:
        if kind == "parquet":
            _write_parquet(frames, part)
            return
        with part.open("wb") as stream:
            _write_text(frames, kind, stream, spreadsheet_safe)

    try:
        if not output.parent.is_dir():
            raise NotADirectoryError(errno.ENOENT, f"There is no folder {output.parent}")
        if output.is_dir():
            raise IsADirectoryError(errno.EISDIR, "It is a folder")
        write_whole(output, write)
    except OSError as error:
        raise InputRefused(f"{output} cannot be written.", f"{error.strerror or error}.") from error
    return None


def format_of(output: Path) -> str:
    """What a file's name says about its format; raises WrongUsage when it says nothing."""
    kind = BY_SUFFIX.get(output.suffix.lower())
    if kind is None:
        raise WrongUsage(
            f"The name {output} does not say which format is meant.",
            "",
            "Let it end in .csv, .json, .jsonl or .parquet; mynah sql also takes --format.",
        )
    return kind


def check_kind(kind: str, output: Path | None) -> None:
    """Raises WrongUsage for a format that there is not, and for Parquet without a file."""
    if kind not in FORMATS:
        raise WrongUsage(f"There is no format {kind!r}.", f"There are: {', '.join(FORMATS)}.")
    if kind == "parquet" and output is None:
        raise WrongUsage("Parquet is not text.", "", "Name a file with -o.")


def _write_text(
    frames: Iterable[pl.DataFrame], kind: str, stream: BinaryIO, spreadsheet_safe: bool
) -> None:
    from core.dataset.formats import safe_for_spreadsheets

    first = True
    for frame in frames:
        if kind == "csv":
            flat = _flat(frame)
            shown = safe_for_spreadsheets(flat) if spreadsheet_safe else flat
            stream.write(shown.write_csv(include_header=first).encode())
        elif kind == "jsonl":
            for row in records(frame):
                stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        else:
            for row in records(frame):
                stream.write(b"[\n " if first else b",\n ")
                text = json.dumps(row, ensure_ascii=False, indent=1)
                stream.write(text.replace("\n", "\n ").encode())
                first = False
            continue
        first = False
    if kind == "json":
        stream.write(b"[]\n" if first else b"\n]\n")


def _write_parquet(frames: Iterable[pl.DataFrame], output: Path) -> None:
    """One file; several frames go through files of their own, not through memory."""
    import polars as pl

    from core.files import owned_folder

    with owned_folder(output.parent, "result") as folder:
        parts: list[Path] = []
        for frame in frames:
            parts.append(folder / f"{len(parts):06d}.parquet")
            frame.write_parquet(parts[-1])
        if len(parts) == 1:
            parts[0].replace(output)
        else:
            pl.scan_parquet(parts, glob=False, hive_partitioning=False).sink_parquet(output)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """CSV has no lists: they are written as JSON."""
    import polars as pl

    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(
        pl.Series(name, [None if v is None else json.dumps(as_json(v)) for v in frame[name]])
        for name in nested
    )
