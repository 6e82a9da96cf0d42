"""What a file would bring in, before anything is written: its tweets, and its columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import InputRefused, Interrupted
from core.safe_text import printable

if TYPE_CHECKING:
    import polars as pl

    from core.sources.opened import Content
    from core.sources.source import Source

# notes on a file at first sight that stay worth reading once it is counted
_STAYS: Final = ("Reads ", "Posts in communities")
_EVERY: Final = 0.25  # seconds between two counts that are shown
_ANY_TEXT: Final = {"text": ""}  # a table is one without a column of texts, too
_LOOKED_AT: Final = 200  # rows that may hold an example
_LONGEST_EXAMPLE: Final = 200  # characters


@dataclass(frozen=True)
class PreviewRow:
    """One tweet to come; ``text`` is as it was published, without HTML entities."""

    handle: str
    created_at: datetime | None
    kind: str
    text: str


@dataclass(frozen=True)
class Preview:
    """What is known of a file so far; ``counted`` when it is read to its end.

    ``title`` is its format; ``table`` when its columns can be named. ``handles`` are the accounts
    found, ``tweets`` those that would be stored, ``span`` their first and last time, ``undated``
    how many have none, ``skipped`` the others by reason. ``encoding`` is empty
    where the format fixes it; ``guessed`` when it might be another one. ``dates_unread`` dates are
    in a form that is not known. ``notes`` are sentences worth reading.
    """

    path: Path
    title: str
    needs_handle: bool = False
    table: bool = False
    number: bool = False
    encoding: str = ""
    guessed: bool = False
    handles: tuple[str, ...] = ()
    tweets: int = 0
    counted: bool = False
    span: tuple[datetime, datetime] | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    undated: int = 0
    dates_unread: int = 0
    notes: tuple[str, ...] = ()
    rows: tuple[PreviewRow, ...] = ()


def preview(
    path: Path,
    *,
    encoding: str | None = None,
    date_format: str | None = None,
    columns: Mapping[str, str] | None = None,
    most: int = 5,
    show: Callable[[Preview], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Preview:
    """Read ``path`` through, storing nothing; ``show`` gets what is known as it becomes known.

    The first ``most`` tweets are in its order; ``columns`` is ``open_source``'s. Raises
    InputRefused and WrongUsage as imports do, Interrupted when ``cancelled`` says so.
    """
    from core.sources.detect import detect, open_source

    columns = columns or {}
    found = detect(path, encoding=encoding, date_format=date_format, columns=columns)
    seen = Preview(
        path,
        found.lines()[0].split(", first")[0],
        needs_handle=found.needs_handle,
        table=found.is_table,
        number=found.number,
        encoding=found.encoding,
        guessed=found.encoding_guessed,
        handles=(found.handle,) if found.handle else (),
        notes=tuple(line for line in found.lines() if line.startswith(_STAYS)),
    )
    if show:
        show(seen)
    # whose it is where the file does not say: nobody sees the name
    owner = "you" if found.needs_handle else None
    source = open_source(
        path, handle=owner, encoding=encoding, date_format=date_format, columns=columns
    )
    last = time.monotonic()

    def check(read: int, total: int | None) -> None:
        if cancelled and cancelled():
            raise Interrupted(f"The look at {path} was stopped.")

    for batch in source.batches(check):
        check(0, None)
        rows = seen.rows or tuple(_rows(batch, most))
        seen = _with_counts(replace(seen, rows=rows, tweets=seen.tweets + batch.height), source)
        if show and (time.monotonic() - last > _EVERY or seen.tweets == batch.height):
            last = time.monotonic()
            show(seen)
    seen = _with_counts(seen, source)
    seen = replace(seen, counted=True, notes=(*seen.notes, *source.summary.warnings))
    if show:
        show(seen)
    return seen


@dataclass(frozen=True)
class TableColumn:
    """A column of a table, or a key of JSON objects (``a.b`` for one of an object inside).

    ``example`` is its first value that is not blank, as far as one stands near the beginning: safe
    to show, in one line of at most 200 characters. ``role`` is what it is taken for as long as
    nobody maps it, a key of ``columns.GUESSES``, or empty.
    """

    name: str
    example: str = ""
    role: str = ""


def table_columns(path: Path, *, encoding: str | None = None) -> list[TableColumn]:
    """The columns that ``open_source``'s ``columns`` can name, in the file's order.

    Reads the beginning of the file. Raises InputRefused and WrongUsage as ``detect`` does, and
    InputRefused for what is no table or has none.
    """
    from core.sources.columns import guess
    from core.sources.detect import find
    from core.sources.opened import Content

    found = find(path, None, _ANY_TEXT, encoding, None)
    if found.reader == "parquet":
        values = _in_parquet(found.root)
        roles = guess(values)
    elif found.reader in ("csv", "json"):
        content = Content.of(found.root, found.member, tar=found.tar, encoding=encoding)
        if found.reader == "csv":
            values = _in_csv(content)
            roles = guess(values)
        else:
            values, roles = _in_json(content)
    else:
        raise InputRefused(f"{path} has no columns to choose.", "Its format says what is what.")
    if not values:
        raise InputRefused(f"{path} has no columns to choose.", "It holds no texts and no numbers.")
    role_of = {name: role for role, name in roles.items()}
    return [
        TableColumn(name, printable(value.strip())[:_LONGEST_EXAMPLE], role_of.get(name, ""))
        for name, value in values.items()
    ]


def _in_csv(content: Content) -> dict[str, str]:
    """The columns and the first value of each; the first of a doubled name counts."""
    from core.sources.csv_rows import CsvRows
    from core.sources.tables import header_of

    names, delimiter = header_of(content.head())
    head = content.head().encode()
    rows = CsvRows(iter([head[: head.rfind(b"\n") + 1] or head]), len(names), delimiter)
    values = dict.fromkeys(names, "")
    for frame in rows.frames():
        for name, value in values.items():
            values[name] = value or _first(frame[str(names.index(name))])
    return values


def _in_parquet(path: Path) -> dict[str, str]:
    """The same, without columns of lists or objects."""
    import polars as pl

    from core.sources.tables import as_text, sound

    def some() -> pl.DataFrame:
        rows = pl.scan_parquet(path, glob=False)
        plain = [name for name, kind in rows.collect_schema().items() if not kind.is_nested()]
        return rows.select(plain).head(_LOOKED_AT).collect()

    values = {}
    for column in sound(path, some):
        values[column.name] = ""
        with suppress(pl.exceptions.PolarsError):  # bytes that are no text, lengths of time
            as_texts = column.to_frame().select(as_text(column.name, column.dtype))
            values[column.name] = _first(as_texts.to_series())
    return values


def _first(values: pl.Series) -> str:
    filled = values.filter(values.str.strip_chars() != "")
    return str(filled[0]) if filled.len() else ""


def _in_json(content: Content) -> tuple[dict[str, str], dict[str, str]]:
    """The keys with values, and which key is which role."""
    from core.sources.json_objects import examples, guessed_keys
    from core.sources.json_shape import Enough, ignore_flaw, items_of, shape_of

    shape = shape_of(content, _ANY_TEXT)
    some: list[Any] = []
    with suppress(Enough):
        for _, item in items_of(content, shape.layout, shape.key, ignore_flaw):
            some.append(item)
            if len(some) >= _LOOKED_AT:
                break
    roles: dict[str, str] = {}
    for item in some:
        roles = guessed_keys(item) | roles
    return examples(some), roles


def _with_counts(seen: Preview, source: Source) -> Preview:
    summary = source.summary
    handles = () if seen.needs_handle else tuple(h for h in sorted(summary.per_handle) if h)
    return replace(
        seen,
        handles=handles or seen.handles,
        span=summary.span,
        skipped=dict(sorted(summary.skipped.items())),
        undated=summary.undated,
        dates_unread=summary.dates_unread,
    )


def _rows(batch: pl.DataFrame, most: int) -> list[PreviewRow]:
    columns = ["handle", "created_at", "kind", "text", "text_escaped"]
    return [
        PreviewRow(handle, at, kind, _published(text) if escaped else text)
        for handle, at, kind, text, escaped in batch.head(most).select(columns).iter_rows()
    ]


def _published(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
