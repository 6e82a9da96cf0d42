"""kill -9 at random instants: every row is there in the end, and no page is paid for twice.

MYNAH_FETCH_KILLS sets how many times (benchmarks/fetch_kills.py does it for 3,200 posts).
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.fakes.x_api import WALKER, FakeX, Plan
from tests.unit.fetch_kills import killed, undisturbed

KILLS = int(os.environ.get("MYNAH_FETCH_KILLS", "6"))
POSTS = Plan(WALKER, "Walker", 900, first=2016, silence=120)


def test_killed_and_taken_up_again(tmp_path: Path) -> None:
    with FakeX([POSTS]) as fake:
        rows, seconds = undisturbed(fake, tmp_path / "plain")
        cost = fake.ledger()["cost_usd"]
        assert len(rows) == 900
    chance = random.Random(11)
    with FakeX([POSTS]) as fake:
        found = killed(fake, tmp_path / "killed", chance, KILLS, seconds / 2)
        ledger = fake.ledger()
    assert found.kills
    assert found.rows == rows
    assert found.wrongly_repeated == []
    assert found.repeated <= found.kills
    # X charges for the same post once a day, and the fake does too
    assert ledger["cost_usd"] == cost
    assert ledger["deduplicated"] <= 101 * found.kills
