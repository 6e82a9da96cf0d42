"""What is done with generated texts in the plain mode: hear, keep, explain and repeat them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import InputRefused, WrongUsage
from core.home import in_full
from core.numbers import percent, plural
from tui.cli.long_work import Stopped
from tui.plain.console import spoken
from tui.plain.menu import PAGE, browse, one_of
from tui.plain.session import Session, Tell
from tui.text.numbers import day
from tui.text.samples import (
    PROBABILITY,
    UNLIKELY,
    copy_in_words,
    first_words,
    near_in_words,
    token_in_words,
    tokens_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.sampling.favourites import Favourite
    from core.sampling.store import Repeated, StoredSample


def say_sample(session: Session, stored: StoredSample, number: int) -> None:
    """With its number, whether it was cut, and whether it is a copy."""
    cut = stored.sample.stopped in ("length", "stopped")
    session.console.numbered([f"{stored.text}{' (cut off here)' if cut else ''}"], number)
    if words := copy_in_words(stored.sample.copy):
        session.console.say(words)


def go_through(
    session: Session,
    made: list[StoredSample],
    again: Callable[[], None],
    begin_with: Callable[[str], None],
) -> None:
    """What was generated just now as a list, and what can be done with each text. ``again`` writes
    more with the same beginning, ``begin_with`` with another one.
    """

    def pick(typed: str, word: str) -> StoredSample:
        return made[one_of(typed, len(made), f"{word} 1")]

    def keep(typed: str) -> None:
        from core.sampling.favourites import keep_sample

        keep_sample(session.home, pick(typed, "keep"))
        session.console.say(f"Number {typed} is kept among the favourites.")

    def more(typed: str) -> None:
        stored = pick(typed, "more")
        begin_with(first_words(stored.text, stored.prompt))

    def picture(typed: str) -> None:
        number, _, path = typed.partition(" ")
        _draw(session, pick(number, "picture"), path.strip())

    orders: dict[str, tuple[str, Callable[[str], object]]] = {
        "keep": ("keep and a number to keep that sample", keep),
        "why": (
            "why and a number for the tweets that it may have that from",
            lambda typed: _why(session, pick(typed, "why")),
        ),
        "tokens": (
            "tokens and a number to hear how likely each of its tokens was",
            lambda typed: _tokens(session, pick(typed, "tokens")),
        ),
        "repeat": (
            "repeat and a number to make it once more and hear whether it is the same",
            lambda typed: _make_again(session, pick(typed, "repeat")),
        ),
    }
    orders["again"] = ("again to write others with the same beginning", lambda _: again())
    orders["more"] = ("more and a number to write others that begin like it", more)
    orders["picture"] = (
        "picture with a number and a path to draw it as a picture, labelled as AI-generated",
        picture,
    )
    browse(
        session.console,
        made,
        lambda place: made[place].text,
        "to hear that sample again",
        lambda place: say_sample(session, made[place], place + 1),
        orders,
        heard=len(made) <= PAGE,
    )


def _why(session: Session, stored: StoredSample) -> None:
    """The training tweets whose words are nearest to a sample."""
    from core.runs.folder import find_run
    from core.sampling.nearest import nearest_tweets

    run = find_run(session.home, stored.run)
    found = session.work(lambda _, __: nearest_tweets(run.dataset, stored.text, stored.prompt))
    if not found:
        session.console.say("None of its words is in a training tweet.")
        return
    session.console.say("The training tweets whose words are nearest to it:")
    for number, near in enumerate(found, 1):
        about, text = near_in_words(near)
        session.console.numbered([about], number)
        session.console.show(text)
    session.console.say("That shows where words may come from; it learned from all tweets at once.")


def _draw(session: Session, stored: StoredSample, typed: str) -> None:
    """As `mynah share` does; a copy of somebody's tweet is no picture of the model's."""
    from core.files import write_bytes_whole
    from core.publish.picture import kind_of
    from core.runs.folder import find_run
    from tui.sample.picture import drawn

    if stored.sample.copy.of_a_tweet:
        raise InputRefused("It copies a tweet: these are a person's own words, not the model's.")
    folder = find_run(session.home, stored.run).folder
    path = in_full(typed or f"{stored.run}.png")
    kind = kind_of(path)
    if session.may_write([path]):
        picture = session.work(lambda _, __: drawn(stored, folder, kind))
        write_bytes_whole(path, picture.content)
        session.console.say(f"It is drawn in {path}, labelled as AI-generated.")
        if picture.missing:
            session.console.say(f"Warning: no font here has {picture.missing}.")


def _make_again(session: Session, stored: StoredSample) -> None:
    again = _repeated(session, stored)
    if again is not None:
        session.console.say(again.in_words)
        if not again.same:
            session.console.show(again.sample.text)


def _tokens(session: Session, stored: StoredSample) -> None:
    """Makes the sample once more, because probabilities are not stored, and lists its tokens."""
    console = session.console
    console.say("Making the sample once more, to get its probabilities.")
    again = _repeated(session, stored, probabilities=True)
    if again is None:
        return
    tokens = again.sample.probabilities
    if not again.same:
        console.say(again.in_words)
    console.say(tokens_in_words(tokens), PROBABILITY)

    def line(place: int) -> str:
        return spoken(token_in_words(tokens[place]))

    def unlikely(_: str) -> None:
        found = [place for place, one in enumerate(tokens) if one.probability < UNLIKELY]
        for place in found:
            console.numbered([line(place)], place + 1)
        if not found:
            console.say(f"Each of them was at least {percent(UNLIKELY)} likely.")

    browse(
        console,
        tokens,
        line,
        "",
        orders={"unlikely": (f"unlikely to hear only those under {percent(UNLIKELY)}", unlikely)},
    )


def _repeated(session: Session, stored: StoredSample, **changes: Any) -> Repeated | None:
    """The sample, made again from what is stored of it; None, which is said, where it was stopped.
    Raises InputRefused for one that this version cannot make.
    """
    from core.runs.folder import find_run
    from core.sampling.store import repeat
    from core.sampling.voices import voice_of

    stored.request()
    voice = voice_of(find_run(session.home, stored.run), stored.model)
    sampler = session.sampler(voice)

    def work(tell: Tell, stopped: Stopped) -> Repeated | None:
        session.load(sampler, tell, stopped)
        return None if stopped() else repeat(stored, sampler, voice.hash(), **changes)

    found = session.work(work, sampler.stop)
    if found is None:
        session.console.say("Stopped before the sample was complete.")
    return found


def list_favourites(session: Session) -> None:
    """All that were kept, in that order, with what is done with one of them."""
    from core.sampling.favourites import drop_favourite, favourites

    found = favourites(session.home)
    if not found:
        session.console.say(
            "There are no favourites yet. After writing, keep and a number adds one."
        )

    def drop(typed: str) -> None:
        one = found[one_of(typed, len(found), "drop 1")]
        drop_favourite(session.home, one.id)
        found[:] = favourites(session.home)
        session.console.say(f"Number {typed} is no longer a favourite.")

    def note(typed: str) -> None:
        from core.sampling.favourites import note_favourite

        number, _, words = typed.partition(" ")
        note_favourite(session.home, found[one_of(number, len(found), "note 1 the best")].id, words)
        found[:] = favourites(session.home)
        session.console.say(
            f"It is noted on number {number}." if words.strip() else f"Number {number} has no note."
        )

    def edit(typed: str) -> None:
        from core.sampling.favourites import edit_favourite

        number, _, words = typed.partition(" ")
        one = found[one_of(number, len(found), "edit 1 and the new words")]
        if not words.strip():
            raise WrongUsage("No words were typed.", "", "Type them behind the number.")
        edit_favourite(session.home, one.id, words.strip())
        found[:] = favourites(session.home)
        session.console.say(f"Number {number} is edited.")

    browse(
        session.console,
        found,
        lambda place: _favourite_line(found[place]),
        "to hear how that one was made",
        lambda place: _open_favourite(session, found[place]),
        {
            "drop": ("drop and a number to take that one off the list", drop),
            "note": ("note with a number and words to note them on it", note),
            "edit": ("edit with a number and words to have these words in its place", edit),
            "file": (
                "file and a path to write them all there",
                lambda typed: _export(session, found, typed),
            ),
        },
        "A file ends in .txt, .csv or .jsonl.",
    )


def _favourite_line(one: Favourite) -> str:
    return f"{' '.join(one.text.split())}{f' (noted: {one.note})' if one.note else ''}"


def _open_favourite(session: Session, one: Favourite) -> None:
    from core.sampling.store import find_sample

    session.console.show(one.text)
    by = one.run
    with suppress(InputRefused):  # of another version, or of a run that is gone
        by = f"the base of {by}" if find_sample(session.home, one.id).model == "base" else by
    session.console.say(
        f"{'You have edited it since. ' if one.edited else ''}Generated by {by} on "
        f"{day(one.when)}, seed {one.settings.get('seed')}."
    )
    if words := copy_in_words(one.copy):
        session.console.say(words)


def _export(session: Session, found: list[Favourite], typed: str) -> None:
    from core.sampling.favourites import export_favourites

    path = in_full(typed or "favourites.csv")
    if session.may_write([path]):
        written = export_favourites(found, path, replace_it=True)
        session.console.say(f"{plural(written, 'favourite')} written to {path}.")
