"""One driver for all: start a command, kill it at a random moment, look, and let it through."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.home import Home

ROOT: Final = Path(__file__).resolve().parents[2]
# A command that takes longer, undisturbed, hangs.
_LIMIT: Final = 300.0


class Wrong(Exception):
    """Something is lost, doubled or half done."""


class Deed:
    """A command that may be killed, in a folder of its own with a home.

    ``sound`` looks at what a killed one has left, in whatever state, and raises Wrong; it returns
    in a word how far that one was. ``truth`` is what is there when it was let through: the same as
    after an undisturbed one, or else something is lost or doubled. ``ends`` are its exit codes
    then: a second one may find that everything is done.
    """

    name = ""
    ends: tuple[int, ...] = (0,)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home.at(folder / "home")

    def begin(self) -> None:
        """Makes the home. Called once for each command that is killed until it is through."""

    def close(self) -> None:
        """Ends what ``begin`` has started."""

    def arguments(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def sound(self) -> str:
        raise NotImplementedError

    def truth(self) -> Any:
        raise NotImplementedError

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tui", *self.arguments()]
        return self.popen(command)

    def popen(self, command: list[str]) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "MYNAH_HOME": str(self.home.root),
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            **self.environment(),
        }
        # not to a pipe: nobody reads it meanwhile
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            return subprocess.Popen(
                command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def through(self) -> None:
        """Lets it come to its end."""
        process = self.start()
        try:
            code = process.wait(_LIMIT)
        finally:
            process.kill()
        words = (self.folder / "err").read_text("utf-8", "replace")
        if code not in self.ends or "Traceback" in words:
            raise Wrong(f"{self.name} cannot be taken up again: {code}: {words[-600:]}")


@dataclass
class Killed:
    """What came of the kills of one deed. ``states`` counts how far they were."""

    kills: int = 0
    times: int = 0
    seconds: float = 0.0
    states: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def kill_at_random(
    make: Callable[[Path], Deed],
    folder: Path,
    kills: int,
    chance: random.Random,
    *,
    in_a_row: int = 3,
    start_up: float = 0.0,
) -> Killed:
    """Kills a command so often, each at most ``in_a_row`` times before it is let through.

    ``start_up``: the seconds in which a command only starts; one kill in five falls there.
    """
    found = Killed()
    undisturbed = _fresh(make, folder / "undisturbed")
    start = time.monotonic()
    try:
        undisturbed.through()
        found.seconds = time.monotonic() - start
        expected = undisturbed.truth()
    finally:
        undisturbed.close()
    while found.kills < kills:
        found.times += 1
        deed = _fresh(make, folder / str(found.times))
        try:
            for _ in range(min(in_a_row, kills - found.kills)):
                least = 0.0 if chance.random() < 0.2 else min(start_up, 0.8 * found.seconds)
                process = deed.start()
                try:
                    process.wait(chance.uniform(least, 1.1 * found.seconds))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    found.kills += 1
                    found.states[deed.sound()] += 1
                else:
                    break
            deed.through()
            truth = deed.truth()
            if truth != expected:
                raise Wrong(f"{deed.name}: {_difference(truth, expected)}")
        except Wrong as error:
            found.wrong.append(f"{deed.folder}: {error}")
        else:
            shutil.rmtree(deed.folder, ignore_errors=True)
        finally:
            deed.close()
    return found


def kill_at_each_step(
    make: Callable[[Path], Deed], folder: Path, *, every: int = 1, first: int = 1
) -> Killed:
    """Kills a command at each of the moments at which it changes a file's name, makes or removes
    one, or opens one to write: the first, then in another home the second, and so on.
    """
    found = Killed()
    undisturbed = _fresh(make, folder / "undisturbed")
    try:
        undisturbed.through()
        expected = undisturbed.truth()
    finally:
        undisturbed.close()
    step = first
    while True:
        found.times += 1
        deed = _fresh(make, folder / str(step))
        try:
            process = deed.popen(
                [sys.executable, "-m", "tests.killing.at_step", str(step), *deed.arguments()]
            )
            code = process.wait(_LIMIT)
            if code != -signal.SIGKILL:
                return found  # it has no more steps
            found.kills += 1
            found.states[deed.sound()] += 1
            deed.through()
            truth = deed.truth()
            if truth != expected:
                raise Wrong(f"{deed.name}: {_difference(truth, expected)}")
        except Wrong as error:
            found.wrong.append(f"step {step}: {error}")
        finally:
            deed.close()
            shutil.rmtree(deed.folder, ignore_errors=True)
        step += every


def _fresh(make: Callable[[Path], Deed], folder: Path) -> Deed:
    folder.mkdir(parents=True)
    deed = make(folder)
    deed.begin()
    return deed


def _difference(truth: Any, expected: Any) -> str:
    if isinstance(truth, dict) and isinstance(expected, dict):
        keys = [key for key in {*truth, *expected} if truth.get(key) != expected.get(key)]
        return "; ".join(
            f"{key}: {str(truth.get(key))[:300]} instead of {str(expected.get(key))[:300]}"
            for key in keys
        )
    return f"{str(truth)[:400]} instead of {str(expected)[:400]}"
