"""Faults planted one at a time in product code: does a test notice?

    pip install -e '.[mutants]'
    python -m benchmarks.mutants --map
    python -m benchmarks.mutants [--room core/curation ...] [--number 60] [--seed 1] [--jobs 2]
    python -m benchmarks.mutants --only core/curation/judge.py:AddNot:3

Cosmic Ray makes the faults: a comparison that takes the neighbour, `and` for `or`, a number one
higher, a loop that never turns. ``--map`` runs the unit tests once, with coverage, and writes down
which tests reach which line (10 minutes). Then ``--number`` faults of each room, drawn by
``--seed``, are planted in a copy of the tree. The tests that reach the line run, the quickest
first, for ``--seconds`` at most; where none does in this process (a trainer is another one), those
that reach most of the module, or bear the room's name.

Prints each fault that no test noticed, with its line, and the share that was noticed for each room.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
MAP: Final = ROOT / ".venv" / "mutants.json"
ROOMS: Final = (
    "core/curation", "core/dataset", "core/fetching", "core/runs", "core/training",
    "core/sampling", "core/report",
)  # fmt: skip
# One fault of a kind is enough for a place: what a test notices of `<` as `>` it notices of others.
# Left out are those that nothing can notice (`==` as `is`), and decorators, most of which cache.
OPERATORS: Final = (
    "AddNot", "ExceptionReplacer", "NumberReplacer", "ReplaceAndWithOr", "ReplaceOrWithAnd",
    "ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div", "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul", "ReplaceBinaryOperator_Mod_Mul",
    "ReplaceBinaryOperator_BitAnd_BitOr", "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ReplaceFalseWithTrue",
    "ReplaceTrueWithFalse", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_USub_UAdd",
    "ZeroIterationForLoop",
)  # fmt: skip
_HANGS_AFTER: Final = 180.0
_PARTS: Final = ("core", "tui", "datasets", "tests", "benchmarks", "pyproject.toml", "README.md",
                 "CHANGELOG.md", "Makefile", "constraints.txt", "docs")  # fmt: skip
_OUR_PLUGIN: Final = "benchmarks.mutants"


@dataclass(frozen=True)
class Mutant:
    module: str
    operator: str
    occurrence: int
    line: int
    end: int

    @property
    def name(self) -> str:
        return f"{self.module}:{self.operator}:{self.occurrence}"


# ── which tests reach which line ─────────────────────────────────────────────────────────────


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


# ── faults ───────────────────────────────────────────────────────────────────────────────────


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every fault that the operators can plant in it, but in annotations and names of types."""
    from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-not-found,unused-ignore]
    from cosmic_ray.plugins import get_operator  # type: ignore[import-not-found,unused-ignore]

    source = (ROOT / module).read_text(encoding="utf-8")
    idle, lines = _idle(ast.parse(source)), source.splitlines()
    tree = get_ast(source)
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        places = (place for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(places):
            # the star of `*, key=` and of `*values` is no product
            star = "_Mul_" in name and not lines[start[0] - 1][start[1] + 1 :].startswith(" ")
            if not star and not any(first <= start and end <= last for first, last in idle):
                yield Mutant(module, name, occurrence, start[0], end[0])


def _idle(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where no fault matters: annotations, and what only a type checker reads."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns:
            found.append(node.returns)
        elif isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation:
            found.append(node.annotation)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found.append(node)
        elif isinstance(node, ast.Assert):
            found.append(node)  # said to the type checker
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found += node.decorator_list  # a frozen dataclass that is not
    return [
        ((at.lineno, at.col_offset), (at.end_lineno, at.end_col_offset))  # type: ignore[attr-defined]
        for at in found
    ]


def planted(mutant: Mutant) -> str:
    """The module's text with the fault in it."""
    from cosmic_ray.mutating import mutate_code  # type: ignore[import-not-found,unused-ignore]
    from cosmic_ray.plugins import get_operator  # type: ignore[import-not-found,unused-ignore]

    operator = get_operator(f"core/{mutant.operator}")()
    source = (ROOT / mutant.module).read_text(encoding="utf-8")
    changed: str = mutate_code(source, operator, mutant.occurrence)
    return changed


# ── who notices ──────────────────────────────────────────────────────────────────────────────


class Reach:
    """Which tests to run for a line, the quickest first."""

    def __init__(self, seconds: float) -> None:
        self._most = seconds
        kept = json.loads(MAP.read_text(encoding="utf-8"))
        self._seconds: dict[str, float] = kept["seconds"]
        self._lines: dict[str, dict[str, list[str]]] = kept["lines"]

    def tests(self, mutant: Mutant) -> list[str]:
        of_module = self._lines.get(mutant.module, {})
        found = {
            test
            for line in range(mutant.line, mutant.end + 1)
            for test in of_module.get(str(line), [])
        }
        if len(found) >= 3:
            return self._first(sorted(found, key=self._took))
        # at import, or in another process: the tests that reach most of the module for their time
        room = Path(mutant.module).parent.name
        reached = Counter(test for tests in of_module.values() for test in tests)
        reached.update(test for test in self._seconds if f"/test_{room}_" in test)
        return self._first(sorted(reached, key=lambda test: self._took(test) / reached[test]))

    def _took(self, test: str) -> float:
        return self._seconds.get(test, 1.0) + 0.02

    def _first(self, tests: Iterable[str]) -> list[str]:
        chosen: list[str] = []
        left = self._most
        for test in tests:
            left -= self._took(test)
            if left < 0:
                break
            chosen.append(test)
        return chosen


def noticed(mutant: Mutant, tree: Path, tests: list[str]) -> bool:
    """Whether one of the tests fails on a copy of the tree with the fault in it."""
    if not tests:
        return False
    target = tree / mutant.module
    sound = target.read_bytes()
    try:
        target.write_text(planted(mutant), encoding="utf-8")
        _forget_compiled(target)
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
            cwd=tree, env=os.environ | {"PYTHONPATH": str(tree), "CI": "1"}, timeout=_HANGS_AFTER,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        return ended.returncode != 0
    except subprocess.TimeoutExpired:
        return True  # a test that hangs is noticed, too
    finally:
        target.write_bytes(sound)
        _forget_compiled(target)


def _forget_compiled(module: Path) -> None:
    """Python compares seconds and sizes, which two versions may share."""
    for compiled in (module.parent / "__pycache__").glob(f"{module.stem}.*.pyc"):
        compiled.unlink()


def _copies(folder: Path, jobs: int) -> Queue[Path]:
    trees: Queue[Path] = Queue()
    for number in range(jobs):
        tree = folder / str(number)
        tree.mkdir()
        for part in _PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, tree / part)
            elif source.exists():
                shutil.copy2(source, tree / part)
        trees.put(tree)
    return trees


def run(mutants: list[Mutant], jobs: int, seconds: float) -> dict[Mutant, bool]:
    reach, found = Reach(seconds), {}
    with tempfile.TemporaryDirectory(prefix="mynah-mutants-") as folder:
        trees = _copies(Path(folder), jobs)

        def one(mutant: Mutant) -> tuple[Mutant, bool, int, float]:
            tree, begun = trees.get(), time.monotonic()
            try:
                tests = reach.tests(mutant)
                return mutant, noticed(mutant, tree, tests), len(tests), time.monotonic() - begun
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(jobs) as pool:
            for mutant, seen, tests, took in pool.map(one, mutants):
                found[mutant] = seen
                if not seen:
                    text = (ROOT / mutant.module).read_text(encoding="utf-8").splitlines()
                    line = text[mutant.line - 1].strip()
                    print(f"not noticed by {tests} tests ({took:.0f} s): {mutant.name}")
                    print(f"    line {mutant.line}: {line}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--map", action="store_true", help="run the tests with coverage first")
    parser.add_argument("--room", action="append", help="a folder or a module")
    parser.add_argument("--number", type=int, default=60, help="of faults in each room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60, help="of tests for one fault")
    parser.add_argument("--only", action="append", help="one fault by its name")
    asked = parser.parse_args()
    if asked.map:
        make_map(asked.jobs)
        return
    if asked.only:
        wanted = [name.split(":") for name in asked.only]
        every = [one for module, *_ in wanted for one in mutants_of(module)]
        run([one for one in every if one.name in asked.only], asked.jobs, asked.seconds)
        return
    shares = {}
    for room in asked.room or ROOMS:
        path = ROOT / room
        modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        every = [one for file in modules for one in mutants_of(str(file.relative_to(ROOT)))]
        drawn = random.Random(f"{room} {asked.seed}").sample(every, min(asked.number, len(every)))
        print(f"{room}: {len(drawn)} of {len(every)} faults", flush=True)
        shares[room] = run(drawn, asked.jobs, asked.seconds)
    for room, found in shares.items():
        print(f"{room}: {sum(found.values())} of {len(found)} noticed")


if __name__ == "__main__":
    main()
