"""Menus and lists of the plain mode: what there is as numbered lines, and what a number does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from core.errors import MynahError, WrongUsage, refused_by_system
from tui.plain.console import Back, Console, place_of

if TYPE_CHECKING:
    from tui.widgets.field import Field

PAGE: Final = 10
# Takes the key of a field and the value that a person gave it.
Take = Callable[[str, Any], object]
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
        what = f"{typed} is not a number from 1 to {many}." if typed else "No number was named."
        raise WrongUsage(what, "", f"Type it behind the word, as in: {example}")
    return place


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


# ── the fields of the app's forms ────────────────────────────────────────────────────────────


def field_item(console: Console, field: Field[Any], value: Any, take: Take) -> Item:
    """A field of a form of the app as a line with its ``value``. Its number asks for another one,
    in the field's words and within its limits, and gives it to ``take`` with the field's key.
    """
    return Item(
        f"{field.label}: {_shown(field, value)}", partial(_ask_field, console, field, value, take)
    )


def _shown(field: Field[Any], value: Any) -> str:
    from tui.widgets.typed_field import NumberField, TextField

    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(field, NumberField):
        if field.zero_text and not value:
            return field.zero_text
        return f"{value:,.10g}{f' {field.unit}' if field.unit else ''}"
    if isinstance(field, TextField):
        return value or field.empty_text
    return str(value)


def _ask_field(console: Console, field: Field[Any], value: Any, take: Take) -> None:
    from tui.widgets.choice_field import ChoiceField
    from tui.widgets.typed_field import NumberField, TextField

    name = f"{field.label[:1].upper()}{field.label[1:]}"
    given: Any
    if isinstance(field, NumberField):
        low, high = field.minimum or 0, field.maximum or 0
        whole = field.decimals == 0
        given = console.number(
            f"{name}? It is {_shown(field, value)} now.", low, high, value, field.help, whole=whole
        )
        given = int(given) if whole else given
    elif isinstance(field, ChoiceField):
        options = [f"{one.label}{f': {one.help}' if one.help else ''}" for one in field.choices]
        given = field.choices[console.choose(f"{name}?", options, field.help)].value
    elif isinstance(field, TextField):
        typed = console.ask(f"{name}? {field.help} Type {field.empty_text} for none of them.")
        given = "" if typed == field.empty_text else typed
    else:
        given = console.yes(f"{name}?", field.help)
    take(field.key, given)
    console.say(f"{name}: {_shown(field, given)}.")
