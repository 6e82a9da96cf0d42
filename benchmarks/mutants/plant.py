"""Faults planted in copies of the tree, and what the tests there say to them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Final

from benchmarks.mutants.faults import ROOT, Mutant, changed_line, planted, why_unnoticed
from benchmarks.mutants.reach import Reach

_PARTS: Final = ("core", "tui", "datasets", "tests", "benchmarks", "pyproject.toml", "README.md",
                 "CHANGELOG.md", "Makefile", "constraints.txt", "docs")  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """``said`` is one of the nursery's VERDICTS, or "listed", with the reason in ``why``."""

    mutant: Mutant
    changed: str
    said: str
    tests: int = 0
    seconds: float = 0.0
    why: str = ""


class Bed:
    """A copy of the tree, and a process in it that runs tests."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        for part in _PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, tree / part)
            elif source.exists():
                shutil.copy2(source, tree / part)
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.mutants.nursery"], cwd=tree, text=True,
            env=os.environ | {"PYTHONPATH": str(tree), "CI": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, tests: list[str], seconds: float) -> tuple[str, str]:
        """One of the nursery's VERDICTS, and the test that failed."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        print(json.dumps([tests, seconds]), file=self._nursery.stdin, flush=True)
        said, failed = json.loads(self._nursery.stdout.readline())
        return said, failed

    def with_fault(
        self, mutant: Mutant, text: str, tests: list[str], seconds: float
    ) -> tuple[str, str]:
        target = self.tree / mutant.module
        sound = target.read_bytes()
        try:
            target.write_text(text, encoding="utf-8")
            _forget_compiled(target)
            return self.run(tests, seconds)
        finally:
            target.write_bytes(sound)
            _forget_compiled(target)

    def close(self) -> None:
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.wait()


def _forget_compiled(module: Path) -> None:
    """Python compares seconds and sizes, which two versions may share."""
    for compiled in (module.parent / "__pycache__").glob(f"{module.stem}.*.pyc"):
        compiled.unlink()


@contextmanager
def beds(jobs: int) -> Iterator[Queue[Bed]]:
    with tempfile.TemporaryDirectory(prefix="mynah-mutants-", ignore_cleanup_errors=True) as folder:
        made = [Bed(Path(folder) / str(number)) for number in range(jobs)]
        ready: Queue[Bed] = Queue()
        for bed in made:
            ready.put(bed)
        try:
            yield ready
        finally:
            for bed in made:
                bed.close()


class Sound:
    """Which tests fail on the sound tree as well: what they say of a fault is worth nothing."""

    def __init__(self) -> None:
        self._passed: dict[str, bool] = {}

    def passes(self, test: str, bed: Bed, seconds: float) -> bool:
        if test not in self._passed:
            self._passed[test] = bed.run([test], seconds)[0] == "not noticed"
            if not self._passed[test]:
                print(f"fails without any fault, and is left out: {test}", flush=True)
        return self._passed[test]

    def of(self, tests: list[str]) -> list[str]:
        return [test for test in tests if self._passed.get(test, True)]


def verdicts(mutants: list[Mutant], ready: Queue[Bed], reach: Reach) -> Iterator[Verdict]:
    """In the order of ``mutants``."""
    sound = Sound()

    def one(mutant: Mutant) -> Verdict:
        text = planted(mutant)
        changed = changed_line(mutant, text)
        if why := why_unnoticed(mutant, changed):
            return Verdict(mutant, changed, "listed", why=why)
        bed, begun, said = ready.get(), time.monotonic(), "not noticed"
        try:
            while tests := sound.of(reach.tests(mutant)):
                # several times what they took when the map was made, for a busier machine
                most = 60 + 6 * sum(map(reach.took, tests))
                said, failed = bed.with_fault(mutant, text, tests, most)
                if said != "noticed" or not failed or sound.passes(failed, bed, most):
                    break
                said = "not noticed"
            return Verdict(mutant, changed, said, len(tests), time.monotonic() - begun)
        finally:
            ready.put(bed)

    with ThreadPoolExecutor(ready.qsize()) as pool:
        yield from pool.map(one, mutants)
