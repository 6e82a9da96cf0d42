"""The plain mode itself: the first question, and leaving."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from core import __version__
from core.errors import Interrupted, MynahError
from core.home import Home
from core.numbers import plural
from core.runs.folder import GOING
from tui.plain.console import Console, Leave
from tui.plain.menu import Item, menu
from tui.plain.runs import with_model
from tui.plain.session import Session

# Sections whose function has another name than their module.
_DOORS = {"Filter": "filter_tweets"}
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
        console.say(f"The settings are not used: {session.state.config_problem}")
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
        session.close()
        session.state.remember()


def _sections(session: Session) -> list[Item]:
    """The sections, each with how things stand there."""
    tweets, learning, model = _tweets(session), _runs(session), _model(session)
    recipe = session.recipe
    changed = ", changed and not saved" if recipe.changed else ""
    words = {
        "Data": f"Data: {tweets}",
        "Filter": f"Filter: the recipe {recipe.name}{changed}.",
        "Query": "Query: SQL over tweets and runs.",
        "Train": f"Train: {learning}",
        "Sample": f"Sample: {model}",
        "Export": "Export: what the recipe keeps, as files.",
        "Report": "Report: how well a model imitates, and how much it copies.",
        "Settings": "Settings.",
    }
    return [Item(line, partial(_open, session, name)) for name, line in words.items()]


def _open(session: Session, name: str) -> None:
    """Opens a section; its module is loaded when it is first needed."""
    module = import_module(f"tui.plain.{name.lower()}")
    getattr(module, _DOORS.get(name, name.lower()))(session)


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


def _runs(session: Session) -> str:
    runs = session.runs()
    going = [one for one in runs if one.state in GOING]
    if not runs:
        return "no runs yet."
    words = f"{plural(len(runs), 'run')}."
    if going:
        one = going[0]
        of = f" of {one.steps:,}" if one.steps else ""
        words += f" {one.name or one.run} is {one.state}, at step {one.step:,}{of}."
    return words


def _model(session: Session) -> str:
    ready = with_model(session)
    return f"the model of {ready.name or ready.run} is ready." if ready else "no model yet."


def _say_farewell(session: Session) -> None:
    going = [one for one in session.runs() if one.state in GOING]
    for one in going:
        how = "waits for its turn" if one.state == "queued" else "goes on learning"
        session.console.say(
            f"The run {one.name or one.run} {how} without this window. `mynah watch {one.run}` "
            f"follows it, `mynah stop {one.run}` ends it."
        )
    session.console.say("You have left mynah.")
