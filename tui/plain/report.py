"""The section Report of the plain mode: how well a model imitates, and how much it copies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused
from core.home import in_full
from core.numbers import plural
from tui.plain.menu import Item, browse, menu
from tui.plain.runs import choose, say_started
from tui.plain.session import Session, Tell
from tui.text.numbers import exact

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.report.report import Report
    from core.runs.folder import Run

_HELP: Final = (
    "A report compares what the model writes with what its base writes, with tweets of the author "
    "that it never saw, with its training tweets given back, and with other people's tweets."
)


def report(session: Session) -> None:
    """Of one run; what the last report said comes first."""
    from core.runs.folder import find_run

    able = [run for run in session.runs() if run.has_model]
    if not able:
        raise InputRefused("There is no model yet.", "", "Choose Train, then Start a run.")
    run = find_run(session.home, choose(session, able, "A report on which run?").run)
    _say_last(session, run)
    menu(session.console, "Report", partial(_items, session, run), _HELP)


def _items(session: Session, run: Run) -> list[Item]:
    return [
        Item("Hear the last report", partial(_say_last, session, run)),
        Item("Hear its figures, one after the other", partial(_figures, session, run)),
        Item("Make a report; it takes some minutes", partial(_make, session, run, leaks=False)),
        Item(
            "Make one that also looks which training tweets can be got out",
            partial(_make, session, run, leaks=True),
        ),
        Item("Train again without the tweets that can be got out", partial(_drop, session, run)),
    ]


def _say_last(session: Session, run: Run) -> None:
    from core.report.conclusions import GROUP_TITLES
    from core.report.last import last_report

    found = last_report(run)
    if found is None:
        session.console.say("There is no report on this run yet.")
        return
    session.console.say(
        f"The report of {exact(found.made)}, on {plural(found.n, 'text')} of each kind:",
        *(f"{GROUP_TITLES[group]}: {meaning}" for group, meaning in found.meanings.items()),
    )
    if found.leaks:
        session.console.say("Training tweets that can be got out:")
        session.console.numbered(text or leak.tweet_id for leak, text in found.leaks)


def _figures(session: Session, run: Run) -> None:
    """What the pictures of the app show: each measure with its points, the model's own first."""
    from core.report.conclusions import GROUP_TITLES, INTERVALS
    from core.report.last import last_report
    from tui.report.points import in_digits, name_of, title_of

    found = last_report(run)
    if found is None:
        session.console.say("There is no report on this run yet.")
        return
    measures = [one for group in GROUP_TITLES for one in found.measures if one.group == group]

    def line(place: int) -> str:
        one = measures[place]
        points = "; ".join(
            f"{name_of(point, one)} {in_digits(one, estimate, ' to ') or 'unknown, of too few'}"
            for point, estimate in one.points.items()
        )
        return f"{GROUP_TITLES[one.group]}. {title_of(one)}: {points}"

    session.console.say(f"Numbers in brackets are the {INTERVALS}.")
    browse(session.console, measures, line, "")


def _drop(session: Session, run: Run) -> None:
    """A new run without the tweets that came back whole, after a yes."""
    from core.report.leaks import leaked_ids
    from core.workflow.training import train_without_leaks

    whole = leaked_ids(run)
    if not whole:
        raise InputRefused(
            "There is no tweet to leave out.",
            "None came back word for word, or no report has looked for them.",
        )
    session.console.say(
        f"A new run begins with the accounts, recipe and settings of this one, but without "
        f"{plural(len(whole), 'tweet')} that came back word for word. They stay in the corpus, and "
        "this run stays as it is."
    )
    if session.console.yes("Start it?"):
        made = session.work(
            lambda _, stopped: train_without_leaks(session.home, run, cancelled=stopped)
        )
        say_started(session, made)


def _make(session: Session, run: Run, *, leaks: bool) -> None:
    from core.files import write_text_whole
    from core.report.blind import blind_result
    from core.report.markdown import to_markdown
    from core.report.report import FEWEST_TEXTS, MOST_TEXTS, TEXTS, make_report

    n = int(
        session.console.number(
            "How many texts of each kind?",
            FEWEST_TEXTS,
            MOST_TEXTS,
            TEXTS,
            "More take longer and make the figures surer.",
            whole=True,
        )
    )
    session.console.say("The report is being made. ctrl+c stops it; what is done is kept.")

    def work(tell: Tell, stopped: Callable[[], bool]) -> Report:
        return make_report(
            session.home,
            run,
            n=n,
            leaks=leaks,
            progress=lambda now: tell(
                f"{now.phase.capitalize()}: {now.done:,}"
                f"{f' of {now.total:,}' if now.total else ''}."
            ),
            cancelled=stopped,
        )

    made = session.work(work)
    _say_last(session, run)
    typed = session.console.ask(
        "Where should it be written, with all figures? Type a path ending in .md, or an empty line "
        "for nowhere.",
        default="",
    )
    path = in_full(typed)
    if typed and session.may_write([path]):
        write_text_whole(path, to_markdown(made, blind=blind_result(run)))
        session.console.say(f"It is written to {path.absolute()}.")
