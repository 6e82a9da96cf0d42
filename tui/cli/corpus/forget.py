"""``mynah forget``: remove an account or a tweet, and mark what was made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handles
from core.home import Home
from tui.cli.options import home_option, json_option
from tui.cli.output import emit, emit_json, narrate

if TYPE_CHECKING:
    from core.forgetting import Forgotten

# what went outside the corpus, by ``Forgotten.files``
OUTSIDE = {
    "fetched_pages": "what was fetched and waited to be stored ({n:,} pages)",
    "samples": "samples that copy it ({n:,})",
    "favourites": "favourites that copy it ({n:,})",
    "settings": "the app's choice of it",
}


@click.command()
@click.argument("handles", metavar="[HANDLE]...", nargs=-1)
@click.option("--tweet", "tweet_id", metavar="ID", help="Forget this one tweet instead.")
@json_option
@home_option
def forget(handles: tuple[str, ...], tweet_id: str | None, as_json: bool, home: Home) -> None:
    """Remove accounts, or one tweet, from the corpus for good.

    One tweet does not come back with the next import or fetch, unless it is told `--include
    forgotten`; an account that is imported again starts over. Runs made from them stay as they are
    and are marked as stale; the command names them.
    """
    from core.corpus.store import Corpus
    from core.forgetting import forget as forget_rows

    of = normal_handles(list(handles))
    if bool(of) == bool(tweet_id):
        raise WrongUsage("Name accounts, or one tweet with --tweet ID.")
    gone = forget_rows(Corpus(home.corpus), home, handles=of, tweet_id=tweet_id)
    if as_json:
        emit_json(gone.to_json())
    else:
        _say(gone, of, tweet_id)
    if not gone.compacted:
        raise InputRefused(
            f"The rows are deleted, but what they said is still inside {home.corpus}.",
            gone.not_compacted,
            "Close what uses the file, see that the disk has room, and run the same command again.",
        )


def _say(gone: Forgotten, of: list[str], tweet_id: str | None) -> None:
    what = ", ".join(f"@{handle}" for handle in of) or f"tweet {tweet_id}"
    emit(f"Forgot {what}: {gone.tweets:,} {'tweet' if gone.tweets == 1 else 'tweets'}.")
    for kind, words in OUTSIDE.items():
        if gone.files.get(kind):
            narrate(f"Also gone: {words.format(n=gone.files[kind])}.")
    for run, held in gone.runs.items():
        of_these = f"{held:,} of these tweets" if held else "these tweets"
        narrate(f"▲ Run {run} is stale: its dataset and model were made with {of_these}.")
    for run, places in gone.published.items():
        narrate(f"▲ So is what was made of it: {', '.join(places)}.")
        if any(place.startswith("http") for place in places):
            narrate(f"`mynah publish {run} --unpublish` takes it back from the hub.")
    if gone.runs:
        narrate("Delete a stale run's folder, or train again, to be rid of them there too.")
