"""Which rows are replies: the same for the same row, wherever in the file and batch it stands."""

from __future__ import annotations

import csv
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.sources import csv_rows, tables
from core.sources.columns import read_map
from core.sources.detect import open_source
from core.sources.json_shape import ReplyKeys

_ROW = st.fixed_dictionaries(
    {"text": st.sampled_from(["@bob hello", "hello @bob", "RT @bob: so", "quiet sea"])},
    optional={
        "in_reply_to_status_id": st.sampled_from([None, "", "12", "1.5e18"]),
        "in_reply_to_user_id": st.sampled_from([None, "7"]),
        "in_reply_to_screen_name": st.sampled_from([None, "Bob"]),
        "is_retweet": st.sampled_from(["true", "false", None]),
        "quoted_status_id": st.sampled_from([None, "55"]),
    },
)


def kinds(path: Path, **options: Any) -> dict[str, tuple[str, str | None, str | None]]:
    frame = pl.concat(list(open_source(path, handle="ann", **options).batches()))
    found = frame.select("tweet_id", "kind", "reply_to", "reply_to_id").rows()
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def write(path: Path, rows: list[dict[str, Any]], columns: list[str]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        filled = [{name: row.get(name) for name in columns} for row in rows]
        pl.DataFrame(filled, schema=dict.fromkeys(columns, pl.String())).write_parquet(path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_neither_order_nor_batches_matter(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    rows: list[dict[str, Any]] = data.draw(st.lists(_ROW, min_size=1, max_size=12))
    rows = [{"id": str(number), **row} for number, row in enumerate(rows)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path = tmp_path / f"a.{suffix}"
    first = kinds(write(path, rows, columns))
    assert len(first) == len(rows)
    with pytest.MonkeyPatch.context() as patch:
        size = data.draw(st.integers(1, 5))
        patch.setattr(csv_rows, "BATCH_ROWS", size)
        patch.setattr(tables, "BATCH_ROWS", size)
        again = kinds(write(path, data.draw(st.permutations(rows)), columns))
    assert again == first


@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet"])
@pytest.mark.parametrize("at", [0, 20_500])
def test_one_reply_among_many_mentions(tmp_path: Path, suffix: str, at: int) -> None:
    rows: list[dict[str, Any]] = [{"id": str(n), "text": "@bob hi"} for n in range(20_501)]
    rows[at]["in_reply_to_status_id"] = "5"
    path = write(tmp_path / f"a.{suffix}", rows, ["id", "text", "in_reply_to_status_id"])
    found = kinds(path)
    assert Counter(kind for kind, _, _ in found.values()) == {"original": 20_500, "reply": 1}
    assert found[str(at)] == ("reply", "bob", "5")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
def test_without_any_reply_column_a_mention_is_one(tmp_path: Path, suffix: str) -> None:
    rows = [{"id": "1", "text": '@bob "in_reply_to_status_id": 3'}, {"id": "2", "text": "a"}]
    found = kinds(write(tmp_path / f"a.{suffix}", rows, ["id", "text"]))
    assert found == {"1": ("reply", "bob", None), "2": ("original", None, None)}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_column_that_is_mapped(tmp_path: Path, suffix: str) -> None:
    rows = [
        {"id": "1", "text": "@bob a", "parent": "77", "whole": "70", "seen": "66", "alt": "a gull"},
        {"id": "2", "text": "@bob b", "parent": None, "whole": None, "seen": "66", "alt": None},
    ]
    path = write(tmp_path / f"a.{suffix}", rows, list(rows[0]))
    given = "reply_to_id=parent,conversation_id=whole,quoted_id=seen,alt_text=alt"
    source = open_source(path, handle="ann", columns=read_map(given))
    frame = pl.concat(list(source.batches()))
    names = ["kind", "reply_to_id", "conversation_id", "quoted_id", "alt_text"]
    assert frame.select(names).rows() == [
        ("reply", "77", "70", "66", "a gull"),
        ("quote", None, None, "66", None),
    ]


def test_ids_that_name_no_tweet(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text(
        "id,text,author,in_reply_to_status_id\n1,a,x,1.5e+18\n2,b,x,None\n3,c,x,123.0\n4,d,x, 9 \n"
    )
    frame = pl.concat(list(open_source(table).batches()))
    assert frame["reply_to_id"].to_list() == [None, None, "123", "9"]
    assert frame["kind"].to_list() == ["reply", "original", "reply", "reply"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
@pytest.mark.parametrize("word", ["None", "nan", "NaN", "null", "<NA>"])
def test_a_word_for_nothing_is_no_id_and_no_name(tmp_path: Path, suffix: str, word: str) -> None:
    columns = ["id", "text", "in_reply_to_status_id", "in_reply_to_user_id",
               "in_reply_to_screen_name", "quoted_status_id"]  # fmt: skip
    rows = [{"id": str(n), "text": "quiet sea", **dict.fromkeys(columns[2:], word)} for n in (1, 2)]
    rows.append(rows[0] | {"id": "3", "in_reply_to_screen_name": "Bob"})
    rows.append(rows[0] | {"id": "4", "in_reply_to_status_id": "12"})
    rows.append(rows[0] | {"id": "5", "quoted_status_id": "55"})
    rows.append(rows[0] | {"id": "6", "text": f"@{word.strip('<>')} there are such names"})
    rows += [rows[0] | {"id": word}, rows[1] | {"id": word}]  # or both would be one tweet
    path = write(tmp_path / f"a.{suffix}", rows, columns)
    source = open_source(path, handle="ann")
    frame = pl.concat(list(source.batches()))
    found = {row[0]: row[1:] for row in frame.select("tweet_id", "kind", "reply_to").rows()}
    assert found == {
        "1": ("original", None), "2": ("original", None), "3": ("reply", "bob"),
        "4": ("reply", None), "5": ("quote", None),
        "6": ("original", None) if word == "<NA>" else ("reply", word.lower()),
    }  # fmt: skip
    assert source.summary.skipped == {"no_id": 2}


@settings(deadline=None)
@given(
    key=st.sampled_from(["in_reply_to_status_id", "inReplyToUserId", "Reply To"]),
    before=st.text("ab\"\\{}:,replyRPLY \n", max_size=200),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)  # fmt: skip
def test_a_key_is_found_however_the_bytes_are_cut(key: str, before: str, cuts: list[int]) -> None:
    data = (json.dumps({"text": before}) + "\n" + json.dumps({key: None})).encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for wanted, whole in ((True, data), (False, json.dumps({"text": before + key}).encode())):
        keys = ReplyKeys()
        for start, end in pairwise(edges):
            keys.take(whole[start:end])
        assert keys.found is wanted
