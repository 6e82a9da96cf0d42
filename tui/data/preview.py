"""The preview in Add tweets: what a typed path or account holds, read in the background."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import Interrupted, MynahError
from core.home import Home
from core.safe_text import printable
from tui.data.paths import paths_in
from tui.job import Attempt, Host, Job, Report
from tui.text.import_reasons import reasons_in_words
from tui.text.numbers import day, plural

if TYPE_CHECKING:
    from core.fetching.estimate import FetchEstimate
    from core.sources.preview import Preview

Line = tuple[str, str]  # words and style

_NAMED: Final = 2  # accounts that are named; the rest is a number


@dataclass
class Previewed(Report):
    """What ``text`` stands for: files (``ready``), an account (``estimate``), or neither yet.

    ``named`` asks for a handle: "must" where nothing names one, "may" where only a number does.
    ``undated`` asks how dates are written.
    """

    text: str
    lines: list[Line]
    preview: list[str] = field(default_factory=list)
    notes: list[Line] = field(default_factory=list)
    ready: bool = False
    named: str = ""
    guessed: bool = False
    undated: bool = False
    estimate: FetchEstimate | None = None


class PreviewJob(Job):
    """Reports Previewed, again and again while files are counted; the newest start wins."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "previewing what to add", newest_wins=True)

    def run(self, text: str, encoding: str | None, date_format: str | None) -> None:
        """Preview the paths or the account in ``text``; nothing is written, asked of X or paid."""
        home = self._host.state.home

        def work(attempt: Attempt) -> Report | None:
            if is_account(text):
                return _account(text, home)
            paths = paths_in(text)
            missing = [path for path in paths if not path.exists()]
            if not paths:
                return Previewed(text, [])
            if missing:
                which = f": {missing[0].name}" if len(paths) > 1 else ""
                return Previewed(text, [(f"There is nothing at that path yet{which}.", "dim")])
            if len(paths) == 1:
                return _file(attempt, text, paths[0], encoding, date_format)
            return _files(attempt, text, paths)

        self.start(work)


def is_account(text: str) -> bool:
    """Whether what was typed means an account of X, and not a path."""
    words = text.strip()
    return words.startswith("@") and not Path(words).exists()


def _file(
    attempt: Attempt, text: str, path: Path, encoding: str | None, date_format: str | None
) -> Report | None:
    """What one file holds, and its first tweets as they will be stored, while it is read."""
    from core.sources.preview import preview
    from core.sources.source import DatesUnclear

    def show(seen: Preview) -> None:
        attempt.report(
            Previewed(
                text,
                lines_of(seen),
                rows_of(seen),
                notes_of(seen),
                ready=True,
                named="must" if seen.needs_handle else "may" if seen.number else "",
                guessed=seen.guessed or encoding is not None,
                undated=seen.dates_unread > 0 or date_format is not None,
            )
        )

    try:
        preview(
            path,
            encoding=encoding,
            date_format=date_format,
            show=show,
            cancelled=attempt.cancelled,
        )
    except Interrupted:
        raise
    except MynahError as error:
        lines = _error_lines(error)
        undated = isinstance(error, DatesUnclear) or date_format is not None
        if isinstance(error, DatesUnclear):
            lines = [(error.what, "bold"), (f"{error.why} Type it above.", "")]
        return Previewed(text, lines, guessed=encoding is not None, undated=undated)
    return None


def _files(attempt: Attempt, text: str, paths: list[Path]) -> Report:
    """A line for each of several files."""
    from core.sources.preview import preview

    lines: list[Line] = []
    ready = True
    for path in paths:
        try:
            seen = preview(path, cancelled=attempt.cancelled)
        except Interrupted:
            raise
        except MynahError as error:
            ready = False
            lines += _error_lines(error)
        else:
            lines.append(short_line_of(seen))
            if seen.needs_handle:
                ready = False
                words = f"{path.name} does not say whose it is: add it by itself."
                lines.append((words, "bold"))
        attempt.report(Previewed(text, list(lines)))
    return Previewed(text, lines, ready=ready)


def _account(text: str, home: Home) -> Report:
    """What a fetch would cost at most."""
    from core.fetching.estimate import estimate_fetch
    from core.fetching.token import find_token

    if len(text.strip()) < 2:
        return Previewed(text, [])
    try:
        token = find_token(home)
        estimate = estimate_fetch(home, text, token=token)
    except MynahError as error:
        return Previewed(text, _error_lines(error))
    lines: list[Line] = [
        (
            f"At most {estimate.posts_at_most:,} posts in {estimate.pages_at_most:,} pages, "
            f"at most ${estimate.cost_usd:,.2f} (prices of {estimate.price_date}).",
            "bold",
        ),
    ]
    if estimate.already_here:
        here = plural(estimate.already_here, "post")
        verb = "was" if estimate.already_here == 1 else "were"
        lines.append((f"{here} {verb} fetched before and will not be paid for again.", ""))
    if token is None:
        lines.append(
            ("No X API token: set MYNAH_X_TOKEN, or run mynah fetch --save-token.", "bold")
        )
    else:
        lines.append((f"Token: from the {token.where}. enter pays and fetches.", ""))
    lines += [("", ""), *((notice, "dim") for notice in estimate.notices)]
    return Previewed(text, lines, estimate=estimate if token is not None else None)


def _error_lines(error: MynahError) -> list[Line]:
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


def short_line_of(seen: Preview) -> Line:
    """The same for one file of several."""
    encoding = f" · {seen.encoding}" if seen.encoding else ""
    return (f"{seen.path.name}: {seen.title} · {_counted(seen)}{encoding}", "")


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
