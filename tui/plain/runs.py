"""The runs in the plain mode: the list of them, one in sentences, and what is done with it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused
from core.numbers import plural
from core.runs.folder import GOING
from tui.plain.following import FOLLOW_HELP, follow_run, stop
from tui.plain.menu import Item, browse, menu
from tui.plain.session import Session
from tui.text import runs as sentences
from tui.text.numbers import ago, loss

if TYPE_CHECKING:
    from core.runs.folder import Run
    from core.runs.summary import RunSummary


STARTING: Final = (
    "A run teaches a base model the tweets that the recipe keeps, for as many minutes as you give "
    "it. It is a process of its own: leaving mynah does not end it."
)


def list_runs(session: Session) -> None:
    """Newest first; one is opened by its number."""
    from core.runs.filter import RunFilter, parse_filter

    found, chosen = session.runs(), RunFilter()
    if not found:
        session.console.say("There is no run yet. Choose Train, then Start a run.")

    def look_again() -> None:
        found[:] = [run for run in session.runs() if chosen.matches(run)]

    def open_one(place: int) -> None:
        open_run(session, found[place])
        look_again()

    def find(typed: str) -> bool:
        nonlocal chosen
        wanted = parse_filter(typed)
        matching = [run for run in session.runs() if wanted.matches(run)]
        if not matching:
            raise InputRefused("No run matches that.", "The list is as it was.")
        chosen, found[:] = wanted, matching
        session.console.say(f"{plural(len(found), 'run')} found.")
        return True

    browse(
        session.console,
        found,
        lambda place: run_line(found[place]),
        "to hear about that run",
        open_one,
        {
            "find": (
                "find and what the runs must have, as in: find lr>=1e-3 handle:nasa loss<3.5 "
                "-tag:old",
                find,
            )
        },
        "find alone lists all of them again.",
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
    parts += [f"waits for {run.waits_for}"] if run.waits_for else []
    parts += [f"goes on from {run.continues}"] if run.continues else []
    parts += [f"tagged {' and '.join(run.tags)}"] if run.tags else []
    parts += ["stale"] if run.stale else []
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


def start_now(session: Session) -> bool | None:
    """Asks before a run is started; whether it may go beside one that goes on. None: not at all."""
    going = [one for one in session.runs() if one.state in GOING]
    if not going:
        if session.console.yes("Start it?", STARTING):
            return False
        session.console.say("Nothing was started.")
        return None
    place = session.console.choose(
        f"{going[0].name or going[0].run} goes on. When should this run start?",
        ["When that one has ended", "Now, beside it: both are slow then", "Not at all"],
        STARTING,
    )
    if place == 2:
        session.console.say("Nothing was started.")
        return None
    return place == 1


def say_started(session: Session, run: Run) -> None:
    """And follows it where the person wants that."""
    session.console.say(f"The run {run.id} has started.")
    if session.console.yes("Follow it now?", FOLLOW_HELP):
        follow_run(session, run.id)


def _items(session: Session, run: Run) -> list[Item]:
    from core.runs.summary import run_summary

    if not run.folder.exists():  # deleted
        return []
    summary = run_summary(run)
    tags = " ".join(summary.tags) or "none yet"
    items = [
        Item("Hear its log", partial(_hear_log, session, summary)),
        Item(f"Give it a name: {summary.name or 'none yet'}", partial(_rename, session, run)),
        Item(f"Note something on it: {summary.note or 'no note'}", partial(_note, session, run)),
        Item(f"Set its tags: {tags}", partial(_tag, session, run)),
        Item("Hear its figures", partial(_figures, session, run)),
        Item("Hear its curves, step by step", partial(_curves, session, run)),
        Item("Hear what it wrote while it learned", partial(_hear_samples, session, run)),
    ]
    if summary.has_model:
        items.append(Item("Write samples with it from now on", partial(_talk, session, summary)))
    if summary.state in GOING:
        items += [
            Item("Follow it", partial(follow_run, session, run.id)),
            Item("Stop it", partial(stop, session, run.id)),
        ]
    else:
        if summary.state != "finished":
            items.append(Item("Take it up again", partial(_resume, session, run)))
        if summary.has_model:
            items.append(
                Item("Train further: a new run from its weights", partial(_further, session, run))
            )
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

    note = session.console.ask("What? An empty line takes the note away.", default="")
    note_run(run, note)
    session.console.say("It is noted." if note else "It has no note.")


def _tag(session: Session, run: Run) -> None:
    from core.runs.housekeeping import set_tags

    typed = session.console.ask(
        "Which tags? Type all of them, with spaces between. An empty line takes them away.",
        default="",
    )
    set_tags(run, typed.split())
    session.console.say("It is tagged." if typed else "It has no tags.")


def _figures(session: Session, run: Run) -> None:
    """What the app shows beside the curve, and what else was measured, a sentence each."""
    from core.runs.summary import RunsFollower
    from tui.train.figures import run_figures
    from tui.train.measures import measures_in_words

    summary, history = RunsFollower(session.home, only=run.id).catch_up()
    figures = run_figures(summary, history, run.disk_bytes())
    session.console.say(
        *(f"{name}: {value}." for name, value in figures if name != "next"),
        *measures_in_words(history),
    )


def _curves(session: Session, run: Run) -> None:
    """The points of its curves in the order of the steps, as the app's cursor reads them."""
    from core.runs.summary import RunsFollower

    _, history = RunsFollower(session.home, only=run.id).catch_up()
    points = sentences.curve_points(history)
    if not points:
        session.console.say("Nothing has been measured yet.")
    browse(session.console, points, lambda place: points[place], "")


def _hear_samples(session: Session, run: Run) -> None:
    from core.runs.summary import RunsFollower

    _, history = RunsFollower(session.home, only=run.id).catch_up()
    told = history.samples[::-1]
    if not told:
        session.console.say("It has written nothing yet.")
        return
    session.console.say("Generated by the model while it learned, the newest first:")
    browse(
        session.console,
        told,
        lambda place: f"after step {told[place].step:,}: {' '.join(told[place].text.split())}",
        "",
    )


def _talk(session: Session, summary: RunSummary) -> None:
    session.state.voice = summary.run
    session.console.say("Its model generates from now on. Choose Sample in the first menu.")


def _further(session: Session, run: Run) -> None:
    """A new run from the weights of this one, for as long as Train is set to."""
    from core.workflow.training import continue_training

    minutes = float(session.state.new_run.minutes)
    session.console.say(
        f"A new run begins with the weights of {run.id}, which stays as it is, and learns for "
        f"{minutes:g} minutes."
    )
    now = start_now(session)
    if now is None:
        return
    made = session.work(
        lambda _, stopped: continue_training(
            session.home, run, now=now, minutes=minutes, cancelled=stopped
        )
    )
    say_started(session, made)


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
