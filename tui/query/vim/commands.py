"""How keys become one of Vim's commands: open this for the grammar of counts and operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tui.query.vim.motions import MOTIONS
from tui.query.vim.objects import OBJECTS

# Nobody means more, and so many of a long text are still made at once.
MOST: Final = 9_999
OPERATORS: Final = ("d", "c", "y", ">", "<")
WHOLE_LINES: Final = "line"
"""In place of a motion: dd, cc, yy, >> and <<."""

_SHORT: Final = {
    "x": ("d", "l"),
    "delete": ("d", "l"),
    "X": ("d", "h"),
    "D": ("d", "$"),
    "C": ("c", "$"),
    "Y": ("y", WHOLE_LINES),
    "s": ("c", "l"),
    "S": ("c", WHOLE_LINES),
}
_SAME: Final = {"left": "h", "right": "l", "up": "k", "down": "j", "home": "0", "end": "$"}
_ALONE: Final = frozenset("~JpPu.iaIAoOvV") | {"ctrl+r"}
_IN_VISUAL: Final = frozenset("~JpPuUoOvV") | {"escape"}
_VISUAL_SHORT: Final = {
    "x": ("d", ""),
    "delete": ("d", ""),
    "s": ("c", ""),
    "X": ("d", WHOLE_LINES),
    "D": ("d", WHOLE_LINES),
    "Y": ("y", WHOLE_LINES),
    "C": ("c", WHOLE_LINES),
    "S": ("c", WHOLE_LINES),
    "R": ("c", WHOLE_LINES),
}


class Unfinished(Exception):
    """The keys begin a command that needs more of them."""


@dataclass(frozen=True)
class Command:
    """``count`` is at least 1; ``given``: somebody typed it.

    name      a motion, an object (``iw``), ``line``, or a command of its own (``p``)
    argument  the character of f F t T r, or the words of / and ?
    """

    name: str = ""
    operator: str = ""
    count: int = 1
    given: bool = False
    register: str = ""
    argument: str = ""


class _Keys:
    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = list(keys)

    def next(self) -> str:
        if not self._keys:
            raise Unfinished
        return self._keys.pop(0)


def parse(keys: Sequence[str], *, visual: bool) -> Command | None:
    """The command that the keys are; None for none, raises Unfinished for the start of one."""
    rest = _Keys(keys)
    register, count = "", 0
    while True:
        key = rest.next()
        if key == '"':
            register = rest.next()
            if not (len(register) == 1 and (register in '"+*_0' or register.islower())):
                return None
        elif _is_digit(key, count):
            count = min(MOST, 10 * count + int(key))
        else:
            break
    command = Command(count=max(1, count), given=count > 0, register=register)
    return _visual(key, rest, command) if visual else _normal(key, rest, command)


def _is_digit(key: str, count: int) -> bool:
    return key in tuple("123456789") or (key == "0" and count > 0)


def _normal(key: str, rest: _Keys, command: Command) -> Command | None:
    if key in _ALONE:
        return replace(command, name=key)
    if key in _SHORT:
        operator, name = _SHORT[key]
        return replace(command, operator=operator, name=name)
    if key == "r":
        return _with_sign(replace(command, name=key), rest)
    if key not in OPERATORS:
        return _motion(key, rest, command)
    operated, count = replace(command, operator=key), 0
    while _is_digit(key := rest.next(), count):
        count = min(MOST, 10 * count + int(key))
    if count:
        operated = replace(operated, count=min(MOST, count * operated.count), given=True)
    if key == operated.operator:
        return replace(operated, name=WHOLE_LINES)
    if key in ("i", "a"):
        return _object(key, rest, operated)
    return _motion(key, rest, operated)


def _visual(key: str, rest: _Keys, command: Command) -> Command | None:
    if key in OPERATORS:
        return replace(command, operator=key)
    if key in _VISUAL_SHORT:
        operator, name = _VISUAL_SHORT[key]
        return replace(command, operator=operator, name=name)
    if key in _IN_VISUAL:
        return replace(command, name=key)
    if key == "r":
        return _with_sign(replace(command, name=key), rest)
    if key in ("i", "a"):
        return _object(key, rest, command)
    return _motion(key, rest, command)


def _object(key: str, rest: _Keys, command: Command) -> Command | None:
    name = rest.next()
    return replace(command, name=key + name) if name in OBJECTS else None


def _motion(key: str, rest: _Keys, command: Command) -> Command | None:
    name = _SAME.get(key, key)
    if name == "g":
        name += rest.next()
    command = replace(command, name=name)
    if name in ("f", "F", "t", "T"):
        return _with_sign(command, rest)
    if name in ("/", "?"):
        words = ""
        while (key := rest.next()) != "enter":
            if len(key) != 1:
                return None
            words += key
        return replace(command, argument=words)
    return command if name in MOTIONS or name in (";", ",", "n", "N") else None


def _with_sign(command: Command, rest: _Keys) -> Command | None:
    key = rest.next()
    sign = {"enter": "\n", "tab": "\t"}.get(key, key)
    return replace(command, argument=sign) if len(sign) == 1 else None
