"""What forgetting takes away, in sentences: before it (``would``) and after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.dataset.manifest import HF_NAME
from core.numbers import plural
from core.runs.housekeeping import deleted_id

if TYPE_CHECKING:
    from core.forgetting import Forgotten

# what lies outside the corpus, by ``Forgotten.files``
_OUTSIDE = {
    "fetched_pages": "pages of fetched posts that wait to be stored ({n:,})",
    "samples": "stored samples that copy it ({n:,})",
    "favourites": "favourites that copy it ({n:,})",
    "settings": "that it is chosen in the app",
}
# Tables of mynah's own: what they hold of an account goes without saying.
_OWN = (
    *("accounts", "tweets", "verdicts", "imports", "import_skips"),
    *("fetched_ranges", "forgotten_tweets", "excluded_tweets"),
)


def subject(gone: Forgotten) -> str:
    """``@ann, @bob`` or ``the tweet 123``."""
    return ", ".join(f"@{handle}" for handle in gone.handles) or f"the tweet {gone.tweet_id}"


def what_goes(gone: Forgotten, *, would: bool) -> list[str]:
    """A sentence for each kind of thing; the first says how many tweets."""
    tweets = plural(gone.tweets, "tweet")
    lines = [
        f"Forgetting {subject(gone)} deletes {tweets} from the corpus, for good."
        if would
        else f"Forgot {subject(gone)}: {tweets}."
    ]
    also = [
        words.format(n=gone.files[kind]) for kind, words in _OUTSIDE.items() if gone.files.get(kind)
    ]
    also += [
        f"{plural(rows, 'row')} of your table {table}"
        for table, rows in gone.rows.items()
        if table not in _OWN
    ]
    if also:
        lines.append(f"{'It also deletes' if would else 'Also deleted'}: {'; '.join(also)}.")
    return lines


def what_becomes_stale(gone: Forgotten, *, would: bool) -> list[str]:
    """A sentence for each run, publication and export that was made from the forgotten tweets."""
    lines = []
    becomes = "becomes" if would else "is"
    for run, held in gone.runs.items():
        with_what = f"{held:,} of these tweets" if held else "these tweets"
        name = deleted_id(run)
        where = f"Run {run}" if name is None else f"Run {name}, which lies in the trash,"
        lines.append(f"{where} {becomes} stale: its dataset and model were made with {with_what}.")
    for run, places in gone.published.items():
        lines.append(f"So {becomes} what was made of its model: {', '.join(places)}.")
        if any(place.startswith("http") for place in places):
            lines.append(f"`mynah publish {run} --unpublish` takes it back from the hub.")
    may = "still holds" if gone.handles else "may still hold"
    for place in gone.exports:
        manifest = Path(place)  # beside a file it has the file's name; in a folder it has its own
        what = f"in {manifest.parent}" if manifest.name == HF_NAME else f"of {place}"
        lines.append(f"The export {what} {may} {'them' if gone.tweets != 1 else 'it'}.")
    return lines


def what_to_do(gone: Forgotten) -> list[str]:
    """How these tweets leave the runs, too: a sentence for each run that can be made anew."""
    lines = [f"`mynah train --again {run}` makes that run anew without them." for run in gone.again]
    if gone.runs:
        lines.append(
            "`mynah runs delete RUN`, then `mynah trash empty`, deletes a run with its tweets."
        )
    return lines
