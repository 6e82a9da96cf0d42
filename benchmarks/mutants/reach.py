"""Which tests reach which line of core, and which of them to run for a fault."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from benchmarks.mutants.faults import ROOT, Mutant

MAP: Final = ROOT / ".venv" / "mutants.json"
# What runs in a process that the test started is not seen by the coverage of the test itself.
_IN_CHILDREN: Final = {
    "core/training/distributed": ["tests/unit/test_training_distributed.py"],
    "core/training/worker": [
        "tests/unit/test_training_process.py", "tests/unit/test_training_endings.py",
    ],
    "core/sampling/child": ["tests/unit/test_sampling_child.py"],
}  # fmt: skip
_OUR_PLUGIN: Final = "benchmarks.mutants.reach"


def pytest_runtest_setup(item: Any) -> None:
    """As a plugin of pytest: what runs from here on is reached by this test."""
    import coverage

    if (current := coverage.Coverage.current()) is not None:
        current.switch_context(item.nodeid)


def pytest_runtest_logreport(report: Any) -> None:
    if os.environ.get("MUTANTS_TIMES") and not hasattr(report, "node"):  # in the worker itself
        with Path(os.environ["MUTANTS_TIMES"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps([report.nodeid, report.when, report.duration]) + "\n")


def make_map(jobs: int) -> None:
    """Runs the unit tests under coverage and writes MAP."""
    with tempfile.TemporaryDirectory(prefix="mynah-mutants-") as folder:
        settings, data, times = (Path(folder) / name for name in ("rc", "data", "times"))
        settings.write_text(
            f"[run]\nsource = {ROOT / 'core'}\ndata_file = {data}\nparallel = true\n"
            "patch = subprocess\n"
        )
        subprocess.run(
            [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest",
             "-n", str(jobs), "--dist", "worksteal", "-m", "not slow", "-p", _OUR_PLUGIN,
             "tests/unit"],
            cwd=ROOT, env=os.environ | {"MUTANTS_TIMES": str(times)}, check=False,
        )  # fmt: skip
        combine = ["combine", f"--rcfile={settings}", folder]
        subprocess.run([sys.executable, "-m", "coverage", *combine], cwd=ROOT, check=True)
        seconds: dict[str, float] = defaultdict(float)
        for line in times.read_text(encoding="utf-8").splitlines():
            test, _, took = json.loads(line)
            seconds[test] += took
        lines = _lines_reached(data)
    MAP.parent.mkdir(exist_ok=True)
    MAP.write_text(json.dumps({"seconds": seconds, "lines": lines}), encoding="utf-8")
    print(f"{len(seconds)} tests reach {sum(map(len, lines.values()))} lines of core")


def _lines_reached(data: Path) -> dict[str, dict[int, list[str]]]:
    from coverage.numbits import numbits_to_nums  # type: ignore[import-not-found,unused-ignore]

    found: dict[str, dict[int, list[str]]] = {}
    with sqlite3.connect(data) as db:
        rows = db.execute(
            "SELECT file.path, context.context, numbits FROM line_bits "
            "JOIN file ON file.id = file_id JOIN context ON context.id = context_id "
            "WHERE context.context <> ''"
        )
        for path, test, bits in rows:
            of_file = found.setdefault(str(Path(path).relative_to(ROOT)), {})
            for line in numbits_to_nums(bits):
                of_file.setdefault(line, []).append(test)
    return found


def _tests_of_today() -> set[str]:
    """A test that has gone since the map was made would count as one that fails."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-o", "addopts=", "tests/unit"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {line for line in listed.stdout.splitlines() if "::" in line}


class Reach:
    """Which tests to run for a line: those that reach it, first the quick ones about little else.

    Their durations are those of MAP, in seconds; ``seconds`` is the most for one fault.
    """

    def __init__(self, seconds: float) -> None:
        self._most = seconds
        kept = json.loads(MAP.read_text(encoding="utf-8"))
        there = _tests_of_today()
        self._seconds: dict[str, float] = {
            test: took for test, took in kept["seconds"].items() if test in there
        }
        self._lines: dict[str, dict[str, list[str]]] = {
            module: {line: [*there.intersection(tests)] for line, tests in lines.items()}
            for module, lines in kept["lines"].items()
        }
        self._breadth: Counter[str] = Counter()
        for lines in self._lines.values():
            for tests in lines.values():
                self._breadth.update(tests)

    def tests(self, mutant: Mutant) -> list[str]:
        of_module = self._lines.get(mutant.module, {})
        found = {
            test
            for line in range(mutant.line, mutant.end + 1)
            for test in of_module.get(str(line), [])
        }
        stem = f"_{Path(mutant.module).stem}"
        if len(found) >= 3:
            return self._first(
                found,
                # a test that reaches much of core checks little of each line
                lambda test: (
                    self.took(test)
                    * math.sqrt(200 + self._breadth[test])
                    * (0.3 if stem in test.partition("::")[0] else 1)
                ),
            )
        # at import, or in another process: the tests that reach most of the module for their time
        room = Path(mutant.module).parent.name
        reached = Counter(test for tests in of_module.values() for test in tests)
        reached.update(test for test in self._seconds if f"/test_{room}_" in test)
        chosen = self._first(reached, lambda test: self.took(test) / reached[test])
        return chosen + [
            test
            for place, tests in _IN_CHILDREN.items()
            if mutant.module.startswith(place)
            for test in tests
        ]

    def took(self, test: str) -> float:
        # a whole file of _IN_CHILDREN, most of which are slow tests, has no time of its own
        return self._seconds.get(test, 1.0 if "::" in test else 100.0) + 0.02

    def _first(self, tests: Iterable[str], cost: Callable[[str], float]) -> list[str]:
        chosen: list[str] = []
        left = self._most
        for test in sorted(sorted(tests), key=cost):
            left -= self.took(test)
            if left < 0 and chosen:
                break
            chosen.append(test)
        return chosen
