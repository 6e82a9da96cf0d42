"""``mynah forget``: remove an account or a tweet, and mark what was made of it."""

from __future__ import annotations

import click

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handles
from core.home import Home
from tui.cli.asking import ask_first
from tui.cli.options import home_option, json_option, yes_option
from tui.cli.output import emit, emit_json, narrate


@click.command()
@click.argument("handles", metavar="[HANDLE]...", nargs=-1)
@click.option("--tweet", "tweet_id", metavar="ID", help="Forget this one tweet instead.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@yes_option
@json_option
@home_option
def forget(
    handles: tuple[str, ...],
    tweet_id: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Remove accounts, or one tweet, from the corpus for good.

    It says what goes and what becomes stale, and asks. One tweet does not come back with the next
    import or fetch, unless that is told `--include forgotten`; an account that is imported again
    starts over. Runs made from them stay as they are and are marked as stale; `mynah train --again
    RUN` makes one anew of what is left.
    """
    from core.corpus.store import Corpus
    from core.forgetting import forget as forget_rows
    from tui.text.forgetting import subject, what_becomes_stale, what_goes, what_to_do

    of = normal_handles(list(handles))
    # an empty ID, as of a variable that is not set, must not make it the whole account
    if bool(of) == (tweet_id is not None) or tweet_id == "":
        raise WrongUsage("Name accounts, or one tweet with --tweet ID.")
    corpus = Corpus(home.corpus)
    if dry_run or not yes:
        would = forget_rows(corpus, home, handles=of, tweet_id=tweet_id, dry_run=True)
        if dry_run and as_json:
            emit_json(would.to_json())
            return
        say = emit if dry_run else narrate
        for line in what_goes(would, would=True):
            say(line)
        for line in what_becomes_stale(would, would=True):
            say(f"▲ {line}")
        if dry_run:
            narrate("Nothing was forgotten: this was a dry run.")
            return
        ask_first(f"Forget {subject(would)} for good?", otherwise="Nothing was forgotten.")
    gone = forget_rows(corpus, home, handles=of, tweet_id=tweet_id)
    if as_json:
        emit_json(gone.to_json())
    else:
        first, *more = what_goes(gone, would=False)
        emit(first)
        for line in more:
            narrate(line)
        for line in what_becomes_stale(gone, would=False):
            narrate(f"▲ {line}")
        for line in what_to_do(gone):
            narrate(line)
    if not gone.compacted:
        raise InputRefused(
            f"The rows are deleted, but what they said is still inside {home.corpus}.",
            gone.not_compacted,
            "Close what uses the file, see that the disk has room, and run the same command again.",
        )
