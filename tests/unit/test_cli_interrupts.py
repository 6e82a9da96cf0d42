"""ctrl+c: 130, no noise, and what was done stays done."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.unit.cli import HANDLES, KEEPER, Started, home_with_samples, mynah

ROWS = 400_000


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    shutil.copytree(home_with_samples(tmp_path_factory), tmp_path / "home")
    return tmp_path / "home"


def holds_open(process: subprocess.Popen[bytes], part: str) -> bool:
    """Whether the process has a file open whose name holds ``part``."""
    import psutil

    try:
        return any(part in file.path for file in psutil.Process(process.pid).open_files())
    except psutil.Error:
        return False


@pytest.mark.slow
def test_import(home: Path, tmp_path: Path) -> None:
    big = tmp_path / "big.jsonl"
    line = {"full_text": "the sea and the lamp", "user": {"screen_name": "big"},
            "created_at": "Sat Feb 18 12:33:11 +0000 2023"}  # fmt: skip
    with big.open("w") as file:
        for i in range(ROWS):
            file.write(json.dumps(line | {"id_str": str(10**17 + i)}) + "\n")
    started = Started("import", KEEPER, big, "--json", home=home, notes=tmp_path / "notes")
    ended = started.interrupt(lambda: holds_open(started.process, "big.jsonl"))
    assert "stopped" in ended.err
    assert [one["handle"] for one in ended.json()] == HANDLES[:1]
    assert [one["handle"] for one in mynah("accounts", "--json", home=home).json()] == HANDLES


def test_a_long_query(home: Path, tmp_path: Path) -> None:
    query = "SELECT count(*) FROM range(1000000000000)"
    started = Started("sql", query, "--json", home=home, notes=tmp_path / "notes")
    ended = started.interrupt(lambda: holds_open(started.process, "tweets.duckdb"))
    assert not ended.out
    assert "The query was stopped" in ended.err or "Interrupted;" in ended.err


@pytest.mark.slow
def test_watching_stops_watching_and_training_saves(home: Path, tmp_path: Path) -> None:
    given = "train", HANDLES[0], "--base", "scratch", "--json"
    training = Started(*given, home=home, notes=tmp_path / "training")
    try:
        while "has started" not in training.err:
            assert training.process.poll() is None, training.err
            time.sleep(0.02)
        watching = Started("watch", "latest", home=home, notes=tmp_path / "watching")
        left = watching.interrupt(lambda: "held-out loss" in watching.err)
        assert "goes on" in left.err
        assert training.process.poll() is None
        (metrics,) = (home / "runs").glob("*/metrics.jsonl")
        ended = training.interrupt(lambda: '"kind": "train"' in metrics.read_text())
    finally:
        training.process.kill()
        mynah("stop", "latest", home=home)
    assert "was stopped" in ended.err
    result = ended.json()
    assert result["state"] == "stopped"
    assert result["steps"] > 0
    assert Path(result["model_dir"], "config.json").is_file()
    voice = "sample", "latest", "-n", "1", "--max-tokens", "5", "--json"
    assert len(mynah(*voice, home=home).json()) == 1
