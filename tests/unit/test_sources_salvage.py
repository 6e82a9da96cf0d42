"""Broken X archives: what is sound comes in, the rest is listed, and nothing sound is refused."""

from __future__ import annotations

import json
import random
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.errors import InputRefused
from core.sources.archives import archive_files as limits
from core.sources.detect import detect, open_source
from core.sources.source import SourceSummary
from tests.fixtures.formats import POSTS, grailbird
from tests.fixtures.hostile import peaks_of
from tests.fixtures.x_archive import (
    archive_files,
    as_folder,
    as_zip,
    manifest,
    note,
    script,
    tweet,
)
from tests.oracles.corpus import tweets

TWEETS = [tweet(n, f"tweet number {n}, 50% “quoted” & done") for n in range(1, 31)]


def read(path: Path, **options: Any) -> tuple[list[int], SourceSummary]:
    source = open_source(path, **options)
    frame = pl.concat(list(source.batches()))
    assert source.summary.read == frame.height + sum(source.summary.skipped.values())
    return [int(tweet_id) for tweet_id in frame["tweet_id"]], source.summary


def broken_at(summary: SourceSummary) -> list[tuple[str, int, str]]:
    return [(place.file, place.line, place.reason) for place in summary.broken]


def without(text: str, number: int, old: str, new: str) -> str:
    """``text`` with ``old`` replaced in tweet ``number`` alone."""
    at = text.index(f'"id": "{number}"')
    found = text.index(old, at)
    return text[:found] + new + text[found + len(old) :]


@pytest.mark.parametrize(
    ("old", "new", "lost", "line_says"),
    [
        ('"lang": "en",', '"lang": "en', [7], "control character"),
        ('"lang": "en",', '"lang" "en",', [7], "':' delimiter"),
        ('"favorite_count": "3",', "", [], ""),
        ('"favorite_count": "3",', '"favorite_count": 3"', [7], "delimiter"),
        ('"truncated": false\n  }\n },', "", [7], ""),
        ("}\n },", "}\n }", [], "comma is missing"),
        ("}\n },", "}\n },,", [], ""),
        ("}\n },", "}\n }] ;", [], "goes on behind its end"),
        ("}\n },", "}\n }, oops,", [], "expecting value"),
        ("}\n },", "}\n }, {,", [], "property name"),
        ('"lang": "en",', '"lang": ' + "[" * 200_000 + ",", [7], "nested too deeply"),
        ('"lang": "en",', '"lang": ' + "9" * 6000 + ",", [7], "digits"),
    ],
    ids=range(12),
)
def test_one_broken_element_costs_one(
    tmp_path: Path, old: str, new: str, lost: list[int], line_says: str
) -> None:
    files = archive_files(TWEETS)
    files["data/tweets.js"] = without(files["data/tweets.js"], 7, old, new)
    here, summary = read(as_zip(tmp_path / "a.zip", dict(files)))
    assert here == [n for n in range(1, 31) if n not in lost]
    said = " ".join([*summary.warnings, *map(str, summary.broken)]).lower()
    assert line_says in said
    assert bool(said) == bool(line_says or lost)
    if line_says and summary.broken:
        (place,) = summary.broken
        lines = files["data/tweets.js"].split("\n")
        start = next(n for n, line in enumerate(lines, 1) if '"id": "7"' in line) - 2
        end = next(n for n, line in enumerate(lines, 1) if '"id": "8"' in line)
        assert place.file == "tweets.js"
        assert start <= place.line <= end
        assert str(tmp_path) not in str(place)


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    files: dict[str, Any] = archive_files(TWEETS)
    data = files["data/tweets.js"].encode().replace(b"number 9, 50%", b"number 9\xff 50%")
    files["data/tweets.js"] = data
    here, summary = read(as_zip(tmp_path / "a.zip", files))
    assert here == [n for n in range(1, 31) if n != 9]
    line = data[: data.index(b"\xff")].count(b"\n") + 1
    assert broken_at(summary) == [("tweets.js", line, "bad_encoding")]


@pytest.mark.parametrize("kind", ["zip", "folder"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = [ {", "too early"),
        ("", "empty"),
        ("<html>sign in</html>", "not a file of an X archive"),
        ("window.YTD.tweets.part1 = {}", "does not hold a list"),
    ],
)
def test_a_broken_part_is_listed_by_name(tmp_path: Path, kind: str, text: str, says: str) -> None:
    files = archive_files(TWEETS, tweets_part1=text, tweets_part2=script("t", [tweet(99, "z")], 2))
    made = (
        as_zip(tmp_path / "a", dict(files)) if kind == "zip" else as_folder(tmp_path / "a", files)
    )
    here, summary = read(made)
    assert here == [*range(1, 31), 99]
    (place,) = summary.broken
    assert place.file == "tweets-part1.js"
    assert says in str(place)
    assert str(tmp_path) not in place.detail
    assert any("tweets-part1.js" in warning for warning in summary.warnings)


def flip(path: Path, name: str) -> None:
    """Change a byte of what ``name`` holds, so that its checksum is wrong."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
        start = info.header_offset + 30 + len(info.filename)
    data = bytearray(path.read_bytes())
    data[start + info.compress_size // 2] ^= 0x01
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["tweets-part1", "account", "profile", "note-tweet",
                                  "deleted-tweets", "manifest"])  # fmt: skip
@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_with_a_wrong_checksum(tmp_path: Path, name: str, packing: int) -> None:
    files = archive_files(
        TWEETS,
        notes=[note(5, "long words " * 40)],
        tweets_part1=script("tweets", [tweet(99, "z")], 1),
        deleted_tweets=script("deleted_tweets", [tweet(98, "gone")]),
        manifest=manifest(tweets=30, tweets_part1=1),
    )
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    flip(path, f"data/{name}.js")
    here, summary = read(path)
    assert here == ([*range(1, 31)] if name == "tweets-part1" else [*range(1, 31), 99])
    said = " ".join([*summary.warnings, *map(str, summary.broken)])
    assert f"{name}.js" in said
    assert "damaged" in said


def test_nothing_sound_is_refused(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "home" / "c.duckdb")
    path = as_zip(tmp_path / "a.zip", dict(archive_files(TWEETS)))
    flip(path, "data/tweets.js")
    with pytest.raises(InputRefused, match=r"tweets\.js.*damaged"):
        import_path(corpus, path)
    assert not (tmp_path / "home").exists()


def test_a_broken_part_in_the_corpus(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "c.duckdb")
    path = as_zip(tmp_path / "a.zip", dict(archive_files(TWEETS, tweets_part1="x = [ {")))
    (first,) = import_path(corpus, path)
    assert (first.new, first.skipped) == (30, {"bad_json": 1})
    assert first.broken[0].file == "tweets-part1.js"
    (second,) = import_path(corpus, path)
    assert (second.new, second.duplicates) == (0, 30)
    assert tweets(corpus, ["harbour_gull"]).height == 30


_SIGNS = ['"', "{", "}", "]", "[", "}}]", '"a":{', "\\", ","]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_not_touched_comes_in(tmp_path: Path, data: st.DataObject) -> None:
    """A change inside some elements loses at most those, wherever it is."""
    indent = data.draw(st.sampled_from([None, 1, 4]))
    parts = [json.dumps(one, indent=indent) for one in TWEETS[:8]]
    touched = data.draw(st.sets(st.integers(0, 7), min_size=1, max_size=3))
    for number in touched:
        text = parts[number]
        at = data.draw(st.integers(1, len(text) - 1))
        cut = data.draw(st.integers(0, len(text) - 1 - at))
        new = data.draw(st.one_of(st.text(max_size=5), st.sampled_from(_SIGNS)))
        parts[number] = text[:at] + new + text[at + cut :]
    files: dict[str, Any] = archive_files([])
    whole = "window.YTD.tweets.part0 = [" + ",\n".join(parts) + "]"
    files["data/tweets.js"] = whole.encode("utf-8", "replace")
    source = open_source(as_zip(tmp_path / "a.zip", files))
    here = {int(i) for frame in source.batches() for i in frame["tweet_id"] if i.isdecimal()}
    assert {n + 1 for n in range(8) if n not in touched} <= here


# ── zips that are cut off ───────────────────────────────────────────────────────────────────


class Unseekable:
    """A file that a zip is written to without going back, as servers write them."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def streamed(path: Path, files: dict[str, str], packing: int) -> Path:
    out = Unseekable(path)
    with zipfile.ZipFile(out, "w", packing) as archive:  # type: ignore[arg-type]
        for name, text in files.items():
            archive.writestr(name, text)
    out.close()
    return path


FILES = archive_files(
    TWEETS, tweets_part1=script("tweets", [tweet(n, f"more {n}") for n in range(31, 50)], 1)
)


@pytest.mark.slow
@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("how", ["seekable", "streamed"])
def test_a_zip_that_breaks_off(tmp_path: Path, packing: int, how: str) -> None:
    path = tmp_path / "a.zip"
    if how == "streamed":
        streamed(path, FILES, packing)
    else:
        with zipfile.ZipFile(path, "w", packing) as archive:
            for name, text in FILES.items():
                archive.writestr(name, text)
    whole = path.read_bytes()
    counts = set()
    for size in range(0, len(whole), max(len(whole) // 60, 1)):
        path.write_bytes(whole[:size])
        try:
            here, summary = read(path)
        except InputRefused:
            continue
        assert here == list(range(1, len(here) + 1)), "what stands before the cut, and in order"
        assert any("cut off" in warning for warning in summary.warnings)
        assert detect(path).handle == "harbour_gull"
        counts.add(len(here))
    assert max(counts) == 49
    assert len(counts) > 3


@pytest.mark.parametrize("listed", [{}, {"data/manifest.js": manifest(tweets=49)}])
def test_a_zip_that_breaks_off_before_its_tweets(tmp_path: Path, listed: dict[str, Any]) -> None:
    whole = as_zip(tmp_path / "b.zip", {**listed, **FILES})
    content = whole.read_bytes()
    whole.write_bytes(content[: content.index(b"data/tweets.js")])
    with pytest.raises(InputRefused, match=r"cut off before them.* Download the archive again"):
        open_source(whole)


def test_a_cut_zip_is_as_safe_as_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_zip(tmp_path / "a.zip", {**FILES, "../x.js": "x"})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputRefused, match="not safe"):
        detect(path)
    monkeypatch.setattr(limits, "RATIO_FREE_BYTES", 1 << 20)
    bomb = {**FILES, "data/tweets.js": "window.YTD.tweets.part0 = [" + " " * (8 << 20)}
    path = as_zip(tmp_path / "b.zip", dict(bomb))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputRefused, match="200 times its size"):
        read(path)
    monkeypatch.setattr(limits, "MAX_ENTRIES", 2)
    path = as_zip(tmp_path / "c.zip", dict(FILES))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputRefused, match="3 entries"):
        detect(path)


def test_a_cut_zip_checks_what_is_whole(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "a.zip", dict(FILES))
    flip(path, "data/tweets.js")
    path.write_bytes(path.read_bytes()[:-100])
    here, summary = read(path)
    assert here == list(range(31, 50))
    assert broken_at(summary) == [("tweets.js", 0, "unreadable_part")]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutated_cut_zip_never_crashes(tmp_path: Path, data: st.DataObject) -> None:
    path = as_zip(tmp_path / "a.zip", dict(FILES))
    raw = bytearray(path.read_bytes()[: -data.draw(st.integers(1, 600))])
    for _ in range(data.draw(st.integers(0, 5))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    path.write_bytes(raw)
    with suppress(InputRefused):
        read(path, handle="a")


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["tweets.jsonl", "tweets.csv"])
def test_any_file_of_tweets_in_a_zip_that_breaks_off(
    tmp_path: Path, name: str, packing: int
) -> None:
    rng = random.Random(1)
    rows = [(str(n), f"words {rng.random()} and more", "gull") for n in range(1, 5_001)]
    if name.endswith("csv"):
        text = "id,text,author\n" + "".join(",".join(row) + "\n" for row in rows)
    else:
        keys = ("id", "text", "author")
        text = "".join(json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in rows)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr(f"export/{name}", text)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    source = open_source(path)
    frame = pl.concat(list(source.batches()))
    assert 3_000 < frame.height < 5_000
    assert frame["text"].to_list()[:-1] == [text for _, text, _ in rows[: frame.height - 1]]
    assert any("breaks off" in warning for warning in source.summary.warnings)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_zip_of_another_packing_still_holds_tables(tmp_path: Path, packing: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("tweets.csv", "id,text,author\n1,hello you,gull\n")
    assert read(path)[0] == [1]


def test_a_broken_month_of_before_2018(tmp_path: Path) -> None:
    path = grailbird(tmp_path, POSTS)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    (month,) = [name for name in files if "/tweets/" in name]
    files[month] = files[month].replace('"lang": "en"', '"lang" "en"', 1)
    files["data/js/tweets/2017_04.js"] = "Grailbird.data.tweets_2017_04 = \n {}"
    path = as_zip(tmp_path / "b.zip", dict(files))
    source = open_source(path)
    assert sum(frame.height for frame in source.batches()) == len(POSTS) - 1
    assert [(b.file, b.reason) for b in source.summary.broken] == [
        ("2017_03.js", "bad_json"),
        ("2017_04.js", "unreadable_part"),
    ]
    assert str(tmp_path) not in " ".join(map(str, source.summary.broken))


# ── made to take long ───────────────────────────────────────────────────────────────────────

HOSTILE = """
size = 1 << 19
sound = '{"tweet":{"id":"1","full_text":"x"}},'
made = {
    "nested": lambda: '{"tweet":' * (size // 9),
    "half strings": lambda: '{"tweet":"' * (size // 10),
    "broken ones": lambda: (sound + '{"tweet":x},') * (size // 50),
    "long reach": lambda: sound + '{"tweet":{"a":' + '[1,' * 400 + '{"tweet":1' * (size // 10),
    "no commas": lambda: '{"tweet":{"id":"1"}}' * (size // 20),
    "line breaks": lambda: "\\n" * size,
    "spaces": lambda: "{ " + " " * size,
    "many ends": lambda: (sound + "]") * (size // 40),
    "brackets": lambda: "[" * size,
}

def prepare(kind, folder):
    (folder / "data").mkdir()
    (folder / "data" / "tweets.js").write_text("window.YTD.tweets.part0 = [" + made[kind]())
    return folder
"""


@pytest.mark.slow
def test_hostile_scripts_end(tmp_path: Path) -> None:
    peaks = peaks_of(HOSTILE, tmp_path)
    assert len(peaks) == 9
    assert max(peaks.values()) < 250 << 10, peaks  # KiB
