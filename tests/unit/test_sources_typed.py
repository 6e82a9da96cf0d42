"""Lines of nested JSON: a block read at once gives what each line gives by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sources.columns import GUESSES, Canonical
from core.sources.detect import open_source
from core.sources.json_formats import SCRAPED, V1, Format, Gathering
from core.sources.json_lines import ObjectLines, block_lines
from core.sources.json_objects import Row
from core.sources.json_v2 import V2
from core.sources.source import HandleMissing, SourceSummary
from core.tweet import tweet_schema
from tests.fixtures.formats import POSTS, scraped, v1, v2

_TEXTS = st.one_of(
    st.sampled_from(["hello", "RT @tern: low", "@Tern yes", "", "a & b &amp; c", "🐦 \x00 \u2028"]),
    st.text(max_size=8),
)
_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 2**70), st.floats(), st.just([]), st.just({}),
    st.sampled_from(["\ud83d", "", "x", [None], [1], {"x": 1}, {"text": "y"}]),
)  # fmt: skip
_NAMES = st.sampled_from(["Gull", "tern", "", None])
_COUNTS = st.one_of(st.none(), st.integers(-1, 10**16), st.just(2**70))
_LINKS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "url": st.sampled_from(
                ["https://t.co/a", "", None, 'q"\\\n\x7f é\x00\x1f\b\f/<\u2028']
            ),
            "tcourl": st.sampled_from(["https://t.co/b", None]),
            "expanded_url": st.sampled_from(["https://gulls.example/1", "", None]),
        },
    ),
    max_size=2,
)
_ENTITIES = st.one_of(st.none(), st.fixed_dictionaries({}, optional={"urls": _LINKS}))
_IDS = st.one_of(st.none(), st.sampled_from(["7", "", "  8 "]), st.integers(0, 2**70))
_FLAG = st.one_of(st.none(), st.booleans())
_SOME: st.SearchStrategy[Any] = st.one_of(st.none(), st.just({}), st.just({"id": 9}))
_USER = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={"screen_name": _NAMES, "username": _NAMES, "protected": _FLAG, "id": _IDS},
    ),
)
_NOTE = st.one_of(
    st.none(), st.fixed_dictionaries({}, optional={"text": _TEXTS, "entities": _ENTITIES})
)
_REFERENCES = st.one_of(
    st.none(),
    st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["retweeted", "replied_to", "quoted", "new", None])}
        ),
        max_size=2,
    ),
)
_V1 = st.fixed_dictionaries(
    {},
    optional={
        "id_str": _IDS, "id": _IDS, "created_at": _TEXTS, "full_text": _TEXTS, "text": _TEXTS,
        "lang": _NAMES, "user": _USER, "entities": _ENTITIES,
        "extended_tweet": st.one_of(
            st.none(),
            st.fixed_dictionaries({}, optional={"full_text": _TEXTS, "entities": _ENTITIES}),
        ),
        "in_reply_to_screen_name": _NAMES, "in_reply_to_status_id_str": _IDS,
        "in_reply_to_status_id": _IDS, "in_reply_to_user_id_str": _IDS,
        "in_reply_to_user_id": _IDS, "retweeted_status": _SOME, "quoted_status": _SOME,
        "is_quote_status": _FLAG, "possibly_sensitive": _FLAG, "favorite_count": _COUNTS,
        "retweet_count": _COUNTS,
    },
)  # fmt: skip
_TWEET = st.fixed_dictionaries(
    {},
    optional={
        "id": _IDS, "text": _TEXTS, "created_at": _TEXTS, "lang": _NAMES, "author": _USER,
        "author_id": st.sampled_from(["7", "", None]), "note_tweet": _NOTE, "note_post": _NOTE,
        "referenced_tweets": _REFERENCES, "referenced_posts": _REFERENCES,
        "in_reply_to_user_id": st.sampled_from(["7", "8", None]), "in_reply_to_user": _USER,
        "public_metrics": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional={
                    "like_count": _COUNTS, "retweet_count": _COUNTS, "repost_count": _COUNTS,
                },
            ),
        ),
        "entities": _ENTITIES, "possibly_sensitive": _FLAG,
    },
)  # fmt: skip
_V2 = st.one_of(
    _TWEET,
    st.fixed_dictionaries(
        {"data": st.one_of(st.none(), _TWEET, st.lists(_TWEET, max_size=3))},
        optional={
            "includes": st.fixed_dictionaries({}, optional={"users": st.lists(_USER, max_size=3)}),
            "text": _TEXTS,
        },
    ),
)
_SCRAPED = st.fixed_dictionaries(
    {},
    optional={
        "id_str": _IDS, "id": _IDS, "date": _TEXTS, "rawContent": _TEXTS, "content": _TEXTS,
        "lang": _NAMES, "user": _USER, "retweetedTweet": _SOME, "quotedTweet": _SOME,
        "inReplyToTweetId": _IDS, "inReplyToTweetIdStr": _IDS, "inReplyToUser": _USER,
        "links": st.one_of(st.none(), _LINKS), "possibly_sensitive": _FLAG, "likeCount": _COUNTS,
        "retweetCount": _COUNTS,
    },
)  # fmt: skip

Found = list[tuple[int, Row | str]]


def gathered(form: Format, runs: list[tuple[Any, Any]]) -> Found:
    gathering = Gathering(form)
    found: Found = []
    for items, lines in runs:
        _, lost = gathering.take(items, lines)
        found += lost
    lines = gathering.lines
    rows = gathering.frame().to_dicts()
    found += [
        (line, {role: _spelt(value) for role, value in row.items() if value is not None})
        for line, row in zip(lines, rows, strict=True)
    ]
    return sorted(found, key=lambda placed: placed[0])


def one_by_one(block: bytes, form: Format) -> Found:
    """Each line by the json module, and a frame of its own."""
    bad: Found = []
    found: Found = []
    for line in block_lines(block, 0, lambda n, reason, _: bad.append((n, reason))):
        found += gathered(form, [([json.loads(json.dumps(line[1]))], [line[0]])])
    return sorted(found + bad, key=lambda placed: placed[0])


def at_once(block: bytes, form: Format) -> tuple[Found, int]:
    """The rows with their lines, and how many lines were read as they should be."""
    bad: Found = []
    reader = ObjectLines(form.object)
    runs = list(reader.runs(block, 0, lambda n, reason, _: bad.append((n, reason))))
    own = sum(type(item) is form.object for items, _ in runs for item in items)
    return sorted(gathered(form, runs) + bad, key=lambda placed: placed[0]), own


def _spelt(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("form", "items"), [(V1, _V1), (V2, _V2), (SCRAPED, _SCRAPED)])
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_lines_are_read_as_each_alone(form: Format, items: Any, data: st.DataObject) -> None:
    drawn: list[Any] = data.draw(st.lists(items, min_size=1, max_size=5))
    if data.draw(st.booleans()):  # one value is something else
        item = data.draw(st.sampled_from(drawn))
        item[data.draw(st.sampled_from([*item, "text", "id", "data", "user"]))] = data.draw(_ODD)
    ascii_only = data.draw(st.booleans())
    lines = [json.dumps(item, ensure_ascii=ascii_only).encode("utf-8", "replace") for item in drawn]
    if odd := data.draw(
        st.sampled_from(
            [b"", b"{", b"[]", b"1", b"  ", b"null", b'{"text": "x"} {}', b'{"a": NaN}']
        )
    ):
        lines.insert(data.draw(st.integers(0, len(lines))), odd)
    block = b"\n".join(lines) + data.draw(st.sampled_from([b"", b"\n", b"\r\n", b"\n\n"]))
    found, _ = at_once(block, form)
    assert found == one_by_one(block, form)


def test_half_a_surrogate_pair_where_no_text_belongs_is_left_out() -> None:
    line = b'{"id_str": "7", "full_text": "hi", "user": {"screen_name": "tern"}, '
    for field in ("possibly_sensitive", "is_quote_status", "favorite_count", "user_"):
        block = line + f'"{field}": "\\ud83d"}}\n'.encode()
        found, _ = at_once(block, V1)
        assert found == one_by_one(block, V1)
        assert len(found) == 1


@pytest.mark.parametrize(
    ("form", "write"),
    [
        (V1, v1),
        (V2, v2),
        (V2, lambda p: {**v2(p), "author": {"id": "4242", "username": p.handle}}),
        (V2, lambda p: {"data": [v2(p)], "includes": {"users": [{"id": "4242"}]}}),
        (SCRAPED, lambda p: scraped(p, scweet=True)),
        (SCRAPED, lambda p: scraped(p, scweet=False)),
    ],
)
def test_sound_lines_are_read_as_they_are(form: Format, write: Callable[[Any], Any]) -> None:
    block = "".join(json.dumps(write(post)) + "\n" for post in POSTS).encode()
    found, own = at_once(block, form)
    assert own == len(POSTS)
    assert found == one_by_one(block, form)


def test_counts_and_truths_may_come_as_such() -> None:
    written = {"tweet_id": ["1"] * 5, "text": ["a"] * 5, "author": ["x"] * 5}
    counts = [None, -1, 0, 10**15 - 1, 10**15]
    truths = [None, True, False, True, False]
    typed = pl.DataFrame({**written, "favourites": counts, "sensitive": truths})
    spelt = typed.with_columns(pl.col("favourites", "sensitive").cast(pl.String))
    frames = [
        Canonical(SourceSummary(Path("a"), "x"), owner=None, escaped=False, generate_ids=False)
        .frame(frame)
        for frame in (typed, spelt)
    ]  # fmt: skip
    assert frames[0].equals(frames[1])
    assert frames[0]["favourites"].to_list() == [None, None, 0, 10**15 - 1, None]
    assert dict(frames[0].schema) == tweet_schema()
    assert set(written) <= set(GUESSES)


def test_one_broken_line_costs_one_line(tmp_path: Path) -> None:
    lines = [json.dumps({**v2(POSTS[0]), "id": str(n)}) for n in range(300)]
    lines[17] = '{"id": "17", "text": '
    lines[40] = ""
    lines[77] = json.dumps({**v2(POSTS[0]), "id": "77", "author": {"protected": True}})
    lines[90] = json.dumps({**v2(POSTS[0]), "id": "90", "text": "  "})
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines) + "\n")
    source = open_source(path, handle="gull")
    frame = pl.concat(list(source.batches()))
    assert frame["tweet_id"].to_list() == [str(n) for n in range(300) if n not in (17, 40, 77, 90)]
    assert source.summary.skipped == {"bad_json": 1, "protected": 1, "no_text": 1}
    assert [b.line for b in source.summary.broken] == [18]
    assert [(p.line, p.reason) for p in source.summary.passed] == [
        (78, "protected"), (91, "no_text"),
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
def test_numbers_that_a_program_wrote_with_a_point(tmp_path: Path, suffix: str) -> None:
    """As pandas does for a column of numbers in which some are missing."""
    some = pl.DataFrame(
        {
            "id": [20.0, 1.0276900000000001e18, 1.0276910000000001e18],
            "text": ["@tern hello", "quiet", "loud"],
            "created_at": [1676723591.0, 1676723592.0, None],
            "in_reply_to_status_id": [19.0, 1.5e18, None],
            "favorite_count": [3.0, None, 4.5],
            "possibly_sensitive": [1.0, 0.0, None],
        }
    )
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        some.write_csv(path)
    elif suffix == "jsonl":
        some.write_ndjson(path)
    elif suffix == "json":
        some.write_json(path)
    else:
        some.write_parquet(path)
    frame = pl.concat(list(open_source(path, handle="tern").batches()))
    assert [one == "20" or one[0] == "h" for one in frame["tweet_id"]] == [True] * 3
    assert frame["tweet_id"].n_unique() == 3
    assert frame["created_at"].dt.epoch("s").to_list() == [1676723591, 1676723592, None]
    assert frame["kind"].to_list() == ["reply", "reply", "original"]
    assert frame["reply_to_id"].to_list() == ["19", None, None]
    assert frame["favourites"].to_list() == [3, None, None]
    assert frame["sensitive"].to_list() == [True, False, None]


def test_what_is_no_number_is_no_id_and_no_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"id": NaN, "text": "a", "user": "tern", "likes": Infinity}\n'
        '{"id": 7, "text": "b", "user": 1.5, "date": NaN}\n'
        '{"id": 8, "text": "c", "user": "tern", "date": NaN, "likes": NaN, "lang": 2.0}\n'
    )
    source = open_source(path)
    frame = pl.concat(list(source.batches()))
    assert frame.select("tweet_id", "created_at", "favourites", "lang").rows() == [
        ("8", None, None, None)
    ]
    assert source.summary.skipped == {"no_handle": 1, "no_id": 1}
    assert source.summary.dates_unread == 0


@pytest.mark.parametrize("author", ["", None, {"id": 7, "name": None}])
def test_the_first_object_may_lack_its_author(tmp_path: Path, author: Any) -> None:
    path = tmp_path / "a.jsonl"
    objects = [{"id": "1", "text": "a", "user": author}, {"id": "2", "text": "b", "user": "Tern"}]
    path.write_text("\n".join(map(json.dumps, objects)))
    source = open_source(path)
    assert "first one by @Tern" in source.outline()[0]
    frame = pl.concat(list(source.batches()))
    assert frame.select("tweet_id", "handle").rows() == [("2", "tern")]
    assert source.summary.skipped == {"no_handle": 1}
    path.write_text(json.dumps(objects[0]))
    with pytest.raises(HandleMissing):
        open_source(path)
