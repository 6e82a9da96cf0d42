"""Following a run in the plain mode: what is new in sentences, until it ends; and stopping it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.runs.folder import GOING
from tui.plain.console import Leave
from tui.plain.session import Session
from tui.text import runs as sentences

if TYPE_CHECKING:
    from core.runs.folder import Run

FOLLOW_HELP: Final = (
    "What is new is said as it happens. enter says how far the run is, s stops it after it has "
    "saved what it learned, b leaves it going."
)
# Seconds between two looks at the journal of a run.
_LOOK: Final = 1.0


def follow_run(session: Session, run_id: str) -> None:
    """What a run does, in sentences as it happens, until it ends or the person goes back."""
    from core.runs.folder import find_run
    from core.runs.summary import RunsFollower
    from tui.cli.output import ProgressNote
    from tui.cli.runs.following import News, look

    console, run = session.console, find_run(session.home, run_id)
    follower = RunsFollower(session.home, only=run.id)
    news = News(ProgressNote(), how_far=True, say=console.say)
    summary, history = follower.catch_up()
    console.say(*sentences.snapshot(summary, history))
    news.skip(history)
    if summary.state in GOING:
        console.say("enter says how far it is, s stops it, b leaves it going.")
    while summary.state in GOING:
        typed = console.line(_LOOK)
        if typed is not None and _leaves(session, run, typed):
            return
        summary, history = look(follower, run)
        if typed == "":
            console.say(sentences.how_far(summary, history))
        news.show(summary, history)
        if summary.state not in GOING:
            console.say(*sentences.snapshot(summary, history)[1:])


def _leaves(session: Session, run: Run, typed: str) -> bool:
    """Does what was typed while a run is followed; True where the person leaves it going."""
    word = typed.strip().lower()
    if word == "q":
        raise Leave
    if word == "b":
        session.console.say(f"{run.id} goes on.")
        return True
    if word in ("s", "stop"):
        stop(session, run.id)
    elif word:
        session.console.say(FOLLOW_HELP)
    return False


def stop(session: Session, run_id: str) -> None:
    """After a yes; waits until it has saved what it learned."""
    from core.runs.folder import find_run
    from core.runs.launch import stop_run
    from tui.cli.runs.following import what_is_left

    run = find_run(session.home, run_id)
    if not session.console.yes("Stop it? It saves what it has learned."):
        return
    session.console.say("It is stopping.")
    session.work(lambda _, stopped: stop_run(run, cancelled=stopped))
    session.console.say(f"{run.id} has stopped. {what_is_left(run)}")
