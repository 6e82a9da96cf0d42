"""No command writes over a file that is there: it asks, or needs ``--force``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli import (
    HANDLES,
    MYNAH,
    environment,
    home_with_a_run,
    home_with_samples,
    mynah,
    on_a_terminal,
)

HELD = "somebody's own words"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with_samples(tmp_path_factory)


COMMANDS = {
    "export": (["export", HANDLES[0], "--format", "csv", "-o", "{}/t.csv"], "t.csv"),
    "manifest": (
        ["export", HANDLES[0], "--format", "csv", "-o", "{}/t.csv"],
        "t.csv.manifest.json",
    ),
    "split": (
        ["export", HANDLES[0], "--format", "csv", "--split", "0.1", "-o", "{}/t.csv"],
        "t.valid.csv",
    ),
    "sql": (["sql", "SELECT 1 AS a", "-o", "{}/t.csv"], "t.csv"),
}


@pytest.mark.parametrize(("words", "name"), COMMANDS.values(), ids=COMMANDS)
def test_data(home: Path, tmp_path: Path, words: list[str], name: str) -> None:
    refused(home, [word.format(tmp_path) for word in words], tmp_path / name)


def test_a_folder_for_hugging_face_and_one_that_was_curated(home: Path, tmp_path: Path) -> None:
    for words, name in (
        (["export", HANDLES[0], "--format", "hf"], "mynah.manifest.json"),
        (["curate", "@" + HANDLES[0]], "part-00000.parquet"),
    ):
        out = tmp_path / words[0]
        mynah(*words, "-o", out, home=home)
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        assert out / name in before
        again = mynah(*words, "-o", out, home=home, code=3)
        assert "--force" in again.err
        assert {path: path.read_bytes() for path in before} == before
        mynah(*words, "-o", out, "--force", home=home)


def test_what_is_made_of_a_run(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path / "home"
    shutil.copytree(home_with_a_run(tmp_path_factory), home)
    refused(home, ["card", "latest", "-o", f"{tmp_path}/card.md"], tmp_path / "card.md")
    refused(home, ["share", "latest", "-o", f"{tmp_path}/one.svg"], tmp_path / "one.svg")
    held = tmp_path / "report.md"
    held.write_text(HELD)
    assert "--force" in mynah("report", "latest", "-o", held, home=home, code=3).err
    for to in ("gguf", "folder"):
        again = mynah("convert", "latest", "--to", to, "-o", held, home=home, code=3)
        assert "--force" in again.err
    assert held.read_text() == HELD


def refused(home: Path, words: list[str], held: Path) -> None:
    """Not replaced without ``--force``; replaced with it."""
    held.write_text(HELD)
    ended = mynah(*words, home=home, code=3)
    assert f"{held} is there already. Nothing was written. --force" in ended.err
    assert held.read_text() == HELD
    assert [path.name for path in held.parent.iterdir() if path.is_file()] == [held.name]
    mynah(*words, "--force", home=home)
    assert HELD not in held.read_text()
    for path in held.parent.iterdir():
        if path.is_file():
            path.unlink()


def test_a_terminal_is_asked(home: Path, tmp_path: Path) -> None:
    held = tmp_path / "t.csv"
    held.write_text(HELD)
    command = [*MYNAH, "sql", "SELECT 1 AS a", "-o", str(held)]
    given: dict[str, Any] = {"after": "Replace?"}
    code, seen = on_a_terminal(command, environment(home), keys=b"n\n", **given)
    assert (code, held.read_text()) == (130, HELD), seen
    code, seen = on_a_terminal(command, environment(home), keys=b"y\n", **given)
    assert (code, held.read_text()) == (0, "a\n1\n"), seen
