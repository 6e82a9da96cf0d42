"""Fetching from the fake API with `mynah fetch`, killed with SIGKILL at random instants.

Shared by the test and the benchmark. A kill may hit anything: the start of Python, a request in
flight, the middle of a transaction.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.corpus.store import Corpus
from core.home import Home
from tests.fakes.x_api import WALKER, FakeX

_CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Kills:
    """What happened in one fetch that was killed until it was let through."""

    kills: int = 0
    pages: int = 0
    repeated: int = 0
    wrongly_repeated: list[str] = field(default_factory=list)
    cost_usd: float = 0.0
    rows: list[Any] = field(default_factory=list)


def command(fake: FakeX, home: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "MYNAH_HOME": str(home),
        "MYNAH_X_TOKEN": fake.token,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONPATH": str(_CHECKOUT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "fetch", WALKER, "--yes", "--json", "--api-url", fake.url],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def rows_of(home: Path) -> list[Any]:
    """Every column that does not tell when."""
    with Corpus(Home(home).corpus).reading() as connection:
        return connection.execute(
            "SELECT * EXCLUDE (first_imported_at, last_imported_at, created_at), "
            "epoch_us(created_at) FROM tweets ORDER BY handle, tweet_id"
        ).fetchall()


def undisturbed(fake: FakeX, home: Path) -> tuple[list[Any], float]:
    """The rows, and how many seconds the command took."""
    start = time.monotonic()
    process = command(fake, home)
    out, err = process.communicate()
    assert process.returncode == 0, err.decode()
    assert json.loads(out)[0]["complete"]
    return rows_of(home), time.monotonic() - start


def killed(fake: FakeX, home: Path, chance: random.Random, most: int, seconds: float) -> Kills:
    """Fetch, killing the command within ``seconds`` of its start, at most ``most`` times."""
    found = Kills()
    in_flight: set[int] = set()
    while True:
        process = command(fake, home)
        if found.kills < most:
            try:
                process.wait(chance.uniform(0, seconds))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                found.kills += 1
                time.sleep(0.05)  # a request that was sent is answered, and billed
                in_flight.add(len(fake.requests))
                continue
        out, err = process.communicate()
        assert process.returncode == 0, err.decode()
        assert json.loads(out)[0]["complete"]
        break
    asked = [one for one in fake.requests if one.path.endswith("/tweets")]
    seen: dict[str, int] = {}
    for one in asked:
        what = json.dumps(one.query, sort_keys=True)
        before = seen.get(what)
        if before is not None and one.posts:
            found.repeated += 1
            if before not in in_flight:
                found.wrongly_repeated.append(what)
        seen[what] = one.number
    found.pages = len(asked)
    found.cost_usd = fake.ledger()["cost_usd"]
    found.rows = rows_of(home)
    return found
