"""Dates in the forms that spreadsheets and people write: one order of day and month a file."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.corpus.import_log import import_log
from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.errors import InputRefused, WrongUsage
from core.sources import csv_rows, tables
from core.sources.detect import open_source
from core.sources.preview import preview
from core.sources.source import DatesUnclear
from core.sources.times import Dates, parse_times, read_date_format

SNOWFLAKE = 1288834974657
_FIRST, _LAST = datetime(1990, 1, 1), datetime(2099, 12, 31)  # noqa: DTZ001


def snowflake(at: datetime) -> int:
    return (int(at.timestamp() * 1000) - SNOWFLAKE) << 22


def written(
    folder: Path, dates: list[str], form: str = "csv", ids: list[int] | None = None
) -> Path:
    path = folder / f"a.{form}"
    numbers = ids or list(range(1, len(dates) + 1))
    rows = [
        {"id": str(number), "text": "a", "author": "ann", "date": date}
        for number, date in zip(numbers, dates, strict=True)
    ]
    if form == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    elif form == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        lines = ["id;text;author;date", *(";".join(row.values()) for row in rows)]
        path.write_text("\n".join(lines))
    return path


def days(path: Path, **options: Any) -> list[str | None]:
    frame = pl.concat(list(open_source(path, **options).batches()))
    return [at and f"{at:%Y-%m-%d %H:%M}" for at in frame["created_at"]]


@pytest.mark.parametrize(
    ("date", "meant"),
    [
        ("18.02.2023 10:00", "2023-02-18 10:00:00"),
        ("8.2.2023, 10:00:05", "2023-02-08 10:00:05"),
        ("18. 2. 2023", "2023-02-18 00:00:00"),
        ("Feb 18, 2023", "2023-02-18 00:00:00"),
        ("February 3rd, 2023 6:07 PM", "2023-02-03 18:07:00"),
        ("18 Feb 2023 12:07 am", "2023-02-18 00:07:00"),
        ("18-Sept-2023", "2023-09-18 00:00:00"),
        ("Sat, 18 Feb 2023 10:00:00 +0100", "2023-02-18 09:00:00"),
        ("Feb 18, 2023 · 10:00 AM UTC", "2023-02-18 10:00:00"),
        ("Sat, 18 Feb 2023 10:00:00 GMT", "2023-02-18 10:00:00"),
        ("2023-02-18 10:00:00 GMT", "2023-02-18 10:00:00"),
        ("2023-02-18 10:00:00Z", "2023-02-18 10:00:00"),
        ("10:00 PM · Feb 18, 2023", "2023-02-18 22:00:00"),
        ("2023/2/8 10:00", "2023-02-08 10:00:00"),
        ("2/18/2023 12:00 PM", "2023-02-18 12:00:00"),
        ("18/2/2023", "2023-02-18 00:00:00"),
        ("8/8/2023", "2023-08-08 00:00:00"),
        ("8/2/2023", None),  # either
        ("18.02.23", None),
        ("2/30/2023", None),
        ("30/30/2023", None),
        ("18/02-2023", None),
        ("18/2/2023 13:00 PM", None),
        ("Foo 18, 2023", None),
        ("May be 18, 2023", None),
    ],
)
def test_a_date_alone(date: str, meant: str | None) -> None:
    wanted = meant and datetime.fromisoformat(meant).replace(tzinfo=timezone.utc)
    assert parse_times(pl.Series([date]))[0] == wanted


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("proof", "meant"), [("13/2/2011 9:00", "2011-02-08"), ("2/13/2011 9:00", "2011-08-02")]
)
@pytest.mark.parametrize("last", [True, False])
def test_one_day_above_twelve_settles_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, proof: str, meant: str, last: bool
) -> None:
    monkeypatch.setattr(csv_rows, "BATCH_ROWS", 2)  # the proof is in another batch
    monkeypatch.setattr(tables, "BATCH_ROWS", 2)
    rows = ["8/2/2011 18:07"] * 5
    dates = [*rows, proof] if last else [proof, *rows]
    found = days(written(tmp_path, dates, form))
    assert found.count(f"{meant} 18:07") == 5
    assert "2011-02-13 09:00" in found


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_where_nothing_tells_it_asks(tmp_path: Path, form: str) -> None:
    path = written(tmp_path, ["", "8/2/2011 18:07", "9/9/2011", "2011-01-01"], form)
    with pytest.raises(DatesUnclear) as refused:
        days(path)
    assert "8/2/2011" in refused.value.what
    assert "--date-format day-first" in refused.value.next_step
    with pytest.raises(DatesUnclear):
        preview(path)
    assert days(path, date_format="day-first")[1:3] == ["2011-02-08 18:07", "2011-09-09 00:00"]
    assert days(path, date_format="Month first")[1] == "2011-08-02 18:07"
    assert days(path, date_format="%d/%m/%Y %H:%M") == [
        None, "2011-02-08 18:07", "2011-09-09 00:00", "2011-01-01 00:00"
    ]  # fmt: skip
    assert preview(path, date_format="day-first").undated == 1


def test_ids_can_tell_the_order(tmp_path: Path) -> None:
    at = datetime(2011, 2, 8, 18, 7, tzinfo=timezone.utc)
    path = written(tmp_path, ["8/2/2011 20:07", "3/4/2011"], ids=[snowflake(at), 2])
    assert days(path) == ["2011-02-08 20:07", "2011-04-03 00:00"]
    path = written(tmp_path, ["2/8/2011 20:07", "3/4/2011"], ids=[snowflake(at), 2])
    assert days(path) == ["2011-02-08 20:07", "2011-03-04 00:00"]


def test_orders_that_are_mixed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "BATCH_ROWS", 1)
    path = written(tmp_path, ["13/2/2011", "2/14/2011"])
    with pytest.raises(InputRefused, match=r"13/2/2011 and 2/14/2011"):
        days(path)
    assert days(path, date_format="day-first") == ["2011-02-13 00:00", None]


def test_what_stays_undated_is_counted_and_told(tmp_path: Path) -> None:
    at = datetime(2020, 5, 6, tzinfo=timezone.utc)
    path = written(tmp_path, ["18.02.23", "", "soon", "18.02.2023"], ids=[snowflake(at), 2, 3, 4])
    corpus = Corpus(tmp_path / "c.duckdb")
    (result,) = import_path(corpus, path)
    assert result.undated == result.to_json()["undated"] == 2
    assert result.read == result.new == 4
    (warning,) = result.warnings
    assert "2 dates are in a form" in warning
    assert "'18.02.23'" in warning
    assert "--date-format" in warning
    (record,) = import_log(corpus)
    assert record.undated == 2
    seen = preview(path)
    assert (seen.undated, seen.dates_unread) == (2, 2)
    assert seen.span == (at, datetime(2023, 2, 18, tzinfo=timezone.utc))
    (again,) = import_path(corpus, path, date_format="%d.%m.%y")
    assert (again.undated, again.warnings[0][:8]) == (2, "One date")


def test_words_for_a_date_format() -> None:
    assert read_date_format(" Day first ") == "day-first"
    assert read_date_format("%d.%m.%Y %H:%M:%S.%f") == "%d.%m.%Y %H:%M:%S%.f"
    for wrong in ("", "nonsense", "%H:%M", "%d.%m", "%Q", "%"):
        with pytest.raises(WrongUsage, match="day-first, month-first"):
            read_date_format(wrong)
    with pytest.raises(WrongUsage) as refused:  # what Polars says ends with a full stop
        read_date_format("%d.%m.%Y %H")
    assert "or neither. It takes" in str(refused.value)


def test_only_tables_have_a_form_of_dates(tmp_path: Path) -> None:
    from tests.fixtures.x_archive import archive_files, as_zip, tweet

    path = as_zip(tmp_path / "a.zip", dict(archive_files([tweet(1, "a")])))
    with pytest.raises(WrongUsage, match="no form of dates"):
        open_source(path, date_format="day-first")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.datetimes(_FIRST, _LAST), min_size=1, max_size=20),
    st.sampled_from(["%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d-%m-%Y, %H:%M:%S"]),
    st.integers(1, 7),
)
def test_a_column_is_read_as_it_was_written(moments: list[datetime], form: str, size: int) -> None:
    moments = [at.replace(microsecond=0, tzinfo=timezone.utc) for at in moments]
    column = pl.Series("created", [at.strftime(form) for at in moments])
    dates = Dates("it", None, lambda: [column.to_frame()])
    parts = [column.slice(start, size) for start in range(0, len(column), size)]
    if all(at.day <= 12 for at in moments) and any(at.day != at.month for at in moments):
        with pytest.raises(DatesUnclear):
            pl.concat([dates.read(part) for part in parts])
    else:
        assert pl.concat([dates.read(part) for part in parts]).to_list() == moments
