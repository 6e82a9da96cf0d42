"""Mutated exports of every kind give rows or a refusal: no traceback, no hang, little memory."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import MynahError
from core.sources.archives.bluesky import is_car
from core.sources.archives.mastodon import html_text
from core.sources.detect import detect, open_source
from core.tweet import tweet_schema
from tests.fixtures.formats import BUILDERS, POSTS
from tests.fixtures.hostile import peaks_of

_TAGS = ["<p>", "</p>", "<br>", "<a href='x'>", "<!", "<![", "<!--", "&", "&#", "<script>",
         "</script>", "a", "<", ">"]  # fmt: skip
_POOL = [b'"', b",", b"\n", b"\r", b"{", b"[", b"]", b"}", b"null", b"\xff", b"\x00", b"\\ud800",
         b"1e999", b":", b'{"a":', b"\xef\xbb\xbf", b"\xff\xfe", b"&amp;", b"& "]  # fmt: skip


def _originals() -> dict[str, bytes]:
    plain = [p for p in POSTS if p.kind != "retweet"]
    with tempfile.TemporaryDirectory() as folder:
        return {build.__name__: build(Path(folder), plain).read_bytes() for _, build in BUILDERS}


ORIGINALS = _originals()


def must_be_sound(path: Path) -> None:
    for handle in (None, "me"):
        with suppress(MynahError):
            detect(path)
        with suppress(MynahError):
            source = open_source(path, handle=handle)
            for frame in source.batches():
                assert dict(frame.schema) == tweet_schema()
                assert frame["tweet_id"].null_count() == frame["text"].null_count() == 0
            assert source.summary.read >= sum(source.summary.skipped.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ORIGINALS))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated(tmp_path: Path, name: str, data: st.DataObject) -> None:
    raw = ORIGINALS[name]
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw)))
        cut = data.draw(st.integers(0, 40))
        new = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from(_POOL)))
        raw = raw[:at] + new + raw[at + cut :]
    path = tmp_path / "a"
    path.write_bytes(raw)
    must_be_sound(path)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_a_repository_or_not(data: bytes, sized: bool) -> None:
    assert not is_car(bytes([len(data)]) + data if sized else data)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(_TAGS), max_size=15))
def test_any_html_is_text(parts: list[str]) -> None:
    assert isinstance(html_text("".join(parts)), str)


HOSTILE = """
size = 8 << 20
made = {
    "brackets": lambda: b"[" * size,
    "open objects": lambda: b'{"a":' * (size // 5),
    "one long line": lambda: b'{"text": "' + b"a" * size,
    "lists": lambda: b"[" + b"[]," * (size // 3) + b"[]]",
    "quotes": lambda: b'id,text,author\\n' + b'1,"a\\n' * (size // 5),
    "commas": lambda: b"id,text,author\\n" + b"," * size,
    "lines": lambda: b"id,text,author\\n" + b"\\n" * (size // 2),
    "half strings": lambda: b"[" + b'{"a":"' * (size // 6),
    "numbers": lambda: b"[" + b"9" * size,
}

def prepare(kind, folder):
    path = folder / "a"
    path.write_bytes(made[kind]())
    return path
"""


@pytest.mark.slow
def test_hostile_files_stay_small(tmp_path: Path) -> None:
    peaks = peaks_of(HOSTILE, tmp_path)
    assert len(peaks) == 9
    assert max(peaks.values()) < 450 << 10, peaks  # KiB
