"""Menus and lists of the plain mode: what there is as numbered lines, and what a number does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from core.errors import MynahError, WrongUsage, refused_by_system
from tui.plain.console import Back, Console, place_of

PAGE: Final = 10
# Further answers to a list, as ``keep`` in "keep 3": the words that explain it, and what is done
# with what is typed behind it; True where the list is to be heard from its beginning.
Orders = Mapping[str, tuple[str, Callable[[str], object]]]


@dataclass(frozen=True)
class Item:
    """A line of a menu: what it is, and what is done when its number is typed."""

    words: str
    do: partial[Any]


def menu(
    console: Console,
    title: str,
    items: Callable[[], Sequence[Item]],
    help: str,  # noqa: A002
) -> None:
    """Shows ``items``, made anew each time, and does what is chosen until the person goes back, or
    there are none. They are listed again when a number has come to do something else.

    What refuses is said, and the menu is there again. Raises Leave.
    """
    listed: list[object] = []  # what the numbers did, the last time
    while now := items():
        does: list[object] = [one.do.func for one in now]
        question = f"{title}: a number from 1 to {len(now)}, or an empty line for the list."
        if listed != does:
            console.say("", f"{title}.")
            console.numbered(one.words for one in now)
            question = f"Type a number from 1 to {len(now)}."
        listed = does
        try:
            typed = console.ask(question, help, default="")
        except Back:
            return
        place = place_of(typed, len(now))
        if place is not None:
            attempt(console, now[place].do)
        elif typed:
            console.say(f"{typed} is not a number from 1 to {len(now)}.")
        else:
            listed = []


def attempt(console: Console, do: Callable[[], object]) -> object:
    """What ``do`` gives; None, with the reason said, where it is refused, stopped or left by b."""
    try:
        return do()
    except Back:
        return None
    except MynahError as error:
        console.say(str(error))
        return None
    except OSError as error:
        refused = refused_by_system(error)
        if refused is None:
            raise
        console.say(str(refused))
        return None


def browse(
    console: Console,
    rows: Sized,
    line: Callable[[int], str],
    number_does: str,
    open_one: Callable[[int], object] | None = None,
    orders: Orders | None = None,
    help: str = "",  # noqa: A002
    *,
    heard: bool = False,
) -> None:
    """A long list, ten lines at a time, until the person goes back or ``rows`` are none any more.

    ``number_does`` says what the number of a line is for ("to hear all of that tweet"). ``heard``:
    the first lines have been said just now.
    """
    first, listed, explained = 0, heard, False
    orders = orders or {}
    before = len(rows)
    while many := len(rows):
        if many != before:  # what was done with one has changed the list
            first, listed, before = min(first, (many - 1) // PAGE * PAGE), False, many
        last = min(first + PAGE, many)
        if not listed:
            console.numbered((line(place) for place in range(first, last)), first + 1)
        can = {f"a number {number_does}": "a number"} if open_one is not None else {}
        can |= {"n for the next ones": "n"} if last < many else {}
        can |= {"p for those before": "p"} if first else {}
        can |= {words: word for word, (words, _) in orders.items()}
        can["b to go back"] = "b"
        where = f"These are {first + 1:,} to {last:,} of {many:,}. " if many > PAGE else ""
        full = f"Type {_either(can)}."
        short = f"Type {_either(can.values())}."
        question = short if explained else full
        typed = console.ask(
            f"{'' if listed and not heard else where}{question}", f"{full} {help}", default=""
        )
        listed, heard, explained = True, False, True
        word, _, rest = typed.partition(" ")
        place = place_of(typed, many)
        if typed == "n" and last < many:
            first, listed = last, False
        elif typed == "p" and first:
            first, listed = max(0, first - PAGE), False
        elif word in orders:
            if attempt(console, partial(orders[word][1], rest.strip())) is True:
                first, listed = 0, False
        elif place is not None and open_one is not None:
            attempt(console, partial(open_one, place))
        elif typed:
            console.say(f"{typed} is not one of these answers.")
        else:
            listed = False


def one_of(typed: str, many: int, example: str) -> int:
    """The place, counted from 0, of the number behind an order; raises WrongUsage without one."""
    place = place_of(typed, many)
    if place is None:
        raise WrongUsage("No number was named.", "", f"Type it behind the word, as in: {example}")
    return place


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
