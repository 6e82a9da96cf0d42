"""The Ray engine, with a real Ray of two workers; skipped where Ray is not installed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from core.bulk.curate import curate_files
from core.curation.recipe import Recipe, load_recipe
from core.dataset.verify import verify
from core.errors import InputRefused, Interrupted, WrongUsage
from tests.oracles.frames import frame
from tests.unit.cli import MYNAH, ROOT, environment, mynah_alone
from tests.unit.test_bulk import RECIPES, bytes_of, many, written

HAS_RAY = all(find_spec(name) for name in ("ray", "pyarrow"))
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed")
STANDARD = load_recipe("standard")


@pytest.fixture(scope="module")
def two_workers() -> Iterator[None]:
    """A Ray of this test's own, that the engine finds already there."""
    import ray

    os.environ.setdefault("RAY_AUTH_TOKEN", "a" * 64)  # or Ray writes one into the person's home
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray.init(
            address="local",
            num_cpus=2,
            object_store_memory=200 * 2**20,
            include_dashboard=False,
            log_to_driver=False,
            _temp_dir=folder,
            runtime_env={"env_vars": {"PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1"}},
        )
        yield
        ray.shutdown()


@needs_ray
@pytest.mark.usefixtures("two_workers")
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_ray_gives_the_bytes_of_this_machine(tmp_path: Path, recipe: Recipe) -> None:
    rows = many(2_000)
    source = written(tmp_path / "in", rows[:300], rows[300:1_900], rows[1_900:])
    curate_files(source, tmp_path / "local", recipe, part_rows=700)
    expected = bytes_of(tmp_path / "local")
    assert len(expected) == 4
    for partitions in (1, 2, 7):
        out = tmp_path / f"ray{partitions}"
        curate_files(source, out, recipe, engine="ray", partitions=partitions, part_rows=700)
        assert bytes_of(out) == expected
    assert verify(out).problems == []


@needs_ray
@pytest.mark.usefixtures("two_workers")
def test_what_a_worker_refuses_arrives_in_its_words(tmp_path: Path) -> None:
    source = written(tmp_path / "in", frame(["one two three"] * 3, handle=["a", "B", "a"]))
    with pytest.raises(InputRefused, match="the handle 'B'"):
        curate_files(source, tmp_path / "out", STANDARD, engine="ray")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@needs_ray
@pytest.mark.usefixtures("two_workers")
@pytest.mark.parametrize("asked", [1, 5])
def test_stopping_leaves_nothing(tmp_path: Path, asked: int) -> None:
    source = written(tmp_path / "in", many(500))
    answers = iter([*[False] * asked, *[True] * 999])
    with pytest.raises(Interrupted):
        curate_files(
            source,
            tmp_path / "out",
            STANDARD,
            engine="ray",
            partitions=6,
            cancelled=lambda: next(answers),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@needs_ray
def test_the_command_starts_a_ray_of_its_own_and_is_quiet(tmp_path: Path) -> None:
    source = written(tmp_path / "in", many(200))
    curate_files(source, tmp_path / "local", STANDARD)
    ended = mynah_alone("curate", source, "-o", tmp_path / "out", "--engine", "ray", "--json")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "local")
    assert ended.json()["rows"] == 200
    assert ended.err == ""
    told = mynah_alone("curate", source, "-o", tmp_path / "o2", "--engine", "ray", "--address",
                 "127.0.0.1:1", code=3)  # fmt: skip
    assert "There is no Ray to be reached at 127.0.0.1:1" in told.err
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["in", "local", "mynah-home", "out"], "the home remembers the export"


@needs_ray
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    source = written(tmp_path / "in", many(20_000))
    command = [*MYNAH, "curate", str(source), "-o", str(tmp_path / "out"), "--engine", "ray"]
    child = subprocess.Popen(
        [*command, "--partitions", "400"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("curated/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert "was stopped" in said
    assert "Traceback" not in said
    assert list(Path("/tmp").glob(f"mynah-ray-{child.pid}-*")) == []  # noqa: S108
    deadline = time.monotonic() + 60
    while _in_session(child.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _in_session(child.pid) == []
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def _in_session(leader: int) -> list[int]:
    """Processes that the command started and did not end."""
    found = []
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == leader:
                found.append(pid)
    return found


def test_without_ray_the_words_say_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "in", frame(["one two three"]))
    monkeypatch.setattr("core.ray_session.find_spec", lambda name: None)
    with pytest.raises(WrongUsage, match=r"pip install 'mynah-tui\[ray\]'"):
        curate_files(source, tmp_path / "out", STANDARD, engine="ray")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_neither_command_nor_local_engine_loads_ray(tmp_path: Path) -> None:
    source = written(tmp_path / "in", frame(["one two three"]))
    code = (
        "import sys, json; from pathlib import Path; from core.bulk.curate import curate_files\n"
        "from core.curation.recipe import Recipe, load_recipe\n"
        "curate_files(Path(sys.argv[1]), Path(sys.argv[2]), load_recipe('standard'))\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment(),
    )
    assert not {"ray", "pyarrow", "torch"} & set(json.loads(done.stdout))
