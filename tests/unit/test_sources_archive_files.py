"""Hostile and damaged zips: refused in words, never unpacked, never more memory than allowed."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputRefused, MynahError
from core.sources.archives import archive_files as limits
from core.sources.detect import detect, open_source
from tests.fixtures.x_archive import archive_files, as_folder, as_zip, note, tweet


@pytest.mark.parametrize(
    "name", ["/etc/x.js", "../x.js", "data/../../x.js", "C:\\x.js", "..\\x.js", "\\\\host\\x.js"]
)
def test_names_that_leave_the_archive(tmp_path: Path, name: str) -> None:
    path = as_zip(tmp_path / "a.zip", {**archive_files([tweet(1, "a")]), name: "x"})
    with pytest.raises(InputRefused, match="not safe"):
        detect(path)


def test_bomb_is_stopped_by_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RATIO_FREE_BYTES", 1 << 20)
    files = archive_files([])
    files["data/tweets.js"] = "window.YTD.tweets.part0 = [" + " " * (8 << 20)
    with pytest.raises(InputRefused, match="200 times its size"):
        list(open_source(as_zip(tmp_path / "a.zip", files)).batches())
    monkeypatch.setattr(limits, "MAX_ENTRY_BYTES", 1 << 20)  # 0 GB, rounded down
    with pytest.raises(InputRefused, match=r"not safe.*more than 0 GB"):
        list(open_source(tmp_path / "a.zip").batches())


def test_header_that_lies_about_the_size(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "a.zip", archive_files([tweet(1, "a" * 5000)]))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("data/tweets.js").file_size
    lie = data.replace(struct.pack("<L", size), struct.pack("<L", 10))
    path.write_bytes(lie)
    with pytest.raises(InputRefused, match="damaged"):
        list(open_source(path).batches())


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ENTRIES", 2)
    with pytest.raises(InputRefused, match="3 entries"):
        detect(as_zip(tmp_path / "a.zip", archive_files([tweet(1, "a")])))


def test_encrypted_entry(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "a.zip", archive_files([tweet(1, "a")]))
    data = bytearray(path.read_bytes())
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1  # bit 0 of the general purpose flags, in the central directory
        at += 4
    path.write_bytes(data)
    with pytest.raises(InputRefused, match="encrypted"):
        list(open_source(path, handle="a").batches())


def test_nested_zips_are_not_followed(tmp_path: Path) -> None:
    inner = as_zip(tmp_path / "inner.zip", archive_files([tweet(1, "a")])).read_bytes()
    path = as_zip(tmp_path / "a.zip", {"inner.zip": inner})
    with pytest.raises(InputRefused, match=r"it holds inner\.zip"):
        detect(path)


def test_two_archives_in_one(tmp_path: Path) -> None:
    files = archive_files([tweet(1, "a")])
    both = {f"{side}/{name}": text for side in ("one", "two") for name, text in files.items()}
    with pytest.raises(InputRefused, match="2 archives"):
        detect(as_zip(tmp_path / "a.zip", both))


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04" * 99])
def test_not_really_a_zip(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputRefused):
        detect(tmp_path / "a.zip")


def test_folder_without_tweets(tmp_path: Path) -> None:
    as_folder(tmp_path, {"data/like.js": "window.YTD.like.part0 = []", "readme.txt": "hello"})
    with pytest.raises(InputRefused, match="no data/tweets"):
        detect(tmp_path)


_LONG = "A sentence that goes on & on until it is longer than it has any right to be. " * 5
_FILES = archive_files(
    [tweet(1, "hello &amp; you"), tweet(2, _LONG[:180].replace("&", "&amp;") + "…")],
    notes=[note(9, _LONG)],
)


def test_a_member_without_a_name_is_passed_over(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "a.zip", {**_FILES, "data/zz.js": "x"})
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"data/zz.js", bytes(10)))
    read = [text for frame in open_source(path).batches() for text in frame["text"]]
    assert len(read) == 2


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutated_zip_never_crashes(tmp_path: Path, data: st.DataObject) -> None:
    path = as_zip(tmp_path / "a.zip", _FILES)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        cut = data.draw(st.integers(0, 8))
        raw[at : at + cut] = data.draw(st.binary(max_size=8))
    path.write_bytes(raw)
    with suppress(MynahError):
        list(open_source(path, handle="a").batches())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutated_script_never_crashes(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(_FILES)))
    text = _FILES[name]
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 30))
        new = st.one_of(
            st.text(max_size=10),
            st.sampled_from(
                ["null", "[", "]", "{", "}", "[]", "{}", '"', "\\ud800", "1e999", "NaN"]
            ),
        )
        text = text[:at] + data.draw(new) + text[at + cut :]
    files = {**_FILES, name: text}
    raw = {key: value.encode("utf-8", "surrogatepass") for key, value in files.items()}
    path = as_zip(tmp_path / "a.zip", dict(raw))
    with suppress(MynahError):
        for frame in open_source(path).batches():
            assert all(isinstance(i, str) for i in frame["tweet_id"])
            assert frame["note_id"].drop_nulls().is_unique().all()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_what_a_mac_packs_beside_a_file_is_no_second_one(tmp_path: Path, kind: str) -> None:
    files = {"./._posts.csv": b"\x00\x05\x16\x07 Mac OS X", "./posts.csv": b"id,text\n1,low tide\n"}
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        as_zip(path, {name.removeprefix("./"): data for name, data in files.items()})
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    (frame,) = open_source(path, handle="tern").batches()
    assert frame["text"].to_list() == ["low tide"]
