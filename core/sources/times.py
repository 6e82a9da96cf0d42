"""Dates as exports write them, to UTC: a column at a time, with one order of day and month."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, timezone
from typing import Final

import polars as pl

from core.errors import WrongUsage, first_line
from core.sources.source import DatesUnclear
from core.tweet import FIRST_SNOWFLAKE, SNOWFLAKE_EPOCH_MS

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
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
# "feb" and "february" to "02"
_MONTH_NUMBERS: Final = {"sept": "09"} | {
    name[:length]: f"{number:02}"
    for number, name in enumerate(_MONTHS, 1)
    for length in (3, len(name))
}
# a clock of 24 hours or of 12 with AM and PM, and an offset; all of it may lack
_CLOCK: Final = (
    r"(?:[\sT,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d(?:\.\d{1,9})?))?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?\s*(?P<zone>[+-]\d\d:?\d\d)?$"
)
# Feb 18, 2023 · 18 February 2023 · Sat, 18 Feb 2023
_NAMED: Final = (
    r"^(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
    r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s.\-]+(?P<month>[A-Za-z]{3,9})"
    r"|(?P<month2>[A-Za-z]{3,9})\.?\s+(?P<day2>\d{1,2})(?:st|nd|rd|th)?)"
    r"[.,]?[\s\-,]+(?P<year>\d{4})" + _CLOCK
)
# 8/2/2011 · 18.02.2023 · 2023/02/18; years have four digits
_NUMBERS: Final = (
    r"^(?P<a>\d{1,2}|\d{4})(?P<sign>[/.\-])\s?(?P<b>\d{1,2})(?P<sign2>[/.\-])\s?"
    r"(?P<c>\d{1,2}|\d{4})" + _CLOCK
)
_CLOCK_FIRST: Final = r"^(\d{1,2}:\d\d(?::\d\d)?(?:\s*[AaPp]\.?[Mm]\.?)?)[\s,]+(\S.*)$"
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=timezone.utc)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=timezone.utc)
_UTC: Final = pl.Datetime("us", "UTC")

# numbers of a date as _NUMBERS splits it; which of them is the day is open in those of _EITHER
_A, _B, _C = (pl.col(name).cast(pl.Int32) for name in "abc")
_SLASHED: Final = (
    (pl.col("sign") != ".") & (pl.col("sign") == pl.col("sign2")) & (_A <= 31) & (_C > 31)
)
_EITHER: Final = _SLASHED & (_A <= 12) & (_B <= 12) & (_A != _B)
_CLOCKS: Final = ("%H", "%I", "%k", "%l", "%T", "%R", "%s", "%c", "%X", "%r")

DAY_FIRST: Final = "day-first"
MONTH_FIRST: Final = "month-first"


def read_date_format(given: str) -> str:
    """DAY_FIRST, MONTH_FIRST or a format of strptime, from ``--date-format``; raises WrongUsage."""
    words = "-".join(given.strip().lower().replace("_", "-").split())
    if words in (DAY_FIRST, MONTH_FIRST):
        return words
    # Polars spells a fraction of a second otherwise
    form = given.strip().replace(".%f", "%.f")
    problem = "It needs a year, a month and a day."
    try:
        example = datetime(2023, 2, 18, tzinfo=timezone.utc).strftime(form.replace("%.f", ".%f"))
        if _by_format(pl.Series([example]), form).dt.date()[0] == date(2023, 2, 18):
            return form
    except (pl.exceptions.PolarsError, ValueError) as error:
        problem = first_line(error)[:120]
    raise WrongUsage(
        f"There is no date format {given.strip()!r}.",
        problem,
        f"It takes {DAY_FIRST}, {MONTH_FIRST}, or a format such as '%d.%m.%Y %H:%M'.",
    )


class Dates:
    """The column of dates of one file, a batch at a time.

    8/2/2011 is the eighth of February or the second of August, and the same in the whole file: what
    a day above 12 says, or an id that tells the time, or ``form`` (of ``read_date_format``), or the
    rest of the file. ``reread`` gives that: frames with its dates as ``created``, and the ids as
    ``tweet_id`` where there are any. Without ``reread`` each date stands for itself.
    """

    def __init__(
        self,
        title: str = "",
        form: str | None = None,
        reread: Callable[[], Iterable[pl.DataFrame]] | None = None,
    ) -> None:
        self.unread = 0  # dates that no form fits
        self.example = ""  # the first of them
        self._title = title
        self._given = form is not None
        self._order = form if form in (DAY_FIRST, MONTH_FIRST) else None
        self._form = form if form not in (DAY_FIRST, MONTH_FIRST) else None
        self._reread = reread
        self._proof = ""  # the date that showed the order

    def read(self, written: pl.Series, ids: pl.Series | None = None) -> pl.Series:
        """Text to UTC microseconds; null where no form fits or the year is out of 1990-2099.

        ``ids`` are the tweets'. Raises DatesUnclear where day and month could be either and nothing
        in the file tells, or where some dates have the day first and others the month.
        """
        # exports write one form throughout; trying that one first saves most of the work
        quick = _in_one_form(written) if self._form is None else None
        if quick is not None:
            found = quick.dt.replace_time_zone("UTC")
        else:
            found = _certain(written, self._form)
            left = found.is_null() & _filled(written)
            if left.any():
                dates = _split(_evened(written.filter(left)), _NUMBERS)
                if ids is not None:
                    dates = dates.with_columns(known=snowflake_times(ids.filter(left)))
                if self._reread and not self._given:
                    self._decide(dates, self._reread)
                found = found.scatter(left.arg_true(), _moments(_in_order(dates, self._order)))
        found = _within(found)
        if found.null_count() > written.null_count():
            lost = written.filter(found.is_null() & _filled(written))
            self.unread += lost.len()
            self.example = self.example or (lost[0] if lost.len() else "")
        return found.alias(written.name)

    def _decide(self, dates: pl.DataFrame, reread: Callable[[], Iterable[pl.DataFrame]]) -> None:
        self._weigh(dates)
        either = dates.filter(_EITHER)
        if self._order is not None or not either.height:
            return
        for part in reread():
            part = part.filter(_filled(part["created"]))
            more = _split(_evened(part["created"]), _NUMBERS)
            if "tweet_id" in part.columns:
                more = more.with_columns(known=snowflake_times(part["tweet_id"]))
            self._weigh(more)
            if self._order is not None:
                return
        raise DatesUnclear(
            f"Is {either['written'][0][:40]} the day first, or the month? The dates in "
            f"{self._title} can be read both ways.",
            "No date and no id in it tells.",
            f"Say --date-format {DAY_FIRST} or --date-format {MONTH_FIRST}.",
        )

    def _weigh(self, dates: pl.DataFrame) -> None:
        """Learn the order from what these dates show; raises DatesUnclear when they disagree."""
        for order, proof in ((DAY_FIRST, _A > 12), (MONTH_FIRST, _B > 12)):
            shown = dates.filter(_SLASHED & proof & ((_A <= 12) | (_B <= 12)))
            if not shown.height and "known" in dates.columns:
                either = dates.filter(_EITHER & pl.col("known").is_not_null())
                apart = (_moments(_in_order(either, order)) - either["known"]).abs()
                shown = either.filter(apart < timedelta(days=2))
            if not shown.height:
                continue
            example = shown["written"][0][:40]
            if self._order not in (None, order):
                raise DatesUnclear(
                    f"Some dates in {self._title} have the day first and others the month.",
                    f"{self._proof} and {example} cannot both be read.",
                    f"--date-format {DAY_FIRST} or {MONTH_FIRST} reads those that fit.",
                )
            self._order, self._proof = order, example


def parse_times(written: pl.Series) -> pl.Series:
    """The same for dates that stand for themselves; one that could be either is null."""
    return Dates().read(written)


def _certain(written: pl.Series, form: str | None) -> pl.Series:
    """Dates in ``form``, in X's own (``Sat Feb 18 12:33:11 +0000 2023``), in ISO 8601 with a space
    or a T, in Unix seconds or milliseconds, or with the month's name."""
    evened = _evened(written)
    joined = evened.str.replace(r"^(\d{4}-\d\d-\d\d)T", "${1} ").str.replace(
        r"(:\d\d(?:\.\d+)?)\s*([+-]\d\d):?(\d\d)$", "${1}${2}${3}"
    )
    found = pl.Series(written.name, [None] * len(written), dtype=_UTC)
    if form is not None:
        found = _by_format(written.str.strip_chars(), form)

    def fill(column: pl.Expr) -> None:
        nonlocal found
        if found.null_count() > joined.null_count():
            frame = pl.DataFrame({"joined": joined, "found": found})
            found = frame.select(pl.coalesce("found", column.cast(_UTC)))["found"]

    text = pl.col("joined")
    for known in _WITH_OFFSET:
        fill(text.str.to_datetime(known, strict=False, time_unit="us", time_zone="UTC"))
    for known in _NAIVE:
        naive = text.str.to_datetime(known, strict=False, time_unit="us")
        fill(naive.dt.replace_time_zone("UTC"))
    day = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    fill(day.dt.replace_time_zone("UTC"))
    number = text.str.extract(r"^(\d{10}|\d{13})(?:\.\d+)?$", 1)
    seconds = number.cast(pl.Int64, strict=False)
    millis = pl.when(number.str.len_bytes() == 13).then(seconds).otherwise(seconds * 1000)
    fill((millis * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    left = found.is_null() & evened.str.contains("[A-Za-z]{3}").fill_null(False)
    if left.any():
        dates = _split(evened.filter(left), _NAMED)
        month = pl.coalesce("month", "month2").str.to_lowercase()
        dates = dates.with_columns(
            month=month.replace_strict(_MONTH_NUMBERS, default=None, return_dtype=pl.String()),
            day=pl.coalesce("day", "day2"),
        )
        found = found.scatter(left.arg_true(), _moments(dates))
    return found


def _by_format(written: pl.Series, form: str) -> pl.Series:
    """Dates in a format of strptime; raises PolarsError for one that is none."""
    if "%z" in form:
        return written.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
    if any(clock in form for clock in _CLOCKS):
        naive = written.str.to_datetime(form, strict=False, time_unit="us")
    else:
        naive = written.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    return naive.dt.replace_time_zone("UTC")


def _filled(written: pl.Series) -> pl.Series:
    return (written.str.strip_chars() != "").fill_null(False)


def _evened(written: pl.Series) -> pl.Series:
    """Without what says the same in another way: UTC as an offset, the clock behind the date."""
    evened = (
        written.str.strip_chars()
        .str.replace(r"\s*·\s*", " ")
        .str.replace(r"\s*(Z|UTC|GMT)$", "+0000")
        .str.replace(_CLOCK_FIRST, "${2} ${1}")
    )
    return evened.set(evened == "", None)


def _split(dates: pl.Series, pattern: str) -> pl.DataFrame:
    """Dates as ``written``, and the groups of ``pattern``; null where it does not fit."""
    frame = pl.DataFrame({"written": dates})
    return frame.with_columns(pl.col("written").str.extract_groups(pattern).alias("_")).unnest("_")


def _in_order(dates: pl.DataFrame, order: str | None) -> pl.DataFrame:
    """With year, month and day; dots mean the day first, slashes what ``order`` says."""
    alone = order is None
    day_first = (pl.col("sign") == ".") | (order == DAY_FIRST) | (alone & ((_A > 12) | (_A == _B)))
    month_first = (order == MONTH_FIRST) | (alone & (_B > 12))
    year_first = (_A > 31) & (_C <= 31)
    fits = (pl.col("sign") == pl.col("sign2")) & (year_first | (_A <= 31) & (_C > 31))
    a, b, c = pl.col("a"), pl.col("b"), pl.col("c")
    return dates.with_columns(
        year=pl.when(fits).then(pl.when(year_first).then(a).otherwise(c)),
        month=pl.when(year_first | day_first).then(b).when(month_first).then(a),
        day=pl.when(year_first).then(c).when(day_first).then(a).when(month_first).then(b),
    )


def _moments(dates: pl.DataFrame) -> pl.Series:
    """Times of the columns year, month, day, hour, minute, second, half (of the day) and zone."""
    hour, half = pl.col("hour").cast(pl.Int32), pl.col("half").str.to_lowercase()
    of_twelve = pl.when(hour.is_between(1, 12)).then(
        hour % 12 + pl.when(half == "p").then(12).otherwise(0)
    )
    hour = (
        pl.when(pl.col("hour").is_null())
        .then(0)
        .when(half.is_null())
        .then(hour)
        .otherwise(of_twelve)
    )
    spelt = pl.format(
        "{}-{}-{} {}:{}:{}",
        "year",
        pl.col("month").str.zfill(2),
        pl.col("day").str.zfill(2),
        hour.cast(pl.String).str.zfill(2),
        pl.col("minute").fill_null("00"),
        pl.col("second").fill_null("00"),
    )
    time = spelt.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    zone = pl.col("zone").fill_null("+0000").str.replace(":", "", literal=True)
    east = zone.str.slice(1, 2).cast(pl.Int64) * 60 + zone.str.slice(3, 2).cast(pl.Int64)
    shift = pl.duration(minutes=pl.when(zone.str.starts_with("-")).then(-east).otherwise(east))
    return dates.select((time - shift).dt.replace_time_zone("UTC").alias("time"))["time"]


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
    known = digits & (number >= FIRST_SNOWFLAKE)
    frame = pl.DataFrame({"id": tweet_ids})
    return frame.select(pl.when(known).then(time)).to_series().alias("created_at")
