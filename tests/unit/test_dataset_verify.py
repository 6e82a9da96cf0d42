"""`verify`: a flipped byte shows, wherever it is, and a hostile manifest reads nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dataset.manifest import count, sealed, text_of
from core.dataset.options import FORMATS
from core.dataset.verify import verify
from core.files import sha256_of
from tests.oracles.datasets import export, freeze
from tests.unit.test_dataset_files import CURATED, STANDARD, many


def made(folder: Path, format: Any, **options: Any) -> Path:  # noqa: A002
    return export(many(), folder / "x", format=format, recipe=STANDARD, **options).manifest


def changed(manifest: Path, change: Callable[[dict[str, Any]], object]) -> list[str]:
    """The problems of a manifest that somebody wrote anew, its own sha256 and all."""
    content = json.loads(manifest.read_text())
    change(content)
    content.pop("manifest_sha256", None)
    manifest.write_text(text_of(sealed(content)))
    return verify(manifest).problems


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("options", [{}, {"split": 0.1, "weights": {"a": 1, "b": 2}}])
def test_one_flipped_byte_shows(tmp_path: Path, format_: str, options: dict[str, Any]) -> None:
    manifest = made(tmp_path, format_, **options)
    assert verify(manifest).ok, verify(manifest).problems
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        before = path.read_bytes()
        for place in {0, len(before) // 2, len(before) - 1}:
            flipped = bytearray(before)
            flipped[place] ^= 1
            path.write_bytes(flipped)
            found = verify(manifest)
            assert not found.ok, f"{path.name}, byte {place}"
            if path != manifest:
                assert any(path.name in problem for problem in found.problems)
        path.write_bytes(before)
        path.rename(tmp_path / "away")
        assert not verify(manifest).ok
        (tmp_path / "away").rename(path)
    assert verify(manifest).ok


def test_what_it_says_of_a_good_one(tmp_path: Path) -> None:
    manifest = made(tmp_path, "csv", split=0.1)
    found = verify(manifest).to_json()
    assert found["ok"] is True
    assert found["holds"] == "an export as csv of @a, @b"
    assert [(file["name"], file["rows"]) for file in found["files"]] == [
        ("x.train", 180),
        ("x.valid", 20),
    ]
    whole = made(tmp_path / "one", "jsonl")
    assert verify(tmp_path / "one" / "x").manifest == whole, "the file leads to its manifest"
    by_any_name = export(CURATED, tmp_path / "x.json", format="jsonl", recipe=STANDARD)
    assert verify(by_any_name.path).ok, "and so does one that is called as a manifest might be"


@pytest.mark.parametrize("format_", ["csv", "txt", "jsonl", "parquet"])
def test_rows_are_counted_and_not_believed(tmp_path: Path, format_: Any) -> None:
    out = tmp_path / f"y.{format_}"
    manifest = export(CURATED, out, format=format_, recipe=STANDARD.replace(line_breaks="keep"))
    assert verify(manifest.manifest).ok
    problems = changed(manifest.manifest, lambda told: told["files"][out.name].update(rows=6))
    assert f"{out.name} has 5 rows, the manifest says 6." in problems


def test_a_file_that_is_not_of_its_format_is_named(tmp_path: Path) -> None:
    manifest = made(tmp_path, "csv")
    (tmp_path / "x").write_text('id,"never closed\n')
    sha256 = sha256_of(tmp_path / "x")

    def rewrite(told: dict[str, Any]) -> None:
        told["files"]["x"].update(sha256=sha256, bytes=17)

    assert "x cannot be read as csv." in changed(manifest, rewrite)
    for format_ in (None, ""):
        problems = changed(manifest, lambda told, named=format_: told.update(format=named))  # type: ignore[misc]
        assert "x cannot be read as anything that mynah writes." in problems


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m["recipe"]["rules"].update(min_words=9), "the rules in the manifest give"),
        (lambda m: m["recipe"].update(hash="0" * 12), "the rules in the manifest give"),
        (lambda m: m["recipe"]["rules"].update(new_rule=1), "no rule called 'new_rule'"),
        (lambda m: m["handles"]["a"].update(downloaded=151), "@a: 151 were downloaded"),
        (lambda m: m["handles"]["a"].update(exported=149), "@a: 149 rows are in the files"),
        (lambda m: m.update(manifest_version=2), "version 2"),
        (lambda m: m["files"]["x"].update(bytes=1), "the manifest says 1"),
        (
            lambda m: m["files"]["x"].update(part="attic"),
            "x has 200 rows by the manifest, but those of its accounts make 0.",
        ),
    ],
)
def test_a_manifest_has_to_agree_with_itself(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    problems = changed(made(tmp_path, "jsonl"), change)
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/hostname", "a/../../secret", "..", ".", "", "C:\\x", "\\\\host\\x", "a\0b",
     "link", "folder", "pipe", "loop", "x" * 5_000, "a\\b",
     "C:x"],
)  # fmt: skip
def test_nothing_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inside"
    manifest = made(folder, "jsonl")
    (tmp_path / "secret").write_text("secret\n")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    for elsewhere in ("a\\b", "C:x"):  # on Windows
        (folder / elsewhere).write_text("names of other places there\n")

    def point_there(content: dict[str, Any]) -> None:
        content["files"][name] = content["files"].pop("x")

    changed(manifest, point_there)
    found = verify(manifest)
    assert not found.ok
    (file,) = found.files
    assert (file.rows, file.sha256, file.ok) == (None, None, False)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"files": {}, "recipe": {}}',
        b'{"files": [], "recipe": {}}',
        b'{"files": {"x": 1}, "recipe": {}}',
        b'{"files": {"x": {"sha256": "", "rows": -1}}, "recipe": {}}',
        b'{"files": {"x": {"sha256": "", "rows": true}}, "recipe": {}}',
        b'{"files": {"x": {"sha256": "", "rows": 1e999}}, "recipe": {}}',
        b'{"files": {"x": {"sha256": "", "rows": ' + b"9" * 5000 + b'}}, "recipe": {}}',
        b'{"files": {"x": {"sha256": "", "rows": ' + b"9" * 300 + b'}}, "recipe": {}}',
        b'{"files": {"x": {"sha256": "", "rows": 0}}, "recipe": {"rules": 5}}',
        b'{"files": {"x": {"sha256": "", "rows": 0}}, "recipe": {"rules": {"min_words": []}}}',
        b'{"files": {"x": {"sha256": "", "rows": 0}}, "recipe": {"rules": {}}, "handles": 3}',
        b'{"files": {"x": {"sha256": "", "rows": 0}}, "recipe": {}, "card": {"name": "../x"}}',
        b'{"files": {"x": {"sha256": "", "rows": 0}}, "recipe": {"rules": {}}, "format": [1]}',
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)
    (tmp_path / "x").write_bytes(b"")
    assert verify(path).problems


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.slow
@settings(max_examples=75, deadline=None)
@given(data=st.data())
def test_no_value_anywhere_breaks_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any value in any place of a manifest gives sentences, never an exception."""
    manifest = made(tmp_path_factory.mktemp("hostile"), "jsonl")
    content: Any = json.loads(manifest.read_text())
    spot = content
    while True:
        key = data.draw(st.sampled_from(sorted(spot)))
        if not isinstance(spot[key], dict) or not spot[key] or data.draw(st.booleans()):
            break
        spot = spot[key]
    spot[key] = data.draw(json_values)
    manifest.write_text(json.dumps(content))  # not as mynah writes it: that alone is a problem
    assert verify(manifest).problems


def test_the_frozen_dataset_of_a_run(tmp_path: Path) -> None:
    dataset = tmp_path / "run" / "dataset"
    freeze(many(), dataset, recipe=STANDARD, seed=1)
    for given_ in (dataset / "manifest.json", dataset, tmp_path / "run"):
        found = verify(given_)
        assert found.ok, found.problems
        assert found.holds == "the frozen dataset of a run of @a, @b"
        assert [file.name for file in found.files] == ["train.parquet", "valid.parquet"]
    for name in ("train.parquet", "valid.parquet"):
        path = dataset / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        assert any(name in problem for problem in verify(dataset).problems)
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    (dataset / "valid.parquet").unlink()
    assert verify(dataset).problems == ["valid.parquet is missing."]


def test_what_is_a_count() -> None:
    assert [count(number) for number in (0, 1, 2**63 - 1)] == [0, 1, 2**63 - 1]
    assert {count(other) for other in (-1, 2**63, True, 1.0, "1", None)} == {None}


def test_there_is_nothing_at_all(tmp_path: Path) -> None:
    assert "There is no manifest" in verify(tmp_path / "nothing.json").problems[0]
    assert "There is no manifest" in verify(tmp_path).problems[0]
