"""Menus and lists of the plain mode: what there is as numbered lines, and what a number does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.errors import MynahError
from tui.plain.console import Back, Console, place_of

PAGE: Final = 10


@dataclass(frozen=True)
class Item:
    """A line of a menu: what it is, and what is done when its number is typed."""

    words: str
    do: Callable[[], object]


def menu(
    console: Console,
    title: str,
    items: Callable[[], Sequence[Item]],
    help: str,  # noqa: A002
) -> None:
    """Shows ``items``, made anew each time, and does what is chosen until the person goes back.

    What refuses is said, and the menu is there again. Raises Leave.
    """
    listed = 0  # items, the last time
    while True:
        now = items()
        question = f"{title}: a number from 1 to {len(now)}, or an empty line for the list."
        if listed != len(now):
            console.say("", f"{title}.")
            console.numbered(one.words for one in now)
            question = f"Type a number from 1 to {len(now)}."
        listed = len(now)
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
            listed = 0


def attempt(console: Console, do: Callable[[], object]) -> bool:
    """Does it; False, with the reason said, where it is refused, stopped or left by b."""
    try:
        do()
    except Back:
        return False
    except MynahError as error:
        console.say(str(error))
        return False
    return True


def browse(
    console: Console,
    many: int,
    line: Callable[[int], str],
    what: str,
    open_one: Callable[[int], object] | None = None,
    letters: Mapping[str, tuple[str, Callable[[str], object]]] | None = None,
    help: str = "",  # noqa: A002
) -> None:
    """A long list, ten lines at a time, until the person goes back.

    ``what`` is one of them ("tweet"). ``letters`` are further orders, as ``keep`` in "keep 3": the
    words that explain it, and what is done with what is typed behind it.
    """
    first, listed = 0, False
    orders = letters or {}
    while many:
        last = min(first + PAGE, many)
        if not listed:
            console.numbered((line(place) for place in range(first, last)), first + 1)
            listed = True
        typed = _ask_of_list(console, first, last, many, what, orders, help, open_one is not None)
        word, _, rest = typed.partition(" ")
        place = place_of(typed, many)
        if typed == "n" and last < many:
            first, listed = last, False
        elif typed == "p" and first:
            first, listed = max(0, first - PAGE), False
        elif word in orders:
            attempt(console, lambda rest=rest, do=orders[word][1]: do(rest.strip()))  # type: ignore[misc]
        elif place is not None and open_one is not None:
            attempt(console, lambda place=place: open_one(place))  # type: ignore[misc]
        elif typed:
            console.say(f"{typed} is not one of these answers.")
        else:
            listed = False


def _ask_of_list(
    console: Console,
    first: int,
    last: int,
    many: int,
    what: str,
    orders: Mapping[str, tuple[str, Callable[[str], object]]],
    help: str,  # noqa: A002
    opens: bool,
) -> str:
    can = []
    if opens:
        can.append(f"a number for all of that {what}")
    if last < many:
        can.append("n for the next ones")
    if first:
        can.append("p for those before")
    can += [words for words, _ in orders.values()]
    can.append("b to go back")
    where = f"These are {first + 1:,} to {last:,} of {many:,}." if many > PAGE else ""
    return console.ask(f"{where} Type {_either(can)}.".strip(), help, default="")


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
