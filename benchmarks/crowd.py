"""Two apps and three commands at once on one home: no deadlock, no lost update, no traceback.

    python -m benchmarks.crowd [--minutes 10] [--seed 1]

The apps sit on terminals of their own and are given keys. Meanwhile three commands at a time import
accounts, leave tweets out, tag a run, count in a table of the person's own, choose settings,
forget accounts, export and list. What a command that ended with 0 has changed must be there in the
end; one that was not let in must have said by whom it waited. Both apps must still answer then, and
leave without an error.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import random
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections import Counter
from fcntl import ioctl
from pathlib import Path
from typing import Final

from tests.killing.driver import ROOT

# A command that takes longer waits for something that does not come.
_DEADLOCK_SECONDS: Final = 120.0
_TWEETS: Final = 40
_KEYS: Final = [b"1", b"2", b"3", b"4", b"5", b"\x1b", b"j", b"k", b"w", b" ", b"?", b"o", b"\t"]
_RUN: Final = ROOT / "tests" / "fixtures" / "runs" / "20260301-1015-keeper-c0de"
_SETTINGS: Final = [f"f{number}" for number in range(13, 25)]


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {
        "MYNAH_HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color",
        "HF_HUB_OFFLINE": "1", "MYNAH_WARM": "none",
    }  # fmt: skip


class App:
    """The app on a terminal of its own, that somebody reads and types at."""

    def __init__(self, home: Path, chance: random.Random) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui"], env=_environment(home), cwd=ROOT,
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._chance = chance
        self._leaving = threading.Event()
        self.seen = bytearray()
        self.keys = 0
        self.heard = time.monotonic()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._type, daemon=True).start()

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._master], [], [], 0.5)
            try:
                chunk = os.read(self._master, 65536) if ready else b""
            except OSError:
                return
            if chunk:
                self.heard = time.monotonic()
                self.seen += chunk
                del self.seen[: -(1 << 20)]

    def _type(self) -> None:
        while not self._leaving.wait(self._chance.uniform(0.2, 1.0)):
            try:
                os.write(self._master, self._chance.choice(_KEYS))
            except OSError:
                return
            self.keys += 1

    def leave(self) -> str:
        """What was wrong with it, or nothing."""
        if self.process.poll() is not None:
            return f"the app was gone: {self.process.returncode} {bytes(self.seen[-500:])!r}"
        self._leaving.set()
        before = time.monotonic()
        for key in (b"\x1b", b"\x1b", b"1", b"2", b"3"):
            os.write(self._master, key)
            time.sleep(1.0)
        if self.heard < before:
            self.process.kill()
            return "the app does not answer any more"
        give_up = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < give_up:
            os.write(self._master, b"\x11")  # ctrl+q
            time.sleep(1.0)
        code = self.process.poll()
        if code is None:
            self.process.kill()
            return "the app does not leave"
        words = bytes(self.seen[-3000:])
        return f"the app left with {code}: {words!r}" if code or b"Traceback" in words else ""


class Crowd:
    """What the commands have changed, and how it went."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.seed = seed
        self.lock = threading.Lock()
        self.number = 0
        self.imported: set[int] = set()
        self.forgotten: set[int] = set()
        self.excluded: set[str] = set()
        self.tagged: set[str] = set()
        self.set_: set[str] = set()
        self.counted = 0
        self.done: Counter[str] = Counter()
        self.waited: Counter[str] = Counter()
        self.wrong: list[str] = []

    def command(self, *arguments: str) -> tuple[int, str, str]:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "tui", *arguments], env=_environment(self.home), cwd=ROOT,
                stdin=subprocess.DEVNULL, capture_output=True,
                timeout=_DEADLOCK_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self.wrong.append(f"{arguments} took more than {_DEADLOCK_SECONDS:g} s")
            return 99, "", ""
        out, err = done.stdout.decode(), done.stderr.decode("utf-8", "replace")
        name = " ".join(arguments[:2] if arguments[0] in ("runs", "config") else arguments[:1])
        with self.lock:
            if "Traceback" in err or done.returncode not in (0, 3):
                self.wrong.append(f"{arguments}: {done.returncode}: {err[-600:]}")
            elif done.returncode == 3:
                self.waited[" ".join(err.split())[:150].replace(str(self.home), "HOME")] += 1
            self.done[name] += done.returncode == 0
        return done.returncode, out, err

    def begin(self) -> None:
        from core.home import Home
        from core.workflow.data import import_paths, sample_archives

        import_paths(Home.at(self.home), sample_archives()[:1])
        shutil.copytree(_RUN, self.home / "runs" / _RUN.name)
        self.command("sql", "CREATE TABLE counter AS SELECT 0 AS n", "--write")

    def _write(self, number: int) -> str:
        path = self.folder / f"{number}.jsonl"
        lines = [
            {"id": str(number * 1000 + row), "author": f"crowd_{number}", "text": f"low tide {row}"}
            for row in range(_TWEETS)
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        return str(path)

    def one(self, chance: random.Random) -> None:
        """A command at random; what it has done is noted only where it said so."""
        with self.lock:
            self.number += 1
            number = self.number
            there = sorted(self.imported - self.forgotten)
        kind = chance.choice(
            ["import", "import", "exclude", "tag", "count", "set", "forget", "see"]
        )
        if kind == "import" or (kind in ("exclude", "forget") and len(there) < 3):
            if self.command("import", self._write(number))[0] == 0:
                self.imported.add(number)
        elif kind == "exclude":
            tweet = str(there[-1] * 1000 + chance.randrange(_TWEETS))
            if self.command("exclude", tweet)[0] == 0:
                self.excluded.add(tweet)
        elif kind == "forget":
            with self.lock:
                chosen = there[0]
                if chosen in self.forgotten:
                    return
                self.forgotten.add(chosen)
            if self.command("forget", f"crowd_{chosen}", "--yes")[0] != 0:
                self.forgotten.discard(chosen)
        elif kind == "tag":
            if self.command("runs", "tag", _RUN.name, f"t{number}")[0] == 0:
                self.tagged.add(f"t{number}")
        elif kind == "set":
            key = chance.choice(_SETTINGS)
            action = {"f13": "train.start", "f14": "data.add"}.get(key)
            if action and self.command("config", "set", f"keymap.{action}", key)[0] == 0:
                self.set_.add(f"keymap.{action}")
            elif not action and self.command("config", "set", "train.minutes", key[1:])[0] == 0:
                self.set_.add("train.minutes")
        elif kind == "count":
            if self.command("sql", "UPDATE counter SET n = n + 1", "--write")[0] == 0:
                with self.lock:
                    self.counted += 1
        else:
            what = chance.choice([
                ["stats", "--json"], ["runs", "--json"], ["accounts"],
                ["sql", "SELECT count(*) FROM curated", "--json"],
                ["export", *(f"crowd_{n}" for n in there[-1:]),
                 "-o", f"{self.folder}/{number}.csv"],
            ])  # fmt: skip
            if what[0] != "export" or there:
                self.command(*what)

    def truth(self) -> list[str]:
        """What is not as the commands have said."""
        wrong = []
        rows = json.loads(self.command("accounts", "--json")[1])
        tweets = {row["handle"]: row["tweets"] for row in rows}
        for number in self.imported - self.forgotten:
            if tweets.get(f"crowd_{number}") != _TWEETS:
                wrong.append(
                    f"@crowd_{number}: {tweets.get(f'crowd_{number}')} of {_TWEETS} tweets"
                )
        for number in self.forgotten:
            if f"crowd_{number}" in tweets:
                wrong.append(f"@crowd_{number} was forgotten, and is there")
        left_out = {row["tweet_id"] for row in json.loads(self.command("exclude", "--json")[1])}
        for tweet in self.excluded - left_out:
            if int(tweet) // 1000 not in self.forgotten:
                wrong.append(f"{tweet} was left out, and is not")
        (run,) = json.loads(self.command("runs", "--json")[1])
        if lost := self.tagged - set(run["tags"]):
            wrong.append(f"tags lost: {sorted(lost)}")
        (count,) = json.loads(self.command("sql", "SELECT n FROM counter", "--json")[1])
        if count["n"] != self.counted:
            wrong.append(f"counted {count['n']} of {self.counted}")
        chosen = {row["name"] for row in json.loads(self.command("config", "--json")[1])
                  if row["chosen"]}  # fmt: skip
        if lost := self.set_ - chosen:
            wrong.append(f"settings lost: {sorted(lost)}")
        return wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        crowd = Crowd(Path(temporary), given.seed)
        crowd.begin()
        apps = [App(crowd.home, random.Random(f"app {given.seed} {n}")) for n in range(2)]
        until = time.monotonic() + 60 * given.minutes

        def work(chance: random.Random) -> None:
            while time.monotonic() < until:
                crowd.one(chance)

        people = [
            threading.Thread(target=work, args=(random.Random(f"{given.seed} {n}"),))
            for n in range(3)
        ]
        for one in people:
            one.start()
        for one in people:
            one.join()
        wrong = [words for app in apps if (words := app.leave())]
        wrong += crowd.wrong + crowd.truth()
    done = ", ".join(f"{name} {times}" for name, times in crowd.done.most_common())
    print(f"{sum(crowd.done.values())} commands in {given.minutes:g} minutes: {done}")
    print(f"keys typed at the apps: {sum(app.keys for app in apps)}")
    print(f"not let in: {sum(crowd.waited.values())}")
    for words, times in crowd.waited.most_common(6):
        print(f"    {times:4} x {words}")
    for words in wrong:
        print(f"WRONG: {words}")
    print(f"{len(wrong)} deadlocks, lost updates and faults")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
