"""Whose tweets the app works with, and how many: a few words in the line at the top."""

from __future__ import annotations

from rich.text import Text

from core.numbers import plural
from core.safe_text import printable
from tui.state import State
from tui.text.numbers import short_count


def whereabouts(state: State) -> Text:
    """``2 of 3 accounts · 6.4k tweets``: the one selection that every section uses."""
    if state.accounts is None:
        return Text("")
    if not state.accounts:
        return Text("no tweets yet")
    if not state.chosen:
        return Text("no account chosen")
    counted = {account.handle: account.tweets for account in state.accounts}
    tweets = sum(counted.get(handle, 0) for handle in state.chosen)
    if len(state.chosen) == 1:
        who = "@" + printable(state.chosen[0])
        if len(who) > 24:
            who = who[:23] + "…"
    elif len(state.chosen) == len(state.accounts):
        who = plural(len(state.accounts), "account")
    else:
        who = f"{len(state.chosen)} of {plural(len(state.accounts), 'account')}"
    return Text(f"{who} · {short_count(tweets)} tweets", no_wrap=True)
