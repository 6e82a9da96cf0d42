"""What stands where no tweets are to be seen: why not, and the key that brings some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.actions import with_keys
from tui.state import State

if TYPE_CHECKING:
    from core.workbench.view import Which

# In Data itself.
NO_TWEETS_HERE: Final = (
    "No tweets yet. Press {data.add} to add an archive, or {data.samples} to try the three sample "
    "authors."
)
NO_TWEETS: Final = (
    "No tweets yet. Press {app.data}, then {data.add} to add an archive, or {data.samples} for the "
    "sample authors."
)
NO_ACCOUNT_HERE: Final = "No account is chosen. Under Accounts, {data.mark} chooses one."
NO_ACCOUNT: Final = (
    "No account is chosen. Press {app.data}; under Accounts, {data.mark} chooses one."
)

NO_CHANGE: Final = "Nothing: this recipe changes no tweet here."


def no_match(which: Which) -> str:
    """Of a search among all tweets, or only among some of them."""
    return "No tweet matches." if which == "all" else f"No {which} tweet matches."


def why_no_tweets(state: State, *, in_data: bool = False) -> str:
    """Empty where there are tweets of chosen accounts, or nobody knows yet."""
    if state.accounts is None or state.chosen:
        return ""
    if state.accounts:
        words = NO_ACCOUNT_HERE if in_data else NO_ACCOUNT
    else:
        words = NO_TWEETS_HERE if in_data else NO_TWEETS
    return with_keys(words, state.keymap)
