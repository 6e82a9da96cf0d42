"""``mynah stats``: how many tweets a recipe keeps, and why not the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.handles import normal_handles
from core.home import Home
from tui.cli.long_work import Stopped, with_progress
from tui.cli.options import home_option, json_option, recipe_option
from tui.cli.output import ProgressNote, emit_json, narrate
from tui.cli.paging import emit_table

if TYPE_CHECKING:
    from core.curation.counts import AccountStats


@click.command()
@click.argument("handles", metavar="[HANDLE]...", nargs=-1)
@recipe_option
@json_option
@home_option
def stats(handles: tuple[str, ...], recipe: str, as_json: bool, home: Home) -> None:
    """How many tweets of each account a recipe keeps, and why not the others.

    Without a handle: of everybody. downloaded = retweets + short + the other reasons + kept.
    """
    from core.curation.counts import total_stats
    from core.runs.advise import advise, in_words
    from core.workflow.data import stats as count_stats

    def work(note: ProgressNote, stopped: Stopped) -> list[AccountStats]:
        def progress(what: str, done: int, total: int) -> None:
            note(f"{what}: {done:,} of {total:,} tweets · ctrl+c stops")

        of = normal_handles(list(handles))
        return count_stats(home, of, recipe, progress=progress, cancelled=stopped)

    found = with_progress(work)
    if as_json:
        emit_json([one.to_json() for one in found])
        return
    reasons = sorted({reason for one in found for reason in one.dropped})
    names = ["downloaded", "retweets", "short", *reasons, "kept", "characters", "tokens"]
    lines = [(f"@{one.handle}", one) for one in found]
    if len(found) > 1:
        lines.append(("all", total_stats(found)))
    rows = [
        [name, one.downloaded, one.retweets, one.short,
         *(one.dropped.get(reason, 0) for reason in reasons), one.kept, one.kept_chars,
         f"about {one.tokens:,}" if one.tokens_about else one.tokens]
        for name, one in lines
    ]  # fmt: skip
    header = ["account", *(name.replace("_", " ") for name in names)]
    emit_table(header, rows, right=range(1, len(header)))
    for one in found:
        for warning in one.warnings:
            narrate(f"▲ @{one.handle}: {warning}")
    total = total_stats(found)
    if total.kept:
        narrate(in_words(advise(home, kept=total.kept, tokens=total.tokens)))
