"""Files that appear whole: what a killed process leaves beside them goes with the next write."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.errors import InputRefused, refused_by_system
from core.files import owned_folder, remove_orphans, temporary_folder, write_text_whole, write_whole
from core.home import in_full
from core.json_lines import append_json_lines, read_json_lines
from core.processes import this_machine


def gone_pid() -> int:
    """Of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_part_of_a_killed_process_goes_with_the_next_write(tmp_path: Path) -> None:
    pid, machine = gone_pid(), this_machine()
    orphans = [f".a.json.{of}{pid}.part" for of in ("", f"{machine}-", f"{machine}-7-")]
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


def test_a_file_that_two_threads_write_is_one_of_the_two(tmp_path: Path) -> None:
    path = tmp_path / "a"

    def outer(part: Path) -> None:
        part.write_text("outer")
        write_text_whole(path, "inner")
        assert path.read_text() == "inner"

    write_whole(path, outer)
    assert path.read_text() == "outer"
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_has_a_place_where_the_working_folder_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    assert in_full("a.csv") == gone / "a.csv"
    gone.rmdir()
    assert in_full("a.csv") == Path.home() / "a.csv"
    assert in_full(tmp_path) == tmp_path
    assert in_full("~/a.csv") == Path.home() / "a.csv"
    with pytest.raises(InputRefused, match="no folder ~of-nobody"):
        in_full("~of-nobody/a.csv")
    assert in_full("/~of-nobody/a.csv") == Path("/~of-nobody/a.csv")


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


def test_what_cannot_be_written_has_the_name_that_was_given(tmp_path: Path) -> None:
    folder = tmp_path / "a.csv"
    folder.mkdir()
    with pytest.raises(OSError, match="directory") as refused:
        write_text_whole(folder, "new")
    assert str(refused_by_system(refused.value)) == f"{folder} cannot be used: is a directory."
    other = tmp_path / "other.csv"
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_whole(other, lambda _: (tmp_path / "nowhere").read_text())


def test_an_owned_folder_is_made_elsewhere_only_where_that_will_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with owned_folder(tmp_path / "file", "x") as made:
        assert made.is_dir()
    assert not made.exists()
    with pytest.raises(OSError), owned_folder(tmp_path / "file", "x", elsewhere=False):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("again", ["the same work", "forgetting"])
def test_what_a_killed_process_left_in_the_temporary_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dies = (
        "import os, signal\nfrom pathlib import Path\nfrom core.files import temporary_folder\n"
        "with temporary_folder('query') as folder:\n"
        "    (folder / 'tweets').touch()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", dies], env=os.environ | {"TMPDIR": str(tmp_path)})
    (left,) = tmp_path.glob(".mynah-query-*")
    (tmp_path / "not.mynah-query-1").mkdir()
    with temporary_folder("editor") as going:
        assert left.exists(), "of other work"
        if again == "forgetting":
            remove_orphans(tmp_path)
        else:
            with temporary_folder("query"):
                assert not left.exists()
        assert not left.exists()
        assert going.exists(), "its process lives"
    assert [path.name for path in tmp_path.iterdir()] == ["not.mynah-query-1"]


def test_a_file_that_is_replaced_keeps_its_permissions_and_a_link_leads_to_the_new_one(
    tmp_path: Path,
) -> None:
    path, link = tmp_path / ("\N{GRINNING FACE}" * 60 + ".csv"), tmp_path / "link"
    write_text_whole(path, "old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_text_whole(link, "new")
    assert link.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    write_text_whole(path, "mine", private=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(tmp_path.iterdir()) == sorted([path, link])


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes there")
def test_a_pipe_takes_what_is_written_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text_whole(pipe, "a result")
        assert os.read(reader, 100) == b"a result"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_lines_of_which_only_a_part_fits_are_not_said_to_be_written(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "lines.jsonl"
    append_json_lines(path, [{"n": 1}])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            append_json_lines(path, [{"text": "more than there is room for"}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    append_json_lines(path, [{"n": 2}])
    assert list(read_json_lines(path)) == [{"n": 1}, {"n": 2}]
