"""``mynah accounts``: who is in the corpus."""

from __future__ import annotations

import click

from core.home import Home
from tui.cli.options import home_option, json_option
from tui.cli.output import emit_json, narrate
from tui.cli.paging import emit_table


@click.command()
@json_option
@home_option
def accounts(as_json: bool, home: Home) -> None:
    """Who is in the corpus, and how much of each."""
    from core.corpus.reading import accounts as read_accounts
    from core.corpus.store import Corpus

    found = read_accounts(Corpus(home.corpus))
    if as_json:
        emit_json([account.to_json() for account in found])
    elif not found:
        narrate("No tweets yet. `mynah import PATH` brings some in, `mynah demo` brings samples.")
    else:
        rows = [
            [f"@{a.handle}", a.name, a.tweets, a.first and f"{a.first:%Y-%m-%d}",
             a.last and f"{a.last:%Y-%m-%d}", ", ".join(a.sources)]
            for a in found
        ]  # fmt: skip
        emit_table(["account", "name", "tweets", "first", "last", "from"], rows, right=(2,))
