"""Faults planted one at a time in product code: does a test notice?

    pip install -e '.[mutants]'
    python -m benchmarks.mutants --map
    python -m benchmarks.mutants [--room core/curation ...] [--number 60] [--seed 1] [--jobs 2]
    python -m benchmarks.mutants --only core/curation/judge.py:AddNot:3
    python -m benchmarks.mutants --check

Cosmic Ray makes the faults: a comparison that takes the neighbour, `and` for `or`, a number one
higher, a loop that never turns. ``--map`` runs the unit tests once, with coverage, and writes down
which tests reach which line (10 minutes). Then ``--number`` faults of each room, drawn by
``--seed``, are planted in a copy of the tree. The tests that reach the line run, first those that
are quick and reach little else, for ``--seconds`` at most; where none does in this process (a
trainer is another one), those that reach most of the module, or bear the room's name.

Faults that nothing can or should notice are listed in ``unnoticed/`` with reasons, by their changed
line; ``--check`` names the entries that no fault has any more. Prints each fault that no test
noticed and that is not listed, and for each room how many were noticed. Tests that hang are counted
as noticing, and named.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter

from benchmarks.mutants.faults import ROOMS, ROOT, Mutant, listed_in_vain, mutants_of
from benchmarks.mutants.plant import beds, verdicts
from benchmarks.mutants.reach import Reach, make_map


def drawn(room: str, number: int, seed: int) -> list[Mutant]:
    path = ROOT / room
    modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    every = [one for file in modules for one in mutants_of(str(file.relative_to(ROOT)))]
    chosen = random.Random(f"{room} {seed}").sample(every, min(number, len(every)))
    print(f"{room}: {len(chosen)} of {len(every)} faults", flush=True)
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--map", action="store_true", help="run the tests with coverage first")
    parser.add_argument("--check", action="store_true", help="the list of those unnoticed")
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
    if asked.check:
        gone = listed_in_vain()
        print("\n".join(gone) or "every entry is a fault of today's code")
        raise SystemExit(bool(gone))
    lots: dict[str, list[Mutant]] = {}
    for name in asked.only or []:
        module = name.split(":")[0]
        lots.setdefault(module, []).extend(one for one in mutants_of(module) if one.name == name)
    if not asked.only:
        lots = {room: drawn(room, asked.number, asked.seed) for room in asked.room or ROOMS}
    reach, shares = Reach(asked.seconds), {}
    with beds(asked.jobs) as ready:
        for room, mutants in lots.items():
            shares[room] = counted = Counter[str]()
            for one in verdicts(mutants, ready, reach):
                counted[one.said] += 1
                if one.said in ("not noticed", "hung"):
                    print(
                        f"{one.said} ({one.tests} tests, {one.seconds:.0f} s): {one.mutant.name}, "
                        f"line {one.mutant.line}\n    {one.changed}",
                        flush=True,
                    )
    for room, counted in shares.items():
        noticed, listed = counted["noticed"] + counted["hung"], counted["listed"]
        tried = noticed + counted["not noticed"]
        print(f"{room}: {noticed} of {tried} noticed, {listed} listed, {counted['hung']} hung")


if __name__ == "__main__":
    main()
