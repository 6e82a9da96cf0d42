"""The section Data of the plain mode: accounts, tweets, imports, forgetting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from core.errors import WrongUsage
from core.numbers import plural
from tui.plain.adding import add_samples, add_tweets
from tui.plain.console import is_number, place_of, several
from tui.plain.menu import Item, browse, menu
from tui.plain.session import Session
from tui.plain.tweets import excluded, forget, search
from tui.text.numbers import ago, day

if TYPE_CHECKING:
    from core.corpus.import_log import ImportRecord
    from core.corpus.reading import AccountRow

_HELP: Final = (
    "Data is what you have brought in. The accounts that you choose here are those that Filter, "
    "Train and Export work with."
)


def data(session: Session) -> None:
    """The menu of the section."""
    menu(session.console, "Data", partial(_items, session), _HELP)


def _items(session: Session) -> list[Item]:
    counts = session.counts()
    items = [Item("Add tweets: a path, or an account of X", partial(add_tweets, session))]
    if not counts:
        items.append(
            Item("Bring in three invented authors, to try it", partial(add_samples, session))
        )
        return items
    from core.workflow.data import sample_archives

    more = []
    if any(path.stem not in counts for path in sample_archives()):
        more.append(Item("Bring in three invented authors, too", partial(add_samples, session)))
    chosen = session.state.chosen
    of = "all" if len(chosen) == len(counts) else f"{len(chosen)} of {len(counts)}"
    return [
        *items,
        Item(f"List the accounts: {plural(len(counts), 'account')}", partial(_accounts, session)),
        Item(f"Choose the accounts to work with: {of} chosen", partial(_choose, session)),
        Item("Search or read tweets", partial(search, session)),
        Item("What the tweets are like: months, lengths, words", partial(_profile, session)),
        Item("Tweets that you left out of training", partial(excluded, session)),
        Item("What was imported, and what was left out", partial(_imports, session)),
        Item("Forget an account", partial(_forget, session)),
        *more,
    ]


def _accounts(session: Session) -> None:
    from core.corpus.reading import accounts

    session.console.numbered(map(_account, accounts(session.corpus)))


def _account(account: AccountRow) -> str:
    name = f" ({account.name})" if account.name else ""
    span = ""
    if account.first and account.last:
        span = f", from {day(account.first)} to {day(account.last)}"
    sources = f", out of {', '.join(account.sources)}" if account.sources else ""
    return f"@{account.handle}{name}: {plural(account.tweets, 'tweet')}{span}{sources}."


def _choose(session: Session) -> None:
    counts = session.counts()
    known = list(counts)
    session.console.numbered(
        f"@{handle}, {plural(counts[handle], 'tweet')}"
        f"{', chosen' if handle in session.state.chosen else ''}"
        for handle in known
    )
    typed = session.console.ask(
        "Which accounts? Type their numbers or names with spaces between, or all.",
        "Filter, Train and Export work with the accounts that are chosen.",
    )
    chosen: list[str] = []
    for word in several(typed):
        place = place_of(word, len(known))
        handle = known[place] if place is not None else word.lower().removeprefix("@")
        if word.lower() == "all":
            chosen = known
            break
        if handle not in counts and is_number(word):
            raise WrongUsage(
                f"There is no number {word} in the list: it ends at {len(known):,}.",
                "The choice is as it was.",
                "Type spaces between the numbers.",
            )
        if handle not in counts:
            raise WrongUsage(f"There is no account {word}.", "The choice is as it was.")
        chosen.append(handle)
    if not chosen:
        raise WrongUsage("No account was named.", "The choice is as it was.")
    session.state.chosen = list(dict.fromkeys(chosen))
    session.console.say(f"Chosen: {', '.join('@' + one for one in session.state.chosen)}.")


def _profile(session: Session) -> None:
    from core.curation.profile import Profile, profile
    from tui.profile.sentences import profile_sentences

    chosen, recipe = session.chosen(), session.recipe

    def look(tell: Callable[[str], None], stopped: Callable[[], bool]) -> list[Profile]:
        return list(
            profile(
                session.home,
                chosen,
                recipe,
                progress=lambda judged: tell(f"Judged {judged:,} tweets so far."),
                cancelled=stopped,
            )
        )

    for one in session.work(look):
        session.console.say("", *profile_sentences(one))


def _imports(session: Session) -> None:
    from core.corpus.import_log import import_log

    found = import_log(session.corpus)
    browse(
        session.console,
        found,
        lambda place: _import_line(found[place]),
        "to hear all of that import",
        lambda place: _import_page(session, found[place]),
    )
    if not found:
        session.console.say("Nothing has been imported yet.")


def _import_line(record: ImportRecord) -> str:
    when = ago(record.at)
    left_out = f", {record.left_out:,} left out" if record.left_out else ""
    return (
        f"{record.file}, {'just now' if when == 'now' else f'{when} ago'}: "
        f"{record.new:,} new of {record.read:,}{left_out}"
    )


def _import_page(session: Session, record: ImportRecord) -> None:
    from core.corpus.import_log import import_places
    from tui.text.import_reasons import import_page

    page = import_page(record, import_places(session.corpus, record))
    session.console.say(*(line.strip() for line in page.split("\n") if line.strip()))


def _forget(session: Session) -> None:
    counts = session.counts()
    place = session.console.choose(
        "Which account should be forgotten?",
        [f"@{handle}, {plural(number, 'tweet')}" for handle, number in counts.items()],
        "Forgetting deletes the tweets of an account for good. What was made of them is named "
        "before you say yes.",
    )
    forget(session, [list(counts)[place]], None)
