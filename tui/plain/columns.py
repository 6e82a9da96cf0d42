"""Which column of a table is the text, the author, the date and so on: asked with numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.plain.console import Console
from tui.text.columns import NAMELESS, ROLES, lost_role, mapped, meant
from tui.widgets.cells import cut

if TYPE_CHECKING:
    from core.sources.preview import TableColumn

_EXAMPLE: Final = 50  # cells; two lines of the screen hold a column and its example
_HELP: Final = (
    "The example is the first value of that column. What is chosen holds for this file only, until "
    "its tweets are in."
)


def name_text(
    console: Console, path: Path, encoding: str | None, mapping: Mapping[str, str]
) -> dict[str, str]:
    """``mapping`` with the column that the person takes for the text."""
    from core.sources.preview import table_columns

    columns = table_columns(path, encoding=encoding)
    place = console.choose("Which column is the text?", _listed(columns), _HELP)
    return mapped(mapping, "text", columns[place].name)


def name_columns(
    console: Console, path: Path, encoding: str | None, mapping: Mapping[str, str]
) -> dict[str, str]:
    """``mapping`` as the person wants it, one role after the other."""
    from core.sources.preview import table_columns

    columns = table_columns(path, encoding=encoding)
    there = {column.name for column in columns}
    now = {role: name for role, name in mapping.items() if name in there}
    while True:
        read_as = meant(columns, now)
        options = [
            f"{role.label}: {_in_words(read_as[role.name]) if role.name in read_as else 'none'}"
            for role in ROLES
        ]
        place = console.choose(
            "This is what is read from which column. Which one is to be another?",
            [*options, "None of them: go on with these."],
            "Choose one by its number, then its column. " + _HELP,
            default=len(options),
        )
        if place == len(options):
            return now
        role, before = ROLES[place], now
        usual = meant(columns, mapped(now, role.name, None)).get(role.name)
        guess = f"the one that is guessed, {usual.name or NAMELESS}" if usual else "none of them"
        chosen = console.choose(
            f"{role.help} Which column holds it?", [*_listed(columns), guess], _HELP
        )
        name = columns[chosen].name if chosen < len(columns) else None
        now = mapped(now, role.name, name)
        if lost := lost_role(before, now):
            console.say(lost)


def _listed(columns: Sequence[TableColumn]) -> list[str]:
    return [_in_words(column) for column in columns]


def _in_words(column: TableColumn) -> str:
    name = column.name or NAMELESS
    return f"{name}, for example “{cut(column.example, _EXAMPLE)}”" if column.example else name
