"""A fork of the warm process is what a new process would be, and all goes on without one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.children.start import Child, child_environment, start_child
from core.children.warm import Warm, begin

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forking is for Linux only")

# says what it finds of itself, then does what its first argument says
PROBE = """
import json, os, sys, time
def main():
    print(json.dumps({
        "argv": sys.argv[1:], "folder": os.getcwd(), "parent": os.getppid(),
        "session": os.getsid(0), "pid": os.getpid(), "word": os.environ.get("WORD"),
        "number": len(os.environ), "files": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
        "input": sys.stdin.read(), "seen": "colorsys" in sys.modules,
    }), flush=True)
    print("a complaint", file=sys.stderr)
    if sys.argv[1] == "wait":
        time.sleep(60)
    return int(sys.argv[2])
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "probe.py").write_text(PROBE)
    monkeypatch.delenv("MYNAH_WARM")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return child_environment()


@pytest.fixture
def warm(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Warm]:
    # a fork that is slow beside other tests is not what is tried here
    monkeypatch.setattr("core.children.warm.ANSWER_SECONDS", 60.0)
    process = begin(["colorsys"], environment)
    assert process is not None
    until(Path(process.address).exists)
    yield process
    process.end()


def until(true: Callable[[], object]) -> None:
    latest = time.monotonic() + 20
    while not true():
        assert time.monotonic() < latest
        time.sleep(0.01)


def started(folder: Path, environment: dict[str, str], /, *arguments: str, **more: Any) -> Child:
    (folder / "in").write_text("a question")
    with (
        (folder / "in").open("rb") as stdin,
        (folder / "out").open("wb") as out,
        (folder / "err").open("wb") as err,
    ):
        files = (stdin.fileno(), out.fileno(), err.fileno())
        given = {"environment": environment, "files": files, "folder": folder}
        return start_child("probe", *arguments, **given | more)


def found(folder: Path) -> dict[str, Any]:
    until(lambda: (folder / "out").read_text().endswith("\n"))
    return dict(json.loads((folder / "out").read_text()))


def test_a_fork_is_what_a_new_process_would_be(
    warm: Warm, environment: dict[str, str], tmp_path: Path
) -> None:
    reports = []
    for place, other in (("forked", {}), ("new", {"HF_HOME": "/elsewhere"})):
        folder = tmp_path / place
        folder.mkdir()
        theirs = environment | {"WORD": "of its own"} | other
        child = started(folder, theirs, "leave", "7", detached=place == "forked")
        assert child.wait(20) == child.poll() == child.returncode == 7
        reports.append(found(folder))
        assert (folder / "err").read_text() == "a complaint\n"
    forked, new = reports
    assert forked["parent"] == warm.process.pid
    assert new["parent"] == os.getpid()
    assert forked["seen"]
    assert not new["seen"]
    assert forked["session"] == forked["pid"]
    assert new["session"] == os.getsid(0)
    assert new.pop("number") == forked.pop("number") + 1
    for report, place in ((forked, "forked"), (new, "new")):
        assert report["folder"] == str(tmp_path / place)
        assert report["argv"] == ["leave", "7"]
        assert report["input"] == "a question"
        assert report["word"] == "of its own"
        assert report["files"] == [0, 1, 2]


def test_where_the_folder_one_stands_in_is_gone(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert started(tmp_path, environment, "leave", "3", folder=None).wait(20) == 3
    assert found(tmp_path)["folder"] == "/"


def test_who_has_imported_scikit_learn_is_served_too(
    warm: Warm, environment: dict[str, str], tmp_path: Path
) -> None:
    import sklearn  # noqa: F401

    assert os.environ["KMP_INIT_AT_FORK"] == "FALSE", "it writes that, as a report does by it"
    written = {"KMP_DUPLICATE_LIB_OK": "True", "KMP_INIT_AT_FORK": "FALSE"}
    assert started(tmp_path, environment | written, "leave", "3").wait(20) == 3
    assert found(tmp_path)["parent"] == warm.process.pid


def test_a_fork_that_is_killed_says_by_what(
    warm: Warm, environment: dict[str, str], tmp_path: Path
) -> None:
    for end, number in (("terminate", signal.SIGTERM), ("kill", signal.SIGKILL)):
        (tmp_path / "out").unlink(missing_ok=True)
        child = started(tmp_path, environment, "wait", "0")
        assert found(tmp_path)["parent"] == warm.process.pid
        assert child.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.05)
        getattr(child, end)()
        assert child.wait(20) == -number
        getattr(child, end)()  # one that is gone is left in peace


def test_without_the_warm_process_its_forks_go_on_and_new_ones_start_anew(
    warm: Warm, environment: dict[str, str], tmp_path: Path
) -> None:
    child = started(tmp_path, environment, "wait", "0", detached=True)
    pid = found(tmp_path)["pid"]
    warm.process.kill()
    assert child.wait(20) == -signal.SIGKILL  # nobody is left who could tell
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)
    (tmp_path / "out").unlink()
    assert started(tmp_path, environment, "leave", "3").wait(20) == 3
    assert found(tmp_path)["parent"] == os.getpid()


def test_one_that_does_not_answer_is_not_waited_for_and_starts_nothing_later(
    warm: Warm, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.children.warm.ANSWER_SECONDS", 0.2)
    warm.process.send_signal(signal.SIGSTOP)
    assert started(tmp_path, environment, "leave", "3").wait(20) == 3
    warm.process.send_signal(signal.SIGCONT)
    # the next is served, so the one before was looked at
    monkeypatch.setattr("core.children.warm.ANSWER_SECONDS", 60.0)
    before = (tmp_path / "out").read_text()
    (tmp_path / "next").mkdir()
    assert started(tmp_path / "next", environment, "leave", "4").wait(20) == 4
    assert found(tmp_path / "next")["parent"] == warm.process.pid
    assert (tmp_path / "out").read_text() == before


def test_it_ends_with_its_owner_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from core.children.warm import begin\n"
        "warm = begin([], dict(os.environ))\n"
        "while not Path(warm.address).exists(): time.sleep(0.01)\n"
        "print(warm.process.pid, warm.folder, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment | {"PYTHONPATH": root},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    pid, folder = done.stdout.split()
    until(lambda: not Path(folder).exists())
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_there_is_one_at_most_and_none_where_memory_is_short(
    warm: Warm, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert begin([], environment) is None
    monkeypatch.delenv("MYNAH_WARM")
    monkeypatch.setattr("core.children.warm.MEMORY", 1 << 60)
    assert begin([], environment) is None
