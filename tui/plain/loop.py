"""The plain mode itself: the first question, and leaving."""

from __future__ import annotations

from functools import partial

from core import __version__
from core.errors import Interrupted, MynahError
from core.home import Home
from core.runs.folder import GOING
from tui.plain.console import Console, Leave
from tui.plain.menu import Item, menu
from tui.plain.session import Session
from tui.text.numbers import plural

_HELP = (
    "This is mynah without a full-screen app: everything is said in sentences and chosen by "
    "numbers. Bring tweets in with Data, see what is kept with Filter, teach a model with Train, "
    "and let it write with Sample."
)


def converse(home: Home) -> None:
    """Asks and answers until the person leaves; raises Interrupted after ctrl+c."""
    console = Console()
    console.say(
        f"mynah {__version__}, plain mode. Type ? for help, b to go back, q to leave; press enter "
        "after each answer."
    )
    session = Session(home, console)
    if session.state.config_problem:
        console.say(f"The settings do not hold: {session.state.config_problem}")
    try:
        while True:
            menu(console, "Home", partial(_sections, session), _HELP)
            console.say("This is the first menu already. q leaves mynah.")
    except Leave:
        _say_farewell(session)
    except KeyboardInterrupt:
        console.say("")
        _say_farewell(session)
        raise Interrupted("Interrupted; what was done stays done.") from None
    finally:
        session.state.remember()


def _sections(session: Session) -> list[Item]:
    """The sections, each with how things stand there."""
    from tui.plain.data import data

    return [
        Item(f"Data: {_tweets(session)}", lambda: data(session)),
    ]


def _tweets(session: Session) -> str:
    from core.corpus.reading import kept_count

    try:
        counts = session.counts()
        if not counts:
            return "no tweets yet."
        chosen, recipe = session.state.chosen, session.recipe
        kept = None if recipe.changed else kept_count(session.corpus, recipe.name, chosen)
    except MynahError as error:
        return str(error)
    all_of_them = plural(sum(counts.values()), "tweet")
    words = f"{plural(len(counts), 'account')} with {all_of_them}."
    if len(chosen) < len(counts):
        words += f" Chosen: {names(chosen)}."
    if kept is not None:
        words += f" The recipe {recipe.name} keeps {kept:,}."
    return words


def names(handles: list[str], most: int = 3) -> str:
    """``@a, @b and 4 more``."""
    named = [f"@{handle}" for handle in handles[:most]]
    more = len(handles) - most
    if more > 0:
        return f"{', '.join(named)} and {more:,} more"
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1] if named else ""]))


def _say_farewell(session: Session) -> None:
    going = [one for one in session.runs() if one.state in GOING]
    for one in going:
        how = "waits for its turn" if one.state == "queued" else "goes on learning"
        session.console.say(
            f"The run {one.name or one.run} {how} without this window. `mynah watch {one.run}` "
            f"follows it, `mynah stop {one.run}` ends it."
        )
    session.console.say("You have left mynah.")
