"""The runs in the plain mode: the list of them, one in sentences, and what is done with it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.runs.folder import GOING
from tui.plain.following import follow_run, stop
from tui.plain.menu import Item, browse, menu
from tui.plain.session import Session
from tui.text import runs as sentences
from tui.text.numbers import ago, loss, plural

if TYPE_CHECKING:
    from core.runs.folder import Run
    from core.runs.summary import RunSummary


def list_runs(session: Session) -> None:
    """Newest first; one is opened by its number."""
    found = session.runs()
    if not found:
        session.console.say("There is no run yet. Choose Train, then Start a run.")

    def open_one(place: int) -> None:
        open_run(session, found[place])
        found[:] = session.runs()

    browse(
        session.console,
        found,
        lambda place: run_line(found[place]),
        "to hear about that run",
        open_one,
    )


def run_line(run: RunSummary) -> str:
    """``night (20261122-0903-keeper-a1b2), @keeper, finished, 3 h ago, held-out loss 3.61``."""
    name = f"{run.name} ({run.run})" if run.name else run.run
    when = ago(run.started_at)
    parts = [name, " and ".join("@" + handle for handle in run.handles), run.state]
    if when:
        parts.append("just now" if when == "now" else f"{when} ago")
    if run.valid_loss is not None:
        parts.append(f"held-out loss {loss(run.valid_loss, 2)}")
    return ", ".join(filter(None, parts))


def choose(session: Session, runs: Sequence[RunSummary], question: str) -> RunSummary:
    """One of ``runs``; the only one without a question."""
    if len(runs) == 1:
        session.console.say(f"The run is {run_line(runs[0])}.")
        return runs[0]
    ids = [run.run for run in runs]
    voice = session.state.voice
    default = ids.index(voice) if voice in ids else 0
    return runs[session.console.choose(question, [run_line(run) for run in runs], default=default)]


def with_model(session: Session) -> RunSummary | None:
    """The run that is talked to: the chosen one, or the newest that has a model."""
    able = [run for run in session.runs() if run.has_model]
    return next((run for run in able if run.run == session.state.voice), able[0] if able else None)


def open_run(session: Session, summary: RunSummary) -> None:
    """What is to be said about a run, and the menu of what can be done with it."""
    from core.runs.folder import find_run
    from core.runs.summary import RunsFollower

    run = find_run(session.home, summary.run)
    session.console.say(*sentences.snapshot(*RunsFollower(session.home, only=run.id).catch_up()))
    if summary.stale:
        session.console.say(f"It is stale. {summary.stale}")
    menu(session.console, "This run", partial(_items, session, run), "b goes back to the list.")


def _items(session: Session, run: Run) -> list[Item]:
    from core.runs.summary import run_summary

    if not run.folder.exists():  # deleted
        return []
    summary = run_summary(run)
    items = [
        Item("Hear its log", partial(_hear_log, session, summary)),
        Item(f"Give it a name: {summary.name or 'none yet'}", partial(_rename, session, run)),
        Item(f"Note something on it: {summary.note or 'no note'}", partial(_note, session, run)),
    ]
    if summary.state in GOING:
        items += [
            Item("Follow it", partial(follow_run, session, run.id)),
            Item("Stop it", partial(stop, session, run.id)),
        ]
    else:
        if summary.state != "finished":
            items.append(Item("Take it up again", partial(_resume, session, run)))
        items.append(Item("Delete it", partial(_delete, session, run)))
    return items


def _hear_log(session: Session, summary: RunSummary) -> None:
    session.console.say(summary.log_text())


def _rename(session: Session, run: Run) -> None:
    from core.runs.housekeeping import rename_run

    name = session.console.ask("Which name? An empty line takes the name away.", default="")
    rename_run(session.home, run, name)
    session.console.say(f"Its name is {name}." if name else "It has no name.")


def _note(session: Session, run: Run) -> None:
    from core.runs.housekeeping import note_run

    note_run(run, session.console.ask("What? An empty line takes the note away.", default=""))
    session.console.say("It is noted.")


def _resume(session: Session, run: Run) -> None:
    from core.workflow.training import resume_training

    session.work(lambda _, __: resume_training(run))
    session.console.say(f"The run {run.id} goes on.")
    follow_run(session, run.id)


def _delete(session: Session, run: Run) -> None:
    from core.runs.housekeeping import TRASH_DAYS, delete_run, parts_of, refuse_delete

    refuse_delete(session.home, run)
    parts = ", ".join(parts_of(run)) or "nothing but its folder"
    session.console.say(f"This run has: {parts}.")
    if session.console.yes(f"Delete it? The trash keeps it for {plural(TRASH_DAYS, 'day')}."):
        delete_run(session.home, run)
        session.console.say("It is deleted. Deleted runs, in Train, brings it back.")
