"""Mutated exports of every kind give rows or a refusal: no traceback, no hang, little memory."""

from __future__ import annotations

import subprocess
import sys
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
import resource, sys
from pathlib import Path
from core.errors import MynahError
from core.sources.detect import open_source
kind, path = sys.argv[1], Path(sys.argv[2])
size = 24 << 20
made = {
    "brackets": b"[" * size,
    "open objects": b'{"a":' * (size // 5),
    "one long line": b'{"text": "' + b"a" * size,
    "lists": b"[" + b"[]," * (size // 3) + b"[]]",
    "quotes": b'id,text,author\\n' + b'1,"a\\n' * (size // 5),
    "commas": b"id,text,author\\n" + b"," * size,
    "lines": b"id,text,author\\n" + b"\\n" * size,
    "half strings": b"[" + b'{"a":"' * (size // 6),
    "numbers": b"[" + b"9" * size,
}
path.write_bytes(made[kind])
del made
try:
    for frame in open_source(path, handle="a").batches():
        pass
except MynahError:
    pass
try:  # ru_maxrss keeps the parent's peak over an exec; this does not
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
except (OSError, StopIteration):
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize(
    "kind",
    ["brackets", "open objects", "one long line", "lists", "quotes", "commas", "lines",
     "half strings", "numbers"],
)  # fmt: skip
def test_hostile_files_stay_small(tmp_path: Path, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE, kind, str(tmp_path / "a")],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert int(done.stdout) < 1 << 20  # KiB: a gigabyte
