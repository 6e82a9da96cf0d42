"""Files that appear whole: what a killed process leaves beside them goes with the next write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.files import owned_folder, write_text_whole, write_whole
from core.processes import this_machine


def gone_pid() -> int:
    """Of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_part_of_a_killed_process_goes_with_the_next_write(tmp_path: Path) -> None:
    pid, machine = gone_pid(), this_machine()
    orphans = [f".a.json.{pid}.part", f".a.json.{machine}-{pid}.part"]
    stays = [
        f".a.json.{os.getppid()}.part",  # somebody else writes it now
        f".a.json.{'0' * 12}-{pid}.part",  # on another machine
        f".b.json.{pid}.part",
        ".a.json.x.part",
    ]
    for name in (*orphans, *stays):
        (tmp_path / name).write_text("a tweet")
    write_text_whole(tmp_path / "a.json", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*stays, "a.json"])
    assert (tmp_path / "a.json").read_text() == "new"


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def half(part: Path) -> None:
        part.write_text("ha")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(path, half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_owned_folder_is_made_elsewhere_only_where_that_will_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with owned_folder(tmp_path / "file", "x") as made:
        assert made.is_dir()
    assert not made.exists()
    with pytest.raises(OSError), owned_folder(tmp_path / "file", "x", elsewhere=False):
        pass
