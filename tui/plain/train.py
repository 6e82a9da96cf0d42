"""The section Train of the plain mode: starting a run, following it in sentences."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from core.numbers import percent, plural, size_in_words
from core.runs.folder import GOING
from tui.plain.following import follow_run
from tui.plain.menu import Item, browse, field_item, menu, one_of
from tui.plain.runs import STARTING, choose, list_runs, run_line, say_started, start_now
from tui.plain.session import Session, Tell
from tui.plain.sweeps import list_sweeps, sweeps_in_short
from tui.state import AS_HUGGINGTWEETS, LEAST_WEIGHT, MOST_WEIGHT, PRESET_HELP
from tui.text import runs as sentences
from tui.text.numbers import count, time_left

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.dataset.shares import Share
    from core.runs.advise import Advice
    from core.runs.folder import Run
    from core.runs.housekeeping import DeletedRun
    from core.runs.settings import TrainSettings


def train(session: Session) -> None:
    """The menu of the section."""
    menu(session.console, "Train", partial(_items, session), STARTING)


def _items(session: Session) -> list[Item]:
    new, runs = session.state.new_run, session.runs()
    going = [one for one in runs if one.state in GOING]
    items = [
        Item("Start a run", partial(_start, session)),
        Item(f"The base model: {base_of(session)}", partial(_base, session)),
        Item(f"The preset: {new.preset}", partial(_preset, session)),
        Item(f"The time: at most {new.minutes:g} minutes", partial(_minutes, session)),
        Item(f"More settings: {_more_in_short(session)}", partial(_more, session)),
        Item(f"The runs: {count(len(runs)) if runs else 'none yet'}", partial(list_runs, session)),
        Item("Compare two runs", partial(_compare, session)),
        Item(f"The sweeps: {sweeps_in_short(session)}", partial(list_sweeps, session)),
        Item("Deleted runs", partial(_trash, session)),
        Item(
            f"Learn answers: {'yes' if new.overrides().get('answers') else 'no'}",
            partial(_answers, session),
        ),
    ]
    if len(session.state.chosen) > 1:
        parts = new.weights_in_short(session.state.chosen)
        items.append(Item(f"The parts of the accounts: {parts}", partial(_weights, session)))
    if going:
        words = f"Follow {going[0].name or going[0].run}, which is {going[0].state}"
        items.append(Item(words, partial(follow_run, session, going[0].run)))
    return items


def base_of(session: Session) -> str:
    """The base of the next run: the chosen one, or the usual one."""
    if not session.state.new_run.base:
        from core.models.catalogue import default_base

        session.state.new_run.base = default_base()
    return session.state.new_run.base


def _base(session: Session) -> None:
    from core.models.catalogue import at_hand

    bases = at_hand()
    place = session.console.choose(
        "Which model should it begin with?",
        [f"{base.name}: {base.title}{f', {base.note}' if base.note else ''}" for base in bases],
        "These are on this machine. scratch begins with random weights: it learns fast, and writes "
        "no good sentences.",
    )
    session.state.new_run.base = bases[place].name
    session.console.say(f"The base model is {base_of(session)}.")


def _preset(session: Session) -> None:
    new = session.state.new_run
    new.preset = new.presets[
        session.console.choose("Which preset?", list(new.presets), PRESET_HELP)
    ]
    session.console.say(f"The preset is {new.preset}.")


def _minutes(session: Session) -> None:
    new = session.state.new_run
    new.minutes = session.console.number(
        "How many minutes may it learn at most?", 0.1, 600, new.minutes
    )
    session.console.say(f"It learns for at most {new.minutes:g} minutes.")


def _more_in_short(session: Session) -> str:
    set_ = len(session.state.new_run.own)
    return f"{set_} of your own" if set_ else "as the preset has them"


def _more(session: Session) -> None:
    """What the app's form of a new run has besides."""
    menu(
        session.console,
        "More settings",
        partial(_more_items, session),
        "They hold for the runs that you start until you leave. ? at each of them explains it.",
    )


def _more_items(session: Session) -> list[Item]:
    from tui.train.run_fields import presets_own, run_fields, with_own

    base_of(session)
    new = session.state.new_run
    values = {"seed": new.seed, "track": new.track, **presets_own(new), **new.own}
    values.pop("answers", None)  # which the menu before this has

    def take(name: str, value: Any) -> None:
        if name in ("seed", "track"):
            setattr(new, name, value)
        else:
            new.own = with_own(new, name, value)

    fields = [field for field in run_fields(new) if field.key in values]
    return [field_item(session.console, field, values[field.key], take) for field in fields]


def _answers(session: Session) -> None:
    """Turns it on or off, and says how many answers there are; a preset without any refuses."""
    from core.dataset.answers import answers_known
    from core.runs.settings import settings_for

    new = session.state.new_run
    if new.overrides().get("answers"):
        del new.own["answers"]
        session.console.say("Every tweet is learned by itself.")
        return
    settings_for(new.preset, base_of(session), answers=True)
    known = answers_known(session.corpus, session.chosen())
    new.own["answers"] = True
    session.console.say(
        "What answers a tweet of somebody else is learned as the answer to it, where that is in "
        f"the corpus: {plural(known, 'tweet')}, before the recipe drops any."
    )


def _weights(session: Session) -> None:
    """Asks for the part of each chosen account; a preset of huggingtweets knows none."""
    console, new = session.console, session.state.new_run
    if new.preset in AS_HUGGINGTWEETS:
        console.say(f"The preset {new.preset} shows as many characters of each account.")
        return
    from core.runs.shares import planned_shares

    handles = sorted(session.chosen())
    given, asked = new.weights_of(handles), {}
    for handle in handles:
        asked[handle] = console.number(
            f"How many parts of an epoch's tokens are of @{handle}?",
            LEAST_WEIGHT,
            MOST_WEIGHT,
            given.get(handle, 1.0),
            "With 2 for one account and 1 for another, two thirds of the tokens are of the first.",
        )
    new.weights = new.weighed(handles, asked)
    shares = planned_shares(session.curation().stats, _settings(session), new.weights_of(handles))
    console.say(*_in_sentences(shares))


def _in_sentences(shares: list[Share]) -> list[str]:
    from tui.text.blends import expected_sentences

    return [f"{words[:1].upper()}{words[1:]}." for words in expected_sentences(shares)]


def _settings(session: Session) -> TrainSettings:
    from core.runs.settings import settings_for

    new = session.state.new_run
    return settings_for(
        new.preset,
        base_of(session),
        minutes=float(new.minutes),
        seed=int(new.seed),
        **new.overrides(),
    )


def _start(session: Session) -> None:
    """Says what will be learned and what it takes, and starts it after a yes."""
    from core.dataset.frozen import check_enough
    from core.runs.settings import RunRequest
    from core.workflow.training import start_training

    console, settings = session.console, _settings(session)
    handles, recipe, total = session.chosen(), session.recipe, session.curation().total
    check_enough(total.kept, total.downloaded, recipe.name)
    _say_plan(session, settings)
    now = start_now(session)
    if now is None:
        return
    weights, to = session.state.new_run.weights_of(handles), session.state.new_run.track
    request = RunRequest(handles, recipe, settings, weights, now=now)

    def work(_: Tell, stopped: Callable[[], bool]) -> Run:
        from core.tracking.options import tracking_asked

        tracking = None if to == "off" else tracking_asked(session.home, to)
        return start_training(session.home, request, tracking=tracking, cancelled=stopped)

    run = session.work(work)
    if (answering := run.record().answering) is not None:
        console.say(answering.in_words)
    say_started(session, run)


def how_long(session: Session) -> str:
    """A sentence on how long learning all that the recipe keeps takes with the settings as they
    are; empty where nothing can be said.
    """
    from core.runs.advise import in_words

    return in_words(_advice(session, _shares(session, _settings(session)), None))


def _say_plan(session: Session, settings: TrainSettings) -> None:
    total, new = session.curation().total, session.state.new_run
    shares = _shares(session, settings)
    changed = ", with changes" if session.recipe.changed else ""
    names = ", ".join("@" + one for one in session.state.chosen)
    session.console.say(
        f"It will learn {plural(total.kept, 'tweet')} of {names}, which the recipe "
        f"{session.recipe.name}{changed} keeps of {total.downloaded:,}.",
        f"The base is {settings.base}, the preset {settings.preset}, the time at most "
        f"{new.minutes:g} minutes.",
        *_in_sentences(shares),
        *_plan(_advice(session, shares, float(new.minutes))),
    )


def _shares(session: Session, settings: TrainSettings) -> list[Share]:
    """What an epoch shows of each chosen account."""
    from core.runs.shares import planned_shares

    weights = session.state.new_run.weights_of(list(session.state.chosen))
    return planned_shares(session.curation().stats, settings, weights)


def _advice(session: Session, shares: list[Share], minutes: float | None) -> Advice:
    """Of the settings as they are, but for the ``minutes``; None: as many as it takes."""
    from core.runs.advise import advise

    total, new = session.curation().total, session.state.new_run
    once = sum(share.tokens for share in shares)
    return advise(
        session.home,
        kept=total.kept,
        tokens=total.tokens,
        repeats=sum(share.shown for share in shares) / once if once else 1.0,
        base=base_of(session),
        preset=new.preset,
        minutes=minutes,
        own=new.overrides(),
    )


def _plan(advice: Advice) -> list[str]:
    """What the settings mean and take, in whole sentences."""
    settings = advice.settings
    learns = "Adapters beside the weights learn (LoRA)"
    if settings.method != "lora":
        learns = "Every weight learns"
    guessed = "" if advice.tokens_counted else ", which is a guess"
    sentences = [
        f"{learns}, at a rate of {settings.lr:g}. An epoch has {advice.tokens:,} tokens{guessed}."
    ]
    if settings.valid_fraction:
        sentences.append(f"{percent(settings.valid_fraction)} of the tweets are held out.")
    if advice.tokens_per_second is None or advice.epochs is None:
        sentences.append("How fast this machine learns is known after a first run.")
    else:
        how = "measured here before" if advice.measured else "estimated"
        times = f"{advice.epochs:.1f}" if advice.epochs >= 0.05 else "less than 0.1"
        sentences.append(
            f"It goes through them {times} times, at {advice.tokens_per_second:,.0f} "
            f"tokens a second ({how})."
        )
    if advice.memory:
        how = "measured here before" if advice.memory_measured else "estimated"
        sentences.append(f"It takes {size_in_words(advice.memory)} of memory ({how}).")
    return sentences + [line for line in advice.lines if line.endswith(".")]


def _compare(session: Session) -> None:
    runs = session.runs()
    if len(runs) < 2:
        session.console.say("There are not two runs to compare yet.")
        return
    one = choose(session, runs, "Which is the first run?")
    rest = [run for run in runs if run.run != one.run]
    other = choose(session, rest, "Which is the second run?")
    session.console.say(*sentences.compared(one, other))


def _trash(session: Session) -> None:
    """What lies in the trash; one comes back by its number, or goes for good."""
    from core.runs.housekeeping import deleted_runs, remove_deleted, restore_run
    from core.runs.summary import run_summary

    found = deleted_runs(session.home)
    if not found:
        session.console.say("No deleted run is kept.")
        return

    def line(place: int) -> str:
        one = found[place]
        stale = ", stale" if one.stale else ""
        size = size_in_words(one.run.disk_bytes())
        gone = time_left(one.expires)
        return f"{run_line(run_summary(one.run))}, {size}{stale}; it goes for good in {gone}"

    def bring_back(place: int) -> None:
        run = restore_run(session.home, found[place])
        session.console.say(f"{run.id} is back among the runs.")
        found[:] = deleted_runs(session.home)

    def remove(going: list[DeletedRun]) -> None:
        size = size_in_words(sum(one.run.disk_bytes() for one in going))
        if session.console.yes(f"{plural(len(going), 'run')} and {size} go for good. Remove?"):
            remove_deleted(going)
            found[:] = deleted_runs(session.home)
            session.console.say(f"{plural(len(going), 'run')} removed.")

    browse(
        session.console,
        found,
        line,
        "to have that run back",
        bring_back,
        {
            "remove": (
                "remove and a number to remove that one for good",
                lambda typed: remove([found[one_of(typed, len(found), "remove 1")]]),
            ),
            "empty": ("empty to remove all of them for good", lambda _: remove(list(found))),
        },
    )
