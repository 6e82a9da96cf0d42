"""kill -9 at random instants: every row is there in the end, and no page is paid for twice.

MYNAH_FETCH_KILLS sets how many times (`python -m benchmarks.kills --only fetch --posts full` does
it for 3,200 posts).
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.killing.deeds import Fetch
from tests.killing.driver import kill_at_random

KILLS = int(os.environ.get("MYNAH_FETCH_KILLS", "6"))


@pytest.mark.slow
def test_killed_and_taken_up_again(tmp_path: Path) -> None:
    found = kill_at_random(Fetch, tmp_path, KILLS, random.Random(11), in_a_row=KILLS)
    assert found.kills == KILLS
    assert found.wrong == []
