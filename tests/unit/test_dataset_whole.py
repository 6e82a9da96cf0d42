"""An export appears whole or not at all: refused, stopped, interrupted or killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.dataset.in_place import put_in_place, unfinished
from core.dataset.manifest import HF_NAME
from core.dataset.options import ExportOptions
from core.dataset.verify import verify
from core.dataset.write import export_batches
from core.errors import InputRefused, Interrupted
from core.processes import Owner
from core.progress import Progress, Reporter
from tests.oracles.datasets import export
from tests.unit.cli import ROOT, Started, environment, home_with_samples, mynah
from tests.unit.test_dataset_files import STANDARD, many

KEEPER = "keeper_of_the_light"
SLOW = """
import sys, time
from pathlib import Path
from core.dataset.options import ExportOptions
from core.dataset.write import export_batches
from tests.unit.test_dataset_files import STANDARD, many

def slowly():
    for batch in many().sort("handle", "created_at").iter_slices(20):
        yield batch
        print("batch", flush=True)
        time.sleep(0.3)

export_batches(slowly(), Path(sys.argv[1]), handles=["a", "b"], recipe=STANDARD,
               options=ExportOptions(sys.argv[2]))
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_export_that_ends_between_two_files_leaves_no_manifest(tmp_path: Path) -> None:
    """It would speak of the files that were there before."""
    old = tmp_path / "x.manifest.json"
    old.write_text("{}")
    for name in ("one", "two", "manifest"):
        (tmp_path / name).write_text(name)
    (tmp_path / "in the way" / "x").mkdir(parents=True)
    made = {tmp_path / "one": tmp_path / "x.one", tmp_path / "two": tmp_path / "in the way"}
    with pytest.raises(OSError):
        put_in_place(made, (tmp_path / "manifest", old))
    assert (tmp_path / "x.one").read_text() == "one"
    assert not old.exists()


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["csv", "parquet", "hf"])
def test_a_kill_leaves_what_was_there_and_the_next_one_clears_up(
    tmp_path: Path, format_: Any
) -> None:
    out = tmp_path / f"x.{format_}"
    before = export(many(60), out, format=format_, recipe=STANDARD, split=0.1)
    there = names(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW, out, format_],
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    )
    assert child.stdout is not None
    for _ in range(2):
        assert child.stdout.readline() == b"batch\n"
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    assert verify(before.manifest).ok, "the older export is as it was"
    left = set(names(tmp_path)) - set(there)
    assert len(left) == 1
    (part,) = left
    assert part.startswith(".mynah-export-")
    export(many(60), tmp_path / "other.jsonl", format="jsonl", recipe=STANDARD)
    assert set(names(tmp_path)) - set(there) == {"other.jsonl", "other.jsonl.manifest.json"}


def test_only_what_a_killed_export_left_is_cleared_away(tmp_path: Path) -> None:
    """By machine, process and start: a stranger's folder stays, empty, old and hidden as it is."""
    me = Owner.this_process()
    alive, dead, foreign = (
        tmp_path / f".mynah-export-{owner.machine}-{owner.pid}-{owner.began}-x"
        for owner in (me, replace(me, began=1), Owner("0123456789ab", 1, 1))
    )
    mine, empty, other = (tmp_path / name for name in (".mine.part", ".x.part", ".mynah-x"))
    for folder in (alive, dead, foreign, mine, empty, other):
        folder.mkdir()
    (mine / "letter.txt").write_text("not an export")
    (dead / "rows").write_text("")
    for folder in (mine, empty, other, dead):
        os.utime(folder, (1.0, 1.0))
    (tmp_path / ".file.part").write_text("")
    there = set(names(tmp_path))
    export(many(60), tmp_path / "x.csv", format="csv", recipe=STANDARD)
    assert there - set(names(tmp_path)) == {dead.name}


def test_a_stop_leaves_everything_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    export(many(60), out, format="csv", recipe=STANDARD)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    seen: list[Progress] = []
    rows = many().sort("handle", "created_at")
    for phase in ("gathering", "splitting", "writing"):
        seen.clear()

        def at_phase(wanted: str = phase) -> bool:
            return any(moved.phase == wanted for moved in seen)

        with pytest.raises(Interrupted, match="was stopped"):
            export_batches(
                rows.iter_slices(10),
                out,
                handles=["a", "b"],
                recipe=STANDARD,
                options=ExportOptions("csv", split=0.1 if phase == "splitting" else None),
                total=rows.height,
                progress=seen.append,
                cancelled=at_phase,
            )
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_breaks_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def breaking() -> Iterator[pl.DataFrame]:
        yield many(50).sort("handle", "created_at")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputRefused, match="No space left"):
        export_batches(
            breaking(),
            tmp_path / "x.csv",
            handles=["a", "b"],
            recipe=STANDARD,
            options=ExportOptions("csv"),
        )
    assert names(tmp_path) == []


def test_progress_adds_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Reporter.__init__.__kwdefaults__, "every", 0.0)
    seen: list[Progress] = []
    rows = many().sort("handle", "created_at")
    export_batches(
        rows.iter_slices(50),
        tmp_path / "x.jsonl",
        handles=["a", "b"],
        recipe=STANDARD,
        options=ExportOptions("jsonl"),
        total=rows.height,
        progress=seen.append,
    )
    gathered = [moved.done for moved in seen if moved.phase == "gathering"]
    assert gathered == [50, 100, 150, 200]
    assert (seen[-1].phase, seen[-1].done, seen[-1].total) == ("writing", 200, 200)
    assert all(moved.left is None or moved.left >= 0 for moved in seen)


def test_ctrl_c(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """The recipe is a pipe that is filled once ctrl+c was heard: so it comes in the middle."""
    home = tmp_path / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    out, recipe = tmp_path / "out", tmp_path / "slow.toml"
    out.mkdir()
    os.mkfifo(recipe)
    given = "export", KEEPER, "--format", "jsonl", "-o", out / "x.jsonl", "--recipe", recipe
    started = Started(*given, home=home, notes=tmp_path / "notes")
    at_work = threading.Event()

    def fill() -> None:
        with recipe.open("w") as pipe:  # waits for the command to read
            at_work.set()
            while "stopping" not in started.err and started.process.poll() is None:
                time.sleep(0.02)
            pipe.write("[rules]\n")

    filler = threading.Thread(target=fill, daemon=True)
    filler.start()
    ended = started.interrupt(at_work.is_set)
    assert not ended.out
    assert names(out) == []


def test_the_command_says_what_differs(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    home = home_with_samples(tmp_path_factory)
    made = mynah("export", KEEPER, "--format", "chat", "-o", tmp_path / "x.jsonl",
                 "--instruction", "Say something, {handle}!", "--system", "", "--json",
                 home=home).json()  # fmt: skip
    first = json.loads((tmp_path / "x.jsonl").read_text().splitlines()[0])
    assert [turn["role"] for turn in first["messages"]] == ["user", "assistant"]
    assert first["messages"][0]["content"] == f"Say something, {KEEPER}!"
    good = mynah("verify", made["manifest"])
    assert good.text.startswith("✓ ")
    (tmp_path / "x.jsonl").write_bytes((tmp_path / "x.jsonl").read_bytes().replace(b"a", b"b", 1))
    bad = mynah("verify", made["manifest"], tmp_path / "gone.json", "--json", code=3)
    assert [one["ok"] for one in bad.json()] == [False, False]
    assert "sha256" in bad.json()[0]["problems"][0]
    assert "2 of 2 were not confirmed" in bad.err
    mynah("export", KEEPER, "--format", "csv", "-o", tmp_path / "y.csv", "--system", "x",
          home=home, code=2)  # fmt: skip


def test_a_folder_whose_files_were_being_replaced_is_filled_again(tmp_path: Path) -> None:
    """Its manifest was gone already: nothing of somebody else's stands in it."""
    out = tmp_path / "x"
    export(many(60), out, format="hf", recipe=STANDARD, split=0.1)
    fresh = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (tmp_path / "made").mkdir()
    for name in ("train.parquet", "manifest"):
        (tmp_path / "made" / name).write_text(name)
    (out / "in the way" / "x").mkdir(parents=True)
    made = {
        tmp_path / "made" / "train.parquet": out / "data" / "train-00000-of-00001.parquet",
        tmp_path / "made" / "manifest": out / "in the way",
    }
    with pytest.raises(OSError):
        put_in_place(made, (tmp_path / "made" / "train.parquet", out / HF_NAME), folder=out)
    assert not (out / HF_NAME).exists()
    assert out / "in the way" in unfinished(out)
    shutil.rmtree(out / "in the way")
    export(many(60), out, format="hf", recipe=STANDARD, split=0.1)
    found = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert {name: found.get(name) for name in fresh} == fresh
    assert not unfinished(out)


def test_names_of_files_elsewhere_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    for content in ('["../x", "/etc/passwd", "a"]', "{}", "[1]", "[" * 9999):
        (tmp_path / ".mynah-unfinished").write_text(content)
        assert unfinished(tmp_path) in ([tmp_path / "a"], [])
