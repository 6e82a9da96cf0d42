"""The section Sample of the plain mode: texts of a model, which is kept of them, and why."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from core.errors import InputRefused
from tui.plain.console import Back
from tui.plain.generated import go_through, list_favourites, say_sample
from tui.plain.menu import Item, field_item, menu
from tui.plain.runs import choose, run_line, with_model
from tui.plain.session import Session, Tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.report.blind import BlindTest, Question
    from core.runs.summary import RunSummary
    from core.sampling.request import SampleRequest
    from core.sampling.store import StoredSample
    from core.sampling.voices import Voice
    from tui.widgets.field import Field

_HELP: Final = (
    "A model writes texts that begin with your words, or with its own. What it writes is generated "
    "and not by the person; where it repeats a training tweet, that is said."
)
_BASE: Final = "base"
# Fields of the app's form that the menu has; the others stand behind "More settings".
_IN_MENU: Final = ("count", "temperature", "seed")
_ELSEWHERE: Final = ("run", "beside", "more")


@dataclass
class Knobs:
    """``form``: what the fields of the app's form hold, by key.

    ``beside``: the run that writes the same after that, or _BASE for the model that the run began
    with; empty for nobody.
    """

    form: dict[str, Any]
    beside: str = ""


def sample(session: Session) -> None:
    """The menu of the section."""
    if with_model(session) is None:
        raise InputRefused(
            "There is no model yet.", "", "Choose Train, then Start a run; it takes a few minutes."
        )
    knobs = Knobs({field.key: field.value for field in _fields()})
    menu(session.console, "Sample", partial(_items, session, knobs), _HELP)


def _fields() -> list[Field[Any]]:
    from tui.sample.voice_form import voice_fields

    return [field for field in voice_fields() if field.key not in _ELSEWHERE]


def _items(session: Session, knobs: Knobs) -> list[Item]:
    run = with_model(session)
    return [
        Item("Write samples", partial(_write, session, knobs)),
        Item(f"The run: {run_line(run) if run else 'none'}", partial(_choose, session)),
        *(_field_item(session, knobs, one) for one in _fields() if one.key in _IN_MENU),
        Item("Favourites: hear them, export them", partial(list_favourites, session)),
        Item("Blind test: tell its texts from real tweets", partial(_blind, session)),
        Item("Answer a tweet", partial(_answer, session, knobs)),
        Item(f"Beside it: {_beside_in_words(knobs)}", partial(_beside, session, knobs)),
        Item("More settings: length, likely words, words to avoid", partial(_more, session, knobs)),
    ]


def _field_item(session: Session, knobs: Knobs, field: Field[Any]) -> Item:
    item = field_item(session.console, field, knobs.form[field.key], knobs.form.__setitem__)
    if field.key == "seed" and not knobs.form["seed"]:
        return Item(f"{field.key}: another each time", item.do)
    return item


def _more(session: Session, knobs: Knobs) -> None:
    menu(
        session.console,
        "More settings",
        lambda: [_field_item(session, knobs, one) for one in _fields() if one.key not in _IN_MENU],
        "They hold until you leave Sample. ? at each of them explains it.",
    )


def _choose(session: Session) -> None:
    able = [run for run in session.runs() if run.has_model]
    session.state.voice = choose(session, able, "Whose model should generate?").run
    session.console.say(f"The model of {session.state.voice} generates from now on.")


def _beside_in_words(knobs: Knobs) -> str:
    return {"": "nobody", _BASE: "its base"}.get(knobs.beside, knobs.beside)


def _beside(session: Session, knobs: Knobs) -> None:
    """Who writes with the same beginning and seed, to compare: the base, or another run."""
    own = with_model(session)
    others = [run for run in session.runs() if run.has_model and own and run.run != own.run]
    place = session.console.choose(
        "Which model should write the same beside it?",
        ["nobody", "its base, before it learned", *(run_line(run) for run in others)],
        "Both get the same beginning, settings and seed; the second one writes after the first.",
    )
    knobs.beside = ["", _BASE, *(run.run for run in others)][place]
    session.console.say(f"Beside it: {_beside_in_words(knobs)}.")


def _answer(session: Session, knobs: Knobs) -> None:
    """Asks for a tweet, and says each answer as it is done."""
    from core.models.answering import not_learned

    run = with_model(session)
    if run is not None and not run.answers:
        raise not_learned(run.name or run.run)
    if run is not None:
        tweet = session.console.ask("Which tweet should it answer?", _HELP)
        _generate(session, knobs, run, tweet, answers=True)


def _write(session: Session, knobs: Knobs) -> None:
    """Asks for a beginning, and says each text as it is done."""
    run = with_model(session)
    if run is not None:
        prompt = session.console.ask(
            "How should they begin? An empty line leaves that to the model.", _HELP, default=""
        )
        _generate(session, knobs, run, prompt)


def _generate(
    session: Session,
    knobs: Knobs,
    run: RunSummary,
    typed: str,
    *,
    answers: bool = False,
    new_seed: bool = False,
) -> None:
    from core.runs.folder import find_run
    from core.sampling.voices import base_voice, tuned_voice
    from tui.sample.voice_form import request_of

    own = find_run(session.home, run.run)
    voices = [(tuned_voice(own), run.name or run.run)]
    if knobs.beside == _BASE:
        voices.append((base_voice(own), f"{run.base}, the base of {run.name or run.run}"))
    elif knobs.beside and knobs.beside != run.run:
        voices.append((tuned_voice(find_run(session.home, knobs.beside)), knobs.beside))
    seed = (0 if new_seed else knobs.form["seed"]) or secrets.randbelow(2**31 - 1) + 1
    request = request_of(knobs.form, typed, seed, answers=answers)
    made: list[StoredSample] = []
    if run.stale:
        session.console.say(f"The run is stale. {run.stale}")
    for voice, name in voices:
        session.console.say(f"Generated by {name} (seed {request.seed}); not written by a person.")
        if not _speak(session, voice, request, made):
            break
    session.state.sampled = True
    if not made:
        session.console.say("No sample was finished.")

    def again() -> None:
        _generate(session, knobs, run, typed, answers=answers, new_seed=True)

    def begin_with(words: str) -> None:
        _generate(session, knobs, run, words, new_seed=True)

    go_through(session, made, again, begin_with)


def _speak(
    session: Session, voice: Voice, request: SampleRequest, made: list[StoredSample]
) -> bool:
    """Says each text as it is done, numbered behind those that are ``made``; False when the person
    has stopped it.
    """
    from core.sampling.store import sample_and_store

    sampler, before = session.sampler(voice), len(made)

    def work(tell: Tell, stopped: Callable[[], bool]) -> bool:
        not_stored: list[str] = []
        session.load(sampler, tell, stopped)
        if stopped():
            return False
        for _, stored in sample_and_store(voice, sampler, request, not_stored.append):
            done = len(made) - before
            tell(f"{done} of {request.n} are there.")
            if stored is not None:
                made.append(stored)
                say_sample(session, stored, len(made))
        if not_stored:
            session.console.say(f"The samples were not stored in the run: {not_stored[0]}.")
        return not stopped()

    return session.work(work, sampler.stop)


def _blind(session: Session) -> None:
    """Pairs of a real tweet and a generated text, until the person goes back."""
    from core.report.blind import BlindResult, blind_result, prepare_blind
    from core.runs.folder import find_run

    console, summary = session.console, with_model(session)
    if summary is None:
        return
    run = find_run(session.home, summary.run)
    n = int(console.number("How many questions?", 1, 120, 10, whole=True))
    console.say("The model writes the texts for it.")

    def work(tell: Tell, stopped: Callable[[], bool]) -> BlindTest:
        return prepare_blind(
            run,
            n,
            seed=secrets.randbelow(2**31),
            progress=lambda moved: tell(f"{moved.done} of {moved.total} texts are there."),
            cancelled=stopped,
        )

    test = session.work(work)
    right = answers = 0
    try:
        for number, question in enumerate(test.questions):
            console.say("", f"Question {number + 1} of {len(test.questions)}.")
            right += test.answer(number, _ask_real(session, test.who, question))
            answers += 1
    except Back:
        pass
    console.say(BlindResult(test.who, right, answers).in_words())
    total = blind_result(run)
    if total is not None and total.answers > answers:
        console.say(f"All tests of this model so far: {total.right} of {total.answers} right.")


def _ask_real(session: Session, who: str, question: Question) -> Literal[1, 2]:
    place = session.console.choose(f"Which one did {who} write?", question.texts)
    return 1 if place == 0 else 2
