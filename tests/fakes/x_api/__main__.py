"""``python -m tests.fakes.x_api --port 8099``: the fake X API as a playground."""

from __future__ import annotations

import argparse
import signal
import threading

from tests.fakes.x_api.control import HELP, account_row
from tests.fakes.x_api.invented import CHOICES, WALKER
from tests.fakes.x_api.server import FakeX


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.x_api", description=__doc__)
    parser.add_argument("--port", type=int, default=8099, help="0 for any free one")
    parser.add_argument("--accounts", choices=sorted(CHOICES), default="full")
    parser.add_argument("--seed", type=int, default=1, help="of what the accounts say")
    parser.add_argument(
        "--rate-limit", metavar="N/SECONDS", help="such as 10/30, in place of X's own numbers"
    )
    parser.add_argument("--credits", type=float, metavar="USD", help="then 402 to everything")
    options = parser.parse_args()
    limit = None
    if options.rate_limit:
        count, _, seconds = options.rate_limit.partition("/")
        limit = (int(count), float(seconds or 900))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with FakeX(
        options.accounts,
        rate_limit=limit,
        credits_usd=options.credits,
        seed=options.seed,
        port=options.port,
    ) as fake:
        print(f"A fake X API is at {fake.url} until Ctrl+C.\n")
        print(f"  token        {fake.token}")
        print(f"  owner token  {fake.owner_token}   (its own posts are owned reads)\n")
        print("Try, in another terminal:\n")
        print(f"  export MYNAH_X_TOKEN={fake.token}")
        print(f"  mynah fetch {WALKER} --api-url {fake.url}")
        print(f'  curl -H "Authorization: Bearer {fake.token}" \\')
        print(f'       "{fake.url}/2/users/by/username/{WALKER}"')
        print(f"  curl {fake.url}/_ledger")
        print(f'  curl -d \'[{{"kind": "html503", "times": 2}}]\' {fake.url}/_faults\n')
        print("Accounts:")
        for account in fake.service.world.accounts.values():
            row = account_row(account)
            notes = " ".join(flag for flag in ("protected", "suspended") if flag in row)
            print(f"  {row['posts']:>6,}  {row['username']}  {notes}".rstrip())
        print(f"\n{HELP}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
