"""``mynah exclude``: tweets that no model learns, though they stay in the corpus."""

from __future__ import annotations

import click

from core.errors import WrongUsage
from core.home import Home
from core.numbers import plural
from core.safe_text import printable
from tui.cli.long_work import with_progress
from tui.cli.options import home_option, json_option
from tui.cli.output import emit, emit_json, narrate


@click.command()
@click.argument("tweet_ids", metavar="[ID]...", nargs=-1)
@click.option("--undo", is_flag=True, help="Take them back into training.")
@json_option
@home_option
def exclude(tweet_ids: tuple[str, ...], undo: bool, as_json: bool, home: Home) -> None:
    """Leave single tweets out of training, whatever the recipe; without an ID, list them.

    They stay in the corpus, and `mynah stats` counts them as excluded. `mynah forget --tweet ID`
    removes one for good.
    """
    from core.corpus.excluded import excluded_tweets
    from core.corpus.store import Corpus
    from core.workflow.data import exclude as exclude_them

    if undo and not tweet_ids:
        raise WrongUsage("Name the tweets to take back.", "", "`mynah exclude` lists them.")
    if tweet_ids:
        changed = with_progress(
            lambda note, _: exclude_them(
                home,
                tweet_ids,
                undo=undo,
                progress=lambda done, total: note(f"judging: {done:,} of {total:,} tweets"),
            )
        )
        how = "taken back into training" if undo else "left out of training"
        narrate(f"{plural(changed, 'tweet')} {how}.")
    left_out = excluded_tweets(Corpus(home.corpus))
    if as_json:
        emit_json([{"handle": handle, "tweet_id": tweet_id} for handle, tweet_id in left_out])
    elif not tweet_ids:
        for handle, tweet_id in left_out:
            emit(f"@{handle}  {printable(tweet_id)}")
        if not left_out:
            narrate("No tweet is left out of training.")
