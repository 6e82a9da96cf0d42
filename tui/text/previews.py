"""What a file or an account would bring in, in lines: the preview before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import MynahError
from core.files import is_there
from core.numbers import plural
from core.safe_text import printable
from core.sources.source import reasons_in_words
from tui.text.columns import mapping_in_words
from tui.text.numbers import day, usd

if TYPE_CHECKING:
    from core.fetching.estimate import FetchEstimate
    from core.sources.preview import Preview

Line = tuple[str, str]  # words and style

_NAMED: Final = 2  # accounts that are named; the rest is a number


def is_account(text: str) -> bool:
    """Whether what was typed means an account of X, and not a path."""
    words = text.strip()
    return words.startswith("@") and not is_there(Path(words))


def lines_of_fetch(estimate: FetchEstimate, pays: str = "") -> list[Line]:
    """What a fetch would cost at most, and whether there is a token to pay with.

    ``pays`` says what a person does to agree.
    """
    token = estimate.token
    lines: list[Line] = [
        (
            f"At most {plural(estimate.posts_at_most, 'post')} in "
            f"{plural(estimate.pages_at_most, 'page')}, "
            f"at most {usd(estimate.cost_usd)} (prices of {estimate.price_date}).",
            "bold",
        ),
    ]
    if estimate.already_here:
        here = plural(estimate.already_here, "post")
        verb = "is" if estimate.already_here == 1 else "are"
        lines.append((f"{here} {verb} here already and will not be paid for again.", ""))
    if token is None:
        lines.append(
            ("No X API token: set MYNAH_X_TOKEN, or run mynah fetch --save-token.", "bold")
        )
    else:
        lines.append((f"Token: from the {token.where}. {pays}".strip(), ""))
    lines += [("", ""), *((notice, "dim") for notice in estimate.notices)]
    return lines


def error_lines(error: MynahError) -> list[Line]:
    return [(error.what, "bold"), (f"{error.why} {error.next_step}".strip(), "")]


def lines_of(seen: Preview) -> list[Line]:
    """Format, account, count, span, encoding, what has no date, what is left out: a line each."""
    lines = [(seen.title, "bold"), (_counted(seen), "")]
    if seen.encoding:
        guess = ", which is a guess: look at the words below" if seen.guessed else ""
        lines.append((f"Encoding {seen.encoding}{guess}", "bold" if seen.guessed else ""))
    else:
        lines.append(("Encoding UTF-8, as always in this format", ""))
    if seen.undated and seen.span:  # else the line above says so
        lines.append((f"Without a date: {plural(seen.undated, 'tweet')}", "bold"))
    if seen.skipped:
        lines.append((f"Left out: {reasons_in_words(seen.skipped)}", ""))
    return lines


def short_line_of(seen: Preview, mapping: Mapping[str, str]) -> Line:
    """The same for one file of several, with what somebody said of its columns."""
    encoding = f" · {seen.encoding}" if seen.encoding else ""
    named = f" · {mapping_in_words(mapping)}" if mapping else ""
    return (f"{seen.path.name}: {seen.title} · {_counted(seen)}{encoding}{named}", "")


def rows_of(seen: Preview) -> list[str]:
    """The first tweets, a line each."""
    return [
        f"{f'{row.created_at:%Y-%m-%d}' if row.created_at else 'no date   '}  "
        f"{row.kind.replace('_', ' '):<8}  {printable(row.text)}"
        for row in seen.rows
    ]


def notes_of(seen: Preview) -> list[Line]:
    """Sentences that are worth reading before the tweets are in."""
    return [(f"{'·' if note.startswith('Reads ') else '▲'} {note}", "") for note in seen.notes]


def _counted(seen: Preview) -> str:
    if seen.needs_handle:
        who = "account not named"
    else:
        named = ", ".join(f"@{handle}" for handle in seen.handles[:_NAMED])
        more = len(seen.handles) - _NAMED
        who = f"{named} and {more:,} more" if more > 0 else named
    many = plural(seen.tweets, "tweet") if seen.tweets or seen.counted else "counting tweets…"
    if seen.tweets and not seen.counted:
        many += " so far…"
    when = ""
    if seen.span:
        first, last = map(day, seen.span)
        when = f" · {first}" if first == last else f" · {first} – {last}"
    elif seen.counted:
        when = " · no dates"
    return f"{who} · {many}{when}"
