"""``mynah fetch``: posts from the X API, after saying what they cost."""

from __future__ import annotations

import sys
import threading
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from core.errors import Interrupted, MynahError, WrongUsage
from core.handles import normal_handles
from core.home import Home
from core.numbers import plural
from tui.cli.asking import ask_first
from tui.cli.long_work import stoppable
from tui.cli.options import FiniteRange, home_option, json_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate, table
from tui.text.numbers import clock, usd

if TYPE_CHECKING:
    from core.fetching.estimate import FetchEstimate
    from core.fetching.outcome import FetchProgress, FetchResult


@click.command()
@click.argument("handles", metavar="[HANDLE]...", nargs=-1)
@click.option("--max", "max_posts", type=click.IntRange(1), metavar="N",
              help="At most N posts of each account.")  # fmt: skip
@click.option("--budget", type=FiniteRange(0), metavar="USD",
              help="Never spend more than this, for all accounts together.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Pay without asking again.")
@click.option("--estimate", is_flag=True,
              help="Say what it would cost and stop. With --yes X is asked how many posts there "
                   "are, which costs a user read, or two with a user's token.")  # fmt: skip
@click.option("--api-url", metavar="URL", help="Where the API is (or MYNAH_X_API_URL).")
@click.option("--save-token", is_flag=True,
              help="Ask for a token, or read it from a pipe, and store it.")  # fmt: skip
@click.option("--forget-token", is_flag=True, help="Take the stored token away.")
@json_option
@home_option
def fetch(
    handles: tuple[str, ...],
    max_posts: int | None,
    budget: float | None,
    yes: bool,
    estimate: bool,
    api_url: str | None,
    save_token: bool,
    forget_token: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Fetch the posts of accounts from the X API, which charges for each.

    What it costs at most is said first, and nothing is paid without a yes. Each page is stored at
    once: stopped at any moment, the same command goes on where it was and pays nothing twice. The
    token comes from MYNAH_X_TOKEN, the keyring, or a file in the home that only you can read.
    """
    if save_token and forget_token:
        raise WrongUsage("--save-token and --forget-token do not go together.")
    if save_token or forget_token:
        _change_token(home, save_token, handles)
        return
    names = normal_handles(list(handles))
    if not names:
        raise WrongUsage("Name at least one account.", "", "For example: mynah fetch nasa")
    from core.fetching.estimate import estimate_fetch
    from core.fetching.token import find_token

    token = find_token(home)
    if token is None and not estimate:
        raise WrongUsage(
            "There is no X API token.",
            "X answers nobody without one.",
            "Set MYNAH_X_TOKEN, or store one: mynah fetch --save-token.",
        )
    estimates = [
        estimate_fetch(
            home,
            name,
            max_posts=max_posts,
            api_url=api_url,
            token=token,
            look_up=estimate and yes,
        )
        for name in names
    ]
    if estimate:
        _show_estimate(estimates, as_json)
        return
    _say_costs(estimates, budget)
    if not yes:
        ask_first(
            "Fetch and pay?",
            otherwise="Nothing was fetched. Nothing was paid.",
            agree="Add --yes to agree to what is said above, or --estimate to see it alone.",
        )
    _fetch_each(home, estimates, budget, as_json)


def _change_token(home: Home, save: bool, handles: tuple[str, ...]) -> None:
    from core.fetching.token import remove_token, store_token

    if handles:
        raise WrongUsage(
            "The token is not an argument: others on this machine could read it there.",
            "",
            "mynah fetch --save-token asks for it, or reads it from a pipe.",
        )
    if not save:
        gone = remove_token(home)
        narrate(f"Taken away from: {', '.join(gone)}." if gone else "No token was stored.")
        return
    if sys.stdin.isatty():
        text = click.prompt("X API token (nothing is shown)", hide_input=True, err=True)
    else:
        text = sys.stdin.readline(8192)
    token = store_token(home, text)
    narrate(f"The token is in the {token.where}.")


def _show_estimate(estimates: list[FetchEstimate], as_json: bool) -> None:
    if as_json:
        emit_json([estimate.to_json() for estimate in estimates])
        return
    rows = [
        [f"@{one.handle}", one.posts_expected, one.posts_at_most, one.pages_at_most,
         usd(one.cost_usd), one.already_here]
        for one in estimates
    ]  # fmt: skip
    columns = ["account", "posts expected", "posts at most", "pages", "cost at most", "here"]
    emit(table(columns, rows, right=(1, 2, 3, 4, 5)))
    _say_notices(estimates)


def _say_costs(estimates: list[FetchEstimate], budget: float | None) -> None:
    for one in estimates:
        already = f" Here already: {one.already_here:,}." if one.already_here else ""
        narrate(
            f"@{one.handle}: at most {plural(one.posts_at_most, 'post')} "
            f"({plural(one.pages_at_most, 'full page')}), at most {usd(one.cost_usd)}.{already}"
        )
    if len(estimates) > 1:
        narrate(f"Together at most {usd(sum(estimate.cost_usd for estimate in estimates))}.")
    if budget is not None:
        narrate(f"It stops before it would spend more than {usd(budget)}.")
    _say_notices(estimates)


def _say_notices(estimates: list[FetchEstimate]) -> None:
    narrate(f"Prices of {estimates[0].price_date}, from {estimates[0].price_source}")
    for notice in dict.fromkeys(notice for estimate in estimates for notice in estimate.notices):
        narrate(f"– {notice}")


def _fetch_each(
    home: Home, estimates: list[FetchEstimate], budget: float | None, as_json: bool
) -> None:
    """One account after the other. What one account refuses does not keep the others."""
    stop = threading.Event()
    results: list[FetchResult] = []
    refused: list[MynahError] = []
    try:
        stoppable(lambda: _work(home, estimates, budget, stop, results, refused), stop.set)
    finally:
        _show_results(results, as_json)
    for error in refused[:-1]:
        narrate(f"mynah: {error}")
    if refused:
        raise refused[-1]


def _work(
    home: Home,
    estimates: list[FetchEstimate],
    budget: float | None,
    stop: threading.Event,
    results: list[FetchResult],
    refused: list[MynahError],
) -> None:
    from core.fetching.engine import fetch
    from core.fetching.outcome import FetchInterrupted, XMisunderstood, XRefused

    left = None if budget is None else Decimal(str(budget))
    for estimate in estimates:
        show = _Progress()
        try:
            result = fetch(home, estimate, budget=left, progress=show, cancelled=stop.is_set)
        except (XRefused, XMisunderstood, FetchInterrupted) as error:
            if error.result is None:
                raise
            result = error.result
            if isinstance(error, FetchInterrupted):
                results.append(result)
                raise _how_to_go_on(result, estimates) from None
            if not (isinstance(error, XRefused) and error.about_account):
                results.append(result)
                raise
            refused.append(error)
        finally:
            show.done()
        results.append(result)
        if left is not None:
            left -= Decimal(str(result.cost_usd)) + Decimal(str(result.unsure_usd))


def _how_to_go_on(result: FetchResult, estimates: list[FetchEstimate]) -> Interrupted:
    paid = usd(result.cost_usd, 3)
    kept = (
        f"{plural(result.posts, 'post')} of @{result.handle} for {paid} are here."
        if result.pages
        else "Nothing was fetched yet."
    )
    again = " ".join(estimate.handle for estimate in estimates)
    return Interrupted(
        "The fetch was stopped.",
        kept,
        f"The same command goes on from there and pays nothing twice: mynah fetch {again}",
    )


class _Progress:
    """Progress on one line of a terminal; in a pipe, a line for what makes it wait."""

    def __init__(self) -> None:
        self._note = ProgressNote()
        self._last = ""

    def __call__(self, now: FetchProgress) -> None:
        so_far = (
            f"@{now.handle}: {now.posts:,} of at most {now.posts_at_most:,} posts · "
            f"{usd(now.cost_usd, 3)}"
        )
        left = clock(now.seconds)
        if now.kind == "page":
            self._last = ""
            self._note(f"{so_far} · page {now.pages} · {now.new:,} new · ctrl+c stops")
        elif now.kind == "waiting":
            self._say(f"{now.why}: it goes on in {left}.", f"waiting {now.posts}")
            self._note(f"{so_far} · {now.why}, goes on in {left} · ctrl+c stops")
        elif now.kind == "retrying":
            self._say(f"{now.why}; try {now.attempt} in {left}.", f"{now.why} {now.attempt}")
            self._note(f"{so_far} · {now.why}, try {now.attempt} in {left} · ctrl+c stops")
        elif now.kind == "storing":
            self._say(f"{now.why} The page waits for it.", "storing")
            self._note(f"{so_far} · the corpus is in use, the page waits · ctrl+c stops")

    def _say(self, line: str, about: str) -> None:
        """Once for each reason, where a line that rewrites itself cannot be seen."""
        if about != self._last and not sys.stderr.isatty():
            narrate(line)
        self._last = about

    def done(self) -> None:
        self._note.done()


def _show_results(results: list[FetchResult], as_json: bool) -> None:
    for result in results:
        for note in result.notes:
            narrate(f"▲ @{result.handle}: {note}")
        if result.stopped_by in ("max", "budget", "plan"):
            reason = {"max": "--max", "budget": "--budget", "plan": "the plan"}[result.stopped_by]
            narrate(f"@{result.handle}: stopped by {reason}; the next fetch goes on from there.")
    if as_json:
        emit_json([result.to_json() for result in results])
    elif results:
        rows = [
            [f"@{one.handle}", one.pages, one.posts, one.new, usd(one.cost_usd, 3),
             one.complete, one.resumes_from]
            for one in results
        ]  # fmt: skip
        columns = ["account", "pages", "posts", "new", "cost", "complete", "goes on below"]
        emit(table(columns, rows, right=(1, 2, 3, 4)))
