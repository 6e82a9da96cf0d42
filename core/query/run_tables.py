"""The tables ``runs``, ``metrics``, ``samples`` and ``run_tweets`` of SQL, from the runs' folders.

The first three are frames made for each query. ``run_tweets`` may hold millions of rows, so it is a
view over the files that runs have learned from, the only ones that a query may read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from core.json_lines import read_json_lines

if TYPE_CHECKING:
    from core.home import Home

RUNS: Final[dict[str, pl.DataType]] = {
    "run": pl.String(),
    "handles": pl.List(pl.String()),
    "base": pl.String(),
    "state": pl.String(),
    "step": pl.Int64(),
    "steps": pl.Int64(),
    "train_loss": pl.Float64(),
    "valid_loss": pl.Float64(),
    "started": pl.Datetime("us", "UTC"),
    "ended": pl.Datetime("us", "UTC"),
    "stale": pl.String(),
    "sweep": pl.String(),
    "trial": pl.Int64(),
    "name": pl.String(),
    "note": pl.String(),
    "tags": pl.List(pl.String()),
    "waits_for": pl.String(),
    "continues": pl.String(),
    "preset": pl.String(),
    "method": pl.String(),
    "recipe": pl.String(),
    "lr": pl.Float64(),
    "epochs": pl.Float64(),
    "seed": pl.Int64(),
    "device": pl.String(),
    "tokens": pl.Int64(),
    "tokens_per_second": pl.Float64(),
    "valid_loss_before": pl.Float64(),
    "shares": pl.String(),
    "settings": pl.String(),
}
METRICS: Final[dict[str, pl.DataType]] = {
    "run": pl.String(),
    "step": pl.Int64(),
    "kind": pl.String(),
    "loss": pl.Float64(),
    "valid_loss": pl.Float64(),
    "lr": pl.Float64(),
    "tokens": pl.Float64(),
    "tokens_per_second": pl.Float64(),
    "seconds": pl.Float64(),
}
# What a model wrote while it learned has a ``step``, what it was asked for an ``id``.
SAMPLES: Final[dict[str, pl.DataType]] = {
    "run": pl.String(),
    "step": pl.Int64(),
    "prompt": pl.String(),
    "text": pl.String(),
    "id": pl.String(),
    "created_at": pl.Datetime("us", "UTC"),
    "model": pl.String(),
    "model_hash": pl.String(),
    "seed": pl.Int64(),
    "index": pl.Int64(),
    "temperature": pl.Float64(),
    "top_p": pl.Float64(),
    "top_k": pl.Int64(),
    "max_tokens": pl.Int64(),
    "settings": pl.String(),
    "device": pl.String(),
    "tokens": pl.Int64(),
    "stopped": pl.String(),
    "verdict": pl.String(),
    "longest": pl.Int64(),
    "share": pl.Float64(),
    "tweet_ids": pl.List(pl.String()),
    "favourite": pl.Boolean(),
    "note": pl.String(),
    "reply_to": pl.String(),
}
RUN_TABLES: Final = ("runs", "metrics", "samples")
# What each run learned from (split ``train``) and was measured with (``valid``), word for word.
RUN_TWEETS: Final = "run_tweets"
_TWEET_COLUMNS: Final = {
    "run": "VARCHAR",
    "split": "VARCHAR",
    "handle": "VARCHAR",
    "tweet_id": "VARCHAR",
    "created_at": "TIMESTAMPTZ",
    "text": "VARCHAR",
}
_IN_DATASET: Final = _TWEET_COLUMNS.keys() - {"run", "split"}
_SETTINGS: Final = ("preset", "method", "lr", "epochs", "seed")
_MEASURED: Final = ("device", "tokens", "tokens_per_second", "valid_loss_before")
_EDGE_BYTES: Final = 1 << 15


def run_frames(home: Home, wanted: Callable[[str], bool]) -> dict[str, pl.DataFrame]:
    """The three frames; one that is not ``wanted`` is empty, without a file being opened.

    ``runs`` says what ``mynah runs`` and the settings in run.json say, and ``settings`` holds all
    of those as JSON. ``samples`` holds what a model wrote while it learned, what it was asked for
    since, and favourites. ``metrics`` and ``samples`` have a column for every field that occurs in
    the lines of a training: numbers, truth values, or text (JSON where it is nested).
    """
    folders = sorted(path for path in home.runs.glob("*") if (path / "run.json").is_file())
    metrics = _records(folders, "metrics.jsonl") if wanted("metrics") else []
    samples = _samples(home, folders) if wanted("samples") else []
    return {
        "runs": _frame(_summaries(home) if folders and wanted("runs") else [], RUNS),
        "metrics": _frame(metrics, METRICS),
        "samples": _frame(samples, SAMPLES),
    }


def run_tweets(home: Home, *, wanted: bool) -> tuple[str, list[str]]:
    """The SELECT of the view ``run_tweets``, and the files it reads; none unless it is ``wanted``.

    Runs without a dataset, or with one that cannot be read, are passed over.
    """
    rows, files = [], []
    for run in sorted(home.runs.absolute().glob("*/dataset")) if wanted else ():
        if not (run.parent / "run.json").is_file():
            continue
        for split in ("train", "valid"):
            file = run / f"{split}.parquet"
            try:
                has = pl.scan_parquet(file, glob=False, hive_partitioning=False).collect_schema()
            except (OSError, pl.exceptions.PolarsError):
                continue
            lacking = _IN_DATASET - has.keys()
            if lacking or not isinstance(has["created_at"], pl.Datetime):
                continue  # of another version
            files.append(str(file))
            name, path = (_quoted(text) for text in (run.parent.name, str(file)))
            rows.append(
                f"SELECT {name} AS run, '{split}' AS split, handle, tweet_id, created_at, text "  # noqa: S608  # quoted
                f"FROM read_parquet({path}, hive_partitioning = false)"
            )
    none = ", ".join(f"NULL::{kind} AS {name}" for name, kind in _TWEET_COLUMNS.items())
    return " UNION ALL ".join(rows) or f"SELECT {none} LIMIT 0", files


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def run_columns(home: Home) -> dict[str, list[tuple[str, str]]]:
    """The columns of the tables with DuckDB's names for their types, for a list of them.

    Of long files only the first and last lines are read.
    """
    folders = sorted(path for path in home.runs.glob("*") if (path / "run.json").is_file())
    frames = {
        "runs": _frame([], RUNS),
        "metrics": _frame(_records(folders, "metrics.jsonl", edges=True), METRICS),
        "samples": _frame(_records(folders, "samples.jsonl", edges=True), SAMPLES),
    }
    return {
        table: [(name, _duckdb_type(kind)) for name, kind in found.schema.items()]
        for table, found in frames.items()
    } | {RUN_TWEETS: list(_TWEET_COLUMNS.items())}


def _duckdb_type(kind: pl.DataType) -> str:
    if isinstance(kind, pl.List):
        return "VARCHAR[]"
    if isinstance(kind, pl.Datetime):
        return "TIMESTAMPTZ"
    if kind == pl.Boolean():
        return "BOOLEAN"
    if kind.is_float():
        return "DOUBLE"
    return "BIGINT" if kind.is_integer() else "VARCHAR"


def _summaries(home: Home) -> list[dict[str, Any]]:
    from core.errors import InputRefused
    from core.runs.folder import Run
    from core.runs.summary import list_runs, run_result

    found = []
    for summary in list_runs(home):
        run = Run(summary.folder)
        try:
            record, result = run.record(), run_result(run)
        except InputRefused:
            continue  # it went away meanwhile
        settings = record.settings
        found.append(
            {
                **{name: settings.get(name) for name in _SETTINGS},
                **{name: result[name] for name in _MEASURED},
                "recipe": record.recipe.in_words or None,
                "settings": settings,
                **summary.to_json(),
            }
        )
    return found


def _samples(home: Home, folders: list[Path]) -> list[dict[str, Any]]:
    from core.sampling.favourites import favourites

    kept = {one.id: one for one in favourites(home)}
    found = _records(folders, "samples.jsonl")
    known = {*SAMPLES, *(name for line in found for name in line)}
    for line in found:
        when = line.get("time")
        if "created_at" not in line and isinstance(when, (int, float)):
            with suppress(ValueError, OverflowError, OSError):
                line["created_at"] = datetime.fromtimestamp(when, timezone.utc).isoformat()
    for line in _records(folders, "generated.jsonl"):
        copy, settings = line.pop("copy", None), line.get("settings")
        favourite = kept.pop(str(line.get("id")), None)
        found.append(
            {
                **(settings if isinstance(settings, dict) else {}),
                **(copy if isinstance(copy, dict) else {}),
                **line,
                "favourite": favourite is not None,
                "note": favourite.note if favourite else None,
            }
        )
    for favourite in kept.values():  # of another version, or of a run that is gone
        found.append(
            {
                **favourite.settings,
                **favourite.copy.to_json(),
                "run": favourite.run,
                "id": favourite.id,
                "created_at": favourite.when.isoformat(),
                "prompt": favourite.prompt,
                "text": favourite.text,
                "settings": favourite.settings,
                "favourite": True,
                "note": favourite.note or None,
            }
        )
    return [{name: line[name] for name in line if name in known} for line in found]


def _records(folders: list[Path], name: str, *, edges: bool = False) -> list[dict[str, Any]]:
    tail = _EDGE_BYTES if edges else None
    return [
        {"run": folder.name, **record}
        for folder in folders
        for record in read_json_lines(folder / name, head=_EDGE_BYTES, tail=tail)
    ]


def _frame(records: list[dict[str, Any]], known: dict[str, pl.DataType]) -> pl.DataFrame:
    """A frame of the known columns, then any other that occurs (only where the known are few)."""
    names = list(known)
    if known is not RUNS:
        names += sorted({key for record in records for key in record} - set(known))
    return pl.DataFrame([_column(name, records, known.get(name)) for name in names])


def _column(name: str, records: list[dict[str, Any]], kind: pl.DataType | None) -> pl.Series:
    values = [record.get(name) for record in records]
    if isinstance(kind, pl.Datetime):
        from core.sources.times import parse_times

        return parse_times(pl.Series(name, [_text(v) for v in values], dtype=pl.String))
    if isinstance(kind, pl.List):
        lists = [[_text(str(i)) for i in v] if isinstance(v, list) else None for v in values]
        return pl.Series(name, lists, dtype=kind)
    numbers = all(v is None or (isinstance(v, (int, float))) for v in values)
    if kind is None:
        given = [v for v in values if v is not None]
        if given and all(isinstance(v, bool) for v in given):
            kind = pl.Boolean()
        else:
            kind = pl.Float64() if given and numbers else pl.String()
    if kind.is_numeric():
        if kind == pl.Float64():
            return pl.Series(name, [_number(v) for v in values], dtype=kind)
        return pl.Series(name, [_integer(v) for v in values], dtype=kind)
    if kind == pl.Boolean():
        truths = [v if isinstance(v, bool) else None for v in values]
        return pl.Series(name, truths, dtype=kind)
    return pl.Series(name, [_text(v) for v in values], dtype=pl.String)


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float)) else None
    except OverflowError:  # larger than any
        return None


def _integer(value: Any) -> int | None:
    """Of 64 bits, exactly: a seed is not rounded as a float is."""
    try:
        found = int(value) if isinstance(value, (int, float)) else None
    except (OverflowError, ValueError):  # infinite, or no number
        return None
    return found if found is not None and -(2**63) <= found < 2**63 else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return json.dumps(value)
