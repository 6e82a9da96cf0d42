"""`mynah fetch` of 3,200 posts killed with SIGKILL at random instants, and what that costs.

    python -m benchmarks.fetch_kills [--kills 50] [--seed 1]

Prints, for as many fetches as the kills need: pages asked for against those of an undisturbed
fetch, pages paid for twice, and whether the rows are the same.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from tests.fakes.x_api import FakeX
from tests.unit.fetch_kills import killed, undisturbed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        with FakeX("full") as fake:
            rows, seconds = undisturbed(fake, Path(folder) / "plain")
            pages = sum(one.path.endswith("/tweets") for one in fake.requests)
            cost = fake.ledger()["cost_usd"]
        print(f"undisturbed: {len(rows):,} rows, {pages} pages, ${cost:.2f}, {seconds:.1f} s")
        left, repeated, wrong, same, fetches, asked = given.kills, 0, 0, True, 0, 0
        while left > 0:
            fetches += 1
            with FakeX("full") as fake:
                home = Path(folder) / f"home-{fetches}"
                found = killed(fake, home, chance, left, seconds / 3)
                deduplicated = fake.ledger()["deduplicated"]
            left -= found.kills
            repeated += found.repeated
            wrong += len(found.wrongly_repeated)
            asked += found.pages
            same = same and found.rows == rows
            print(
                f"fetch {fetches}: {found.kills} kills, {found.pages} pages, "
                f"{found.repeated} asked for again while in flight, {deduplicated} posts given "
                f"twice, ${found.cost_usd:.2f}, rows the same: {found.rows == rows}"
            )
        print(
            f"{given.kills - left} kills in {fetches} fetches: rows the same: {same}; "
            f"pages paid twice beyond the one in flight: {wrong}; in flight: {repeated}; "
            f"requests {asked / (pages * fetches):.2f} of undisturbed"
        )


if __name__ == "__main__":
    main()
