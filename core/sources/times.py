"""Dates as exports write them, to UTC; whole columns at a time."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

import polars as pl

from core.tweet import SNOWFLAKE_EPOCH_MS

# X's classic format, then ISO 8601 with and without offset; a missing offset means UTC.
_WITH_OFFSET: Final = ("%a %b %d %H:%M:%S %z %Y", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M%z")
_NAIVE: Final = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
# Forms that one program writes throughout, without fields that Polars takes ten times as long for.
_COMMON: Final = (
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S%.fZ",
)  # fmt: skip
_CLASSIC: Final = "%b %d %H:%M:%S +0000 %Y"  # behind the day of the week
_WEEKDAYS: Final = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "]
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=timezone.utc)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=timezone.utc)
_UTC: Final = pl.Datetime("us", "UTC")


def parse_times(written: pl.Series) -> pl.Series:
    """Text to UTC microseconds; null where no format fits or the year is out of 1990-2099.

    Reads X's own (``Sat Feb 18 12:33:11 +0000 2023``), ISO 8601 with a space or a T, and Unix
    seconds or milliseconds.
    """
    # exports write one form throughout; trying that one first saves most of the work
    quick = _in_one_form(written)
    if quick is not None:
        return _within(quick.dt.replace_time_zone("UTC")).alias(written.name)
    plain = (
        written.str.strip_chars()
        .str.replace(r"\s*(Z|UTC|GMT)$", "+0000")
        .str.replace(r"^(\d{4}-\d\d-\d\d)T", "${1} ")
        .str.replace(r"(:\d\d(?:\.\d+)?)\s*([+-]\d\d):?(\d\d)$", "${1}${2}${3}")
    )
    found = pl.Series(written.name, [None] * len(written), dtype=_UTC)

    def fill(column: pl.Expr) -> None:
        nonlocal found
        if found.null_count() > written.null_count():
            frame = pl.DataFrame({"plain": plain, "found": found})
            found = frame.select(pl.coalesce("found", column.cast(_UTC)))["found"]

    text = pl.col("plain")
    for form in _WITH_OFFSET:
        fill(text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC"))
    for form in _NAIVE:
        naive = text.str.to_datetime(form, strict=False, time_unit="us")
        fill(naive.dt.replace_time_zone("UTC"))
    day = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    fill(day.dt.replace_time_zone("UTC"))
    number = text.str.extract(r"^(\d{10}|\d{13})(?:\.\d+)?$", 1)
    seconds = number.cast(pl.Int64, strict=False)
    millis = pl.when(number.str.len_bytes() == 13).then(seconds).otherwise(seconds * 1000)
    fill((millis * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    return _within(found).alias(written.name)


def _in_one_form(written: pl.Series) -> pl.Series | None:
    """All the times, without zone, where they have the form of the first one; else None."""

    def read(column: pl.Series, form: str) -> pl.Series:
        return column.str.to_datetime(form, strict=False, time_unit="us", cache=False)

    first = written.drop_nulls().head(1)
    for form in _COMMON:
        if first.len() and not read(first, form).null_count():
            found = read(written, form)
            return found if found.null_count() == written.null_count() else None
    if first.len() and not read(first.str.slice(4), _CLASSIC).null_count():
        found = read(written.str.slice(4), _CLASSIC)
        days = written.str.head(4).replace_strict(_WEEKDAYS, range(1, 8), default=0)
        if found.null_count() == written.null_count() and (days == found.dt.weekday()).all():
            return found
    return None


def _within(found: pl.Series) -> pl.Series:
    inside = found.is_between(_EARLIEST, _LATEST)
    return pl.select(pl.when(inside).then(found)).to_series()


def snowflake_times(tweet_ids: pl.Series) -> pl.Series:
    """``core.tweet.snowflake_time`` for a whole column."""
    number = pl.col("id").cast(pl.Int64, strict=False)
    millis = number // 2**22 + SNOWFLAKE_EPOCH_MS
    time = (millis * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    digits = pl.col("id").str.contains(r"^\d+$")
    known = digits & (number >= 2**32)
    frame = pl.DataFrame({"id": tweet_ids})
    return frame.select(pl.when(known).then(time)).to_series().alias("created_at")
