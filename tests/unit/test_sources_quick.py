"""What is done quickly for a whole column or block is what is done for each value alone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.sources.batches import gathered, listed
from core.sources.decoding import Encoding, look_through
from core.sources.json_lines import FlatLines, lines_of_objects, pairs_only
from core.sources.times import parse_times

_FORMS = [
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.%fZ", "%a %b %d %H:%M:%S +0000 %Y", "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S %z",
]  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(
    form=st.sampled_from(_FORMS),
    times=st.lists(st.datetimes(timezones=st.just(timezone.utc)), max_size=5),
    odd=st.sampled_from(
        ["", None, "soon", "Sun Feb 18 12:33:11 +0000 2023", "2023-02-30T00:00:00Z"]
    ),
    place=st.integers(0, 5),
)
def test_times_of_one_form(form: str, times: list[datetime], odd: str | None, place: int) -> None:
    written: list[str | None] = [time.strftime(form) for time in times]
    for column in (written, [*written[:place], odd, *written[place:]]):
        found = parse_times(pl.Series(column, dtype=pl.String)).to_list()
        alone = [parse_times(pl.Series([one], dtype=pl.String))[0] for one in column]
        assert found == alone
    if form not in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%fZ"):
        read = parse_times(pl.Series(written, dtype=pl.String)).to_list()
        whole = [
            time.replace(microsecond=0) if 1990 <= time.year < 2100 else None for time in times
        ]
        assert read == whole


def test_a_day_of_the_week_that_was_none() -> None:
    saturday = "Sat Feb 18 12:33:11 +0000 2023"
    assert parse_times(pl.Series([saturday])).null_count() == 0
    assert parse_times(pl.Series([saturday, "Sun" + saturday[3:]])).is_null().to_list() == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "entities", "bare"),
    [
        ("a &amp; b", True, False),
        ("a & b", False, True),
        ("a &lt;& b", True, True),
        ("a &am p; &l t; &c", False, False),
        (r"a \u0026 b", True, True),
        (r"a \u0027 &gt;", True, False),
        ("no sign", False, False),
    ],
)
def test_signs_over_the_ends_of_blocks(text: str, entities: bool, bare: bool) -> None:
    data = f"some text before it {text} and some text behind it".encode()
    for cut in range(6, len(data) - 6):
        facts = look_through([data[:cut], data[cut:]], Encoding())
        assert (facts.entities, facts.bare_ampersand) == (entities, bare)
    facts = look_through([data], Encoding(), signs=False)
    assert (facts.entities, facts.bare_ampersand, facts.size) == (False, False, len(data))


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        (r"\ud83d\ude00", True),
        (r"x\uD83D\uDE00\ud83d\ude00", True),
        (r"\u00e9\n\"\\", True),
        (r"\ud83d", False),
        (r"\ude00", False),
        (r"\ude00\ud83d", False),
        (r"\ud83d \ude00", False),
        (r"\ud83d\ud83d\ude00\ude00", False),
        (r"\ud83", True),
    ],
)
def test_halves_of_pairs(text: str, sound: bool) -> None:
    assert pairs_only(np.frombuffer(text.encode(), dtype=np.uint8)) is sound


def test_spelt_pictures_are_read_at_once() -> None:
    items = [{"id": str(n), "text": f"\U0001f426 {n}", "likes": n - 1} for n in range(50)]
    block = "".join(json.dumps(item) + "\n" for item in items).encode()
    frame = FlatLines(items[0]).frame(block)
    assert frame is not None
    assert frame["text"].to_list() == [item["text"] for item in items]
    assert frame["favourites"].to_list() == [str(n - 1) for n in range(50)]
    for odd in (b"1.5", b"1e3", b"[1]", b'{"a": 2}', b"  [7]", b" [7]", b"1" * 30):
        assert (
            FlatLines(items[0]).frame(block.replace(b'"likes": 7}', b'"likes": ' + odd + b"}"))
            is None
        )
    swapped = block.replace(b'{"id": "8", "text"', b'{"text": "8", "id"')
    assert FlatLines(items[0]).frame(swapped) is None


@pytest.mark.parametrize(
    ("block", "count"),
    [
        (b"{}\n{}\r\n{}\n", 3),
        (b'{"a": [{}\n,{}]}\n', 0),
        (b'{"a":\n{}}\n', 0),
        (b"{}\n{}", 0),
        (b"{}\n\n{}\n", 0),
        (b"{}\n {}\n", 0),
        (b"", 0),
        (b"\n", 0),
    ],
)
def test_lines_that_are_objects(block: bytes, count: int) -> None:
    assert lines_of_objects(block) == count


@given(
    heights=st.lists(st.integers(0, 7), min_size=1, max_size=9), most=st.integers(1, 12),
    narrow=st.booleans(),
)  # fmt: skip
def test_gathered_rows_keep_their_lines(heights: list[int], most: int, narrow: bool) -> None:
    parts, start = [], 0
    for number, height in enumerate(heights):
        lines = list(range(start, start + height))
        frame = pl.DataFrame(
            {"line": lines, "also": lines}, schema={"line": pl.Int64, "also": pl.Int64}
        )
        if narrow and number % 2:
            frame = frame.select(pl.col("line").cast(pl.String))
        parts.append((frame, listed(lines)))
        start += height
    found: list[int] = []
    for frame, where in gathered(parts, most):
        assert frame.height <= max(most, *heights)
        assert where(range(frame.height)) == frame["line"].cast(pl.Int64).to_list()
        found += where(range(frame.height))
    assert found == list(range(start))


def test_a_file_of_many_people(tmp_path: Path) -> None:
    """Each is an account with an import of its own; what was known of one stays."""
    path = tmp_path / "a.csv"
    rows = [f"{n},text {n},person{n % 3000}" for n in range(6000)] + [
        "1,,person7",
        "9,text,person7",
    ]
    path.write_text("id,text,author\n" + "\n".join(rows) + "\n")
    corpus = Corpus(tmp_path / "tweets.duckdb")
    with corpus.writing() as connection:
        connection.execute("INSERT INTO accounts (handle, name) VALUES ('person7', 'Seven')")
    results = import_path(corpus, path)
    assert len(results) == 3000
    assert sum(result.new for result in results) == 6001
    seven = next(result for result in results if result.handle == "person7")
    assert (seven.read, seven.new, seven.skipped) == (4, 3, {"no_text": 1})
    with corpus.reading() as connection:
        known = connection.execute("SELECT handle, name FROM accounts").fetchall()
        noted = connection.execute(
            "SELECT handle, read, new, updated, duplicates, CAST(skipped AS VARCHAR) FROM imports"
        ).fetchall()
    assert Counter(handle for handle, _ in known) == Counter(f"person{n}" for n in range(3000))
    assert [name for handle, name in known if name] == ["Seven"]
    assert ("person7", 4, 3, 0, 0, "{no_text=1}") in noted
    assert ("person8", 2, 2, 0, 0, "{}") in noted
    assert len(noted) == 3000
