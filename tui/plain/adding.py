"""Add tweets in the plain mode: a path or an account, what it would bring in, and a yes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused, MynahError, WrongUsage
from core.files import is_there
from core.handles import normal_handle
from core.numbers import plural
from core.sources.source import DatesUnclear, TextMissing, reasons_in_words
from core.workflow.several import files_at
from tui.cli.long_work import Stopped
from tui.plain.columns import name_columns, name_text
from tui.plain.console import Back, Console
from tui.plain.session import Session, Tell
from tui.text.numbers import usd
from tui.text.paths import paths_in
from tui.text.previews import is_account, lines_of, lines_of_fetch, notes_of, rows_of

if TYPE_CHECKING:
    from core.corpus.importing import ImportProgress, ImportResult
    from core.fetching.estimate import FetchEstimate
    from core.fetching.outcome import FetchProgress
    from core.sources.preview import Preview

_HELP: Final = (
    "A path is that of an archive of X, Mastodon or Bluesky (a zip or a folder), or of a file of "
    "tweets: CSV, JSON, Parquet. Several paths stand on one line with a space between; those with "
    "spaces in quotation marks. @ and a name asks what it would cost to fetch the posts of that "
    "account from the X API. Nothing is stored or paid before you have said yes."
)


@dataclass
class _How:
    """What a person adds where a file does not say it."""

    handle: str | None = None
    encoding: str | None = None
    date_format: str | None = None
    columns: dict[str, str] = field(default_factory=dict)


class _OtherColumns(Exception):
    """The person wants to say which column is which."""


def add_tweets(session: Session) -> None:
    """Asks for a path or an account, says what it holds, and brings it in after a yes."""
    typed = session.console.ask(
        "Which archive or file holds the tweets? Type its path, or @ and the name of an account "
        "to fetch from X.",
        _HELP,
    )
    if is_account(typed):
        _fetch(session, typed)
        return
    paths = [file for path in paths_in(typed) for file in files_at(path)]
    missing = [path for path in paths if not is_there(path)]
    if missing:
        raise InputRefused(f"There is nothing at {missing[0]}.", "", "Check the path.")
    for path in paths:
        _add_file(session, path)


def add_samples(session: Session) -> None:
    """The three invented authors that ship with mynah."""
    from core.workflow.data import sample_archives

    session.console.say("Bringing in three invented authors.")
    _import(session, sample_archives(), _How())


def _add_file(session: Session, path: Path) -> None:
    console, how = session.console, _How()
    legible = False
    while True:
        seen = _preview(session, path, how)
        _say_preview(session, seen)
        while not legible and seen.guessed and not console.yes("Do these words look right?"):
            how.encoding = console.ask(
                "Which encoding is it? For example mac-roman, latin-1 or utf-16.",
                "The encoding says which letters the bytes of the file stand for.",
            )
            seen = _preview(session, path, how)
            _say_preview(session, seen)
        legible, how.handle = True, None
        try:
            if seen.needs_handle:
                why = "The file does not say whose tweets these are."
                how.handle = _whose(session, why, table=seen.table)
            elif seen.number and console.yes(
                "The file names the account by a number only. Name it?"
            ):
                how.handle = _whose(session, "")
            if _agrees(console, table=seen.table):
                _import(session, [path], how)
            else:
                console.say("Nothing was brought in.")
        except _OtherColumns:
            how.columns = name_columns(console, path, how.encoding, how.columns)
        else:
            return


def _agrees(console: Console, *, table: bool) -> bool:
    if not table:
        return console.yes("Bring them in?")
    while True:
        typed = console.ask(
            "Bring them in? Type yes, no, or columns to say which column is which."
        ).lower()
        if typed in ("yes", "y", "no", "n"):
            return typed.startswith("y")
        if typed == "columns":
            raise _OtherColumns
        console.say(f"{typed} is neither yes nor no nor columns.")


def _preview(session: Session, path: Path, how: _How) -> Preview:
    """What the file holds; asks how dates are written, and which column is the text, where that is
    not clear."""
    from core.sources.preview import preview

    def look(tell: Tell, stopped: Stopped) -> Preview:
        def show(seen: Preview) -> None:
            if not seen.counted:
                tell(f"Looked at {plural(seen.tweets, 'tweet')} so far.")

        return preview(
            path,
            encoding=how.encoding,
            date_format=how.date_format,
            columns=how.columns,
            show=show,
            cancelled=stopped,
        )

    console = session.console
    while True:
        try:
            return session.work(look)
        except TextMissing as error:
            console.say(f"{error.what} {error.why}")
            how.columns = name_text(console, path, how.encoding, how.columns)
        except DatesUnclear as error:
            console.say(f"{error.what} {error.why}")
            how.date_format = console.ask(
                "How are its dates written? Type day-first, month-first, or a form such as "
                "%d.%m.%y.",
                "%d stands for the day, %m for the month, %y or %Y for the year, %H:%M for the "
                "time.",
            )
        except (InputRefused, WrongUsage) as error:
            if not how.columns:
                raise
            console.say(str(error))
            if not console.yes("Choose other columns?"):
                raise Back from None
            how.columns = name_columns(console, path, how.encoding, how.columns)


def _say_preview(session: Session, seen: Preview) -> None:
    console = session.console
    console.say(f"{seen.path.name}:", *(f"{line}." for line, _ in lines_of(seen)))
    if seen.rows:
        console.say("Its first tweets:")
        console.numbered(" ".join(row.split()) for row in rows_of(seen))
    console.say(*(note for note, _ in notes_of(seen)))


def _whose(session: Session, why: str, *, table: bool = False) -> str:
    columns = ", or columns to say which column names it" if table else ""
    while True:
        question = f"{why} Type the name of the account, as in @nasa{columns}.".strip()
        typed = session.console.ask(question)
        if table and typed.lower() == "columns":
            raise _OtherColumns
        try:
            return normal_handle(typed)
        except MynahError as error:
            session.console.say(str(error))


def _import(session: Session, paths: list[Path], how: _How) -> None:
    from core.workflow.data import import_paths

    def bring_in(tell: Tell, stopped: Stopped) -> list[ImportResult]:
        def moved(now: ImportProgress) -> None:
            of = f" of {now.total:,}" if now.total else ""
            tell(f"{now.phase.capitalize()} {now.path.name}: {now.read:,}{of} so far.")

        return import_paths(
            session.home,
            paths,
            handle=how.handle,
            encoding=how.encoding,
            date_format=how.date_format,
            columns=how.columns,
            progress=moved,
            cancelled=stopped,
        )

    session.counts()
    before = list(session.state.chosen)
    results = session.work(bring_in)
    for warning in dict.fromkeys(warning for result in results for warning in result.warnings):
        session.console.say(f"Warning: {warning}")
    for result in results:
        session.console.say(_what_came_in(result))
    _say_not_chosen(session, before, [one.handle for one in results if one.new])


def _say_not_chosen(session: Session, before: list[str], came: list[str]) -> None:
    """What comes in beside accounts that are chosen makes no blend of them by itself."""
    session.state.chosen = before  # of nobody it becomes all of them
    new = [handle for handle in dict.fromkeys(came) if handle not in before] if before else []
    if new:
        are = "is" if len(new) == 1 else "are"
        session.console.say(
            f"{' and '.join(f'@{one}' for one in new)} {are} here, and not chosen yet. Choose the "
            "accounts to work with, in Data, changes that."
        )


def _what_came_in(result: ImportResult) -> str:
    known = f", {result.duplicates:,} known before" if result.duplicates else ""
    updated = f", {result.updated:,} updated" if result.updated else ""
    left_out = f" Left out: {reasons_in_words(result.skipped)}." if result.skipped else ""
    return (
        f"@{result.handle}: {plural(result.read, 'tweet')} read, {result.new:,} "
        f"new{updated}{known}.{left_out}"
    )


def _fetch(session: Session, typed: str) -> None:
    from core.fetching.engine import fetch
    from core.fetching.estimate import estimate_fetch
    from core.fetching.outcome import FetchResult
    from core.fetching.token import find_token

    console = session.console
    estimate = estimate_fetch(session.home, typed, token=find_token(session.home))
    console.say(*(line for line, _ in lines_of_fetch(estimate) if line))
    if estimate.token is None:
        raise Back
    budget = _budget(session, estimate)
    most = usd(budget) if budget is not None else usd(estimate.cost_usd)
    if not console.yes(f"Fetch, and pay at most {most}?"):
        console.say("Nothing was fetched and nothing was paid.")
        return

    session.counts()
    before = list(session.state.chosen)

    def work(tell: Tell, stopped: Stopped) -> FetchResult:
        def moved(now: FetchProgress) -> None:
            waits = f" It waits: {now.why}." if now.why else ""
            tell(
                f"{now.posts:,} of at most {now.posts_at_most:,} posts, "
                f"{usd(now.cost_usd, 3)} so far.{waits}"
            )

        return fetch(session.home, estimate, budget=budget, progress=moved, cancelled=stopped)

    try:
        result = session.work(work)
    except MynahError as error:
        nothing = FetchResult(estimate.handle, stopped_by="refused")
        result = getattr(error, "result", None) or nothing
        console.say(str(error))
    console.say(*(f"Warning: {note}" for note in result.notes))
    rest = " No more fits into that budget." if result.stopped_by == "budget" else ""
    if not result.complete and (result.pages or result.stopped_by != "refused"):
        rest += " Fetching the account again goes on from there."
    console.say(
        f"@{result.handle}: {result.new:,} new of {plural(result.posts, 'post')} for "
        f"{usd(result.cost_usd, 3)}.{rest}"
    )
    _say_not_chosen(session, before, [result.handle] if result.new else [])


def _budget(session: Session, estimate: FetchEstimate) -> float | None:
    """The most that a person wants to spend; None for the price that was said."""
    given = session.console.number(
        "How many dollars may it cost at most?", 0, 1e6, default=round(estimate.cost_usd, 2)
    )
    return None if given >= round(estimate.cost_usd, 2) else given
