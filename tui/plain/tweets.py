"""Reading tweets in the plain mode: a page of lines, one in full, leaving one out of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import WrongUsage
from core.numbers import plural
from tui.plain.menu import browse, one_of
from tui.plain.session import Session
from tui.text.numbers import day, exact
from tui.text.verdicts import known_of, reason_word, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.workbench.view import Order, TweetRow, TweetRows, Which

_HELP: Final = (
    "Each line is a tweet, the newest first: its day, whether the recipe keeps it, and its words. "
    "The number of a line gives all of the tweet, and lets you leave it out of training."
)
_ORDERS: Final[dict[str, Order]] = {
    "newest": "newest", "oldest": "oldest", "likes": "likes", "longest": "length",
}  # fmt: skip
_WHICH: Final[tuple[tuple[str, Which], ...]] = (
    ("all of them", "all"),
    ("those that the recipe keeps", "kept"),
    ("those that the recipe drops", "dropped"),
    ("those that it changes and keeps", "edited"),
)


def search(session: Session) -> None:
    """Asks for words and lists the tweets that hold them."""
    from core.workbench.search import SYNTAX

    syntax = "; ".join(f"{typed} means {what}" for typed, what in SYNTAX)
    words = session.console.ask(
        "Which words should the tweets hold? An empty line lists all tweets.",
        f"Words and conditions may stand side by side: {syntax}.",
        default="",
    )
    place = session.console.choose(
        "Which of these tweets?", [words for words, _ in _WHICH], default=0
    )

    def find() -> TweetRows:
        rows = session.curation().rows.only(_WHICH[place][1])
        return session.work(lambda _, stopped: rows.search(words, cancelled=stopped))

    list_tweets(session, find)


class _Found:
    """Tweets in a list; ``find`` is asked again where what was done with one may change them.

    What ``find`` gives is newest first.
    """

    def __init__(self, find: Callable[[], TweetRows]) -> None:
        self.find = find
        self.rows: TweetRows | list[TweetRow] = find()
        self.order = _ORDERS["newest"]

    def find_again(self) -> None:
        self.rows = []  # what is forgotten is not shown again, also where nothing is left to find
        self.rows = self.find().in_order(self.order)

    def sort(self, typed: str) -> bool:
        order = _ORDERS.get(typed.lower())
        if order is None:
            what = f"There is no order {typed!r}." if typed else "No order was named."
            raise WrongUsage(what, f"There are: {', '.join(_ORDERS)}.")
        self.rows, self.order = self.find().in_order(order), order
        return True

    def __len__(self) -> int:
        return len(self.rows)


def list_tweets(session: Session, find: Callable[[], TweetRows]) -> None:
    """Page by page, newest first or in another order; one is opened by its number."""
    many = len(session.state.chosen) > 1
    found = _Found(find)
    session.console.say(
        f"{plural(len(found), 'tweet')} found." if len(found) else "None was found."
    )

    def open_one(place: int) -> None:
        if _open(session, found.rows[place]):
            found.find_again()

    browse(
        session.console,
        found,
        lambda place: _line(found.rows[place], many, found.order),
        "to hear all of that tweet",
        open_one,
        {
            "sort": (
                "sort and newest, oldest, likes or longest to hear them in that order",
                found.sort,
            )
        },
        _HELP,
    )


def _line(tweet: TweetRow, many: bool, order: Order) -> str:
    """``5 Nov 2024, @keeper, reply, kept: The fog …``; with the likes where they give the order."""
    when = day(tweet.created_at) if tweet.created_at else "no date"
    kept = "kept" if tweet.kept else f"dropped ({reason_word(tweet)})"
    who = f", @{tweet.handle}" if many else ""
    if order == "likes" and tweet.favourites is not None:
        when += f", {plural(tweet.favourites, 'like')}"
    if tweet.kept and tweet.kind != "original":
        kept = f"{tweet.kind.replace('_', ' ')}, {kept}"
    return f"{when}{who}, {kept}: {' '.join(tweet.published.split())}"


def _open(session: Session, tweet: TweetRow) -> bool:
    """Whether something was done with it."""
    console = session.console
    console.say(f"The tweet of @{tweet.handle}, {exact(tweet.created_at)}:")
    console.show(tweet.published)
    console.say(f"The recipe says: {verdict(tweet)}.")
    if tweet.kept and tweet.published != tweet.clean_text:
        console.say("It is learned as:")
        console.show(tweet.clean_text)
    console.say(f"What is known: {', '.join(known_of(tweet)[2:])}.")
    excluded = tweet.reason == "excluded"
    place = console.choose(
        "What should be done with this tweet?",
        [
            "Nothing",
            "Take it back into training" if excluded else "Leave it out of training",
            "Forget it, for good",
        ],
        "Leaving a tweet out keeps it among your tweets, and no recipe keeps it for training.",
        default=0,
    )
    if place == 1:
        take_out(session, [tweet.tweet_id], undo=excluded)
    elif place == 2:
        forget(session, [], tweet.tweet_id)
    return place > 0


def take_out(session: Session, tweet_ids: list[str], *, undo: bool) -> None:
    """Leaves tweets out of training, or takes them back."""
    from core.workflow.data import exclude

    session.work(lambda _, __: exclude(session.home, tweet_ids, undo=undo))
    number = plural(len(tweet_ids), "tweet")
    how = "taken back: the recipe decides on it again" if undo else "left out of training"
    session.console.say(f"{number} {how}.")


def excluded(session: Session) -> None:
    """Lists what is left out of training; one is taken back by its number."""
    from core.corpus.excluded import excluded_tweets

    found = excluded_tweets(session.corpus)
    if not found:
        session.console.say("No tweet is left out of training.")
        return
    session.console.say(f"{plural(len(found), 'tweet')} left out of training:")

    def take_back(typed: str) -> None:
        _, tweet_id = found[one_of(typed, len(found), "back 1")]
        take_out(session, [tweet_id], undo=True)
        found[:] = excluded_tweets(session.corpus)

    browse(
        session.console,
        found,
        lambda place: f"@{found[place][0]}, tweet {found[place][1]}",
        "",
        orders={
            "back": (
                "back and a number to take that tweet back into training",
                take_back,
            )
        },
    )


def forget(session: Session, handles: list[str], tweet_id: str | None) -> None:
    """Says what would go and what becomes stale, and forgets it after a yes."""
    from core.forgetting import Forgotten
    from core.forgetting import forget as forget_rows
    from tui.text.forgetting import subject, what_becomes_stale, what_goes, what_to_do

    console = session.console

    def rows(dry_run: bool) -> Forgotten:
        return session.work(
            lambda _, __: forget_rows(
                session.corpus, session.home, handles=handles, tweet_id=tweet_id, dry_run=dry_run
            )
        )

    would = rows(dry_run=True)
    console.say(*what_goes(would, would=True), *what_becomes_stale(would, would=True))
    if not console.yes(f"Forget {subject(would)} for good?"):
        console.say("Nothing was forgotten.")
        return
    gone = rows(dry_run=False)
    console.say(*what_goes(gone, would=False), *what_becomes_stale(gone, would=False))
    console.say(*what_to_do(gone))
    if not gone.compacted:
        console.say(f"What they said is still inside the file: {gone.not_compacted}")
    before = set(session.state.chosen)
    if before and session.counts() and not before & set(session.state.chosen):
        console.say("No chosen account is left, so all the others are chosen now.")
