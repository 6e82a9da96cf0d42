"""``mynah compare``: two recipes on the same tweets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.handles import normal_handles
from core.home import Home
from core.numbers import plural
from tui.cli.long_work import Stopped, with_progress
from tui.cli.options import home_option, json_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate, table
from tui.cli.paging import emit_table

if TYPE_CHECKING:
    from core.workbench.comparison import Comparison
    from core.workbench.view import TweetRow


@click.command()
@click.argument("first", metavar="RECIPE")
@click.argument("second", metavar="RECIPE")
@click.argument("handles", metavar="[HANDLE]...", nargs=-1)
@click.option(
    "--tweets",
    "shown",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    help="Also the newest N tweets on which they differ.",
)
@json_option
@home_option
def compare(
    first: str,
    second: str,
    handles: tuple[str, ...],
    shown: int,
    as_json: bool,
    home: Home,
) -> None:
    """What two recipes (names or files) keep of the same tweets, and on how many they differ.

    Without a handle: of everybody. They differ on a tweet when only one recipe keeps it, when
    both drop it for different reasons, or when both keep it in different words.
    """
    from core.workflow.data import compare_recipes

    def work(note: ProgressNote, stopped: Stopped) -> Comparison:
        def progress(done: int, total: int) -> None:
            note(f"comparing: {done:,} of {total:,} tweets · ctrl+c stops")

        of = normal_handles(list(handles))
        return compare_recipes(home, of, first, second, progress=progress, cancelled=stopped)

    found = with_progress(work)
    differing = [found.rows[at] for at in range(min(shown, len(found.rows)))]
    if as_json:
        emit_json(_json(found) | {"tweets": [_pair(pair.a, pair.b) for pair in differing]})
        return
    if not differing:
        emit(_table(found))
    else:
        names = found.a.recipe.name, found.b.recipe.name
        rows = [[f"@{p.a.handle}", _word(p.a), _word(p.b), p.a.published] for p in differing]
        above = f"{_table(found)}\n\n"
        emit_table(["account", *names, "tweet"], rows, widest=80, above=above)
    narrate(_summary(found))


def _table(found: Comparison) -> str:
    from core.curation.reasons import REASON_TITLES, REASONS

    a, b = found.a.total, found.b.total
    rows: list[list[object]] = [["tweets", a.downloaded, b.downloaded, ""]]
    counts = [{"retweet": one.retweets, "short": one.short, **one.dropped} for one in (a, b)]
    for reason in REASONS:
        left, right = (count.get(reason, 0) for count in counts)
        if left or right:
            rows.append([REASON_TITLES[reason].lower(), left, right, _signed(right - left)])
    rows.append(["kept", a.kept, b.kept, _signed(b.kept - a.kept)])
    rows.append(["characters", a.kept_chars, b.kept_chars, _signed(b.kept_chars - a.kept_chars)])
    names = [found.a.recipe.name, found.b.recipe.name]
    several = plural(len(found.a.stats), "account")
    who = f"@{found.a.stats[0].handle}" if len(found.a.stats) == 1 else several
    return table([who, *names, "difference"], rows, right=(1, 2, 3))


def _signed(number: int) -> str:
    """With the minus of ASCII, which other programs read."""
    return f"{number:+,}" if number else ""


def _word(tweet: TweetRow) -> str:
    return "kept" if tweet.kept else tweet.reason or ""


def _summary(found: Comparison) -> str:
    a, b = found.a.recipe.name, found.b.recipe.name
    if not len(found.rows):
        return f"{a} and {b} say the same of every tweet."
    parts = [
        (found.only_a, f"only {a} keeps"),
        (found.only_b, f"only {b} keeps"),
        (found.other_words, "both keep in different words"),
        (found.other_reason, "both drop for different reasons"),
    ]
    differences = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f"They differ on {len(found.rows):,} tweets: {differences}."


def _json(found: Comparison) -> dict[str, Any]:
    """Both recipes with the counts of ``stats --json``, and on how many tweets they differ."""
    return {
        "recipes": [
            {
                "recipe": one.recipe.name,
                "recipe_hash": one.recipe.hash,
                "accounts": [stats.to_json() for stats in one.stats],
                "all": one.total.to_json(),
            }
            for one in (found.a, found.b)
        ],
        "differ": len(found.rows),
        "only_first": found.only_a,
        "only_second": found.only_b,
        "different_words": found.other_words,
        "different_reasons": found.other_reason,
    }


def _pair(a: TweetRow, b: TweetRow) -> dict[str, Any]:
    verdicts = [
        {"kept": one.kept, "reason": one.reason, "trigger": one.trigger, "text": one.clean_text}
        for one in (a, b)
    ]
    return {
        "tweet_id": a.tweet_id,
        "handle": a.handle,
        "raw_text": a.text,
        "verdicts": verdicts,
    }
