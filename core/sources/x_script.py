"""The .js files of an X archive: ``window.YTD.tweets.part0 = [ … ]``, JSON behind an assignment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from core.errors import InputRefused

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def read_object(text: str, where: str) -> Any:
    """The one value behind the ``=``; raises InputRefused naming file, line and column."""
    start = _value_start(text, where)
    return _decode(text, start, where)[0]


def read_list(text: str, where: str) -> Iterator[Any]:
    """The elements of the list behind the ``=``, decoded one at a time to keep memory small.

    Raises InputRefused naming file, line and column where the JSON is broken. The list may begin
    on the line of the assignment, and a ``;`` may follow it.
    """
    at = _value_start(text, where)
    if text[at : at + 1] != "[":
        value = _decode(text, at, where)[0]
        raise InputRefused(f"{where} does not hold a list but {type(value).__name__}.")
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return
    while True:
        value, at = _decode(text, at, where)
        yield value
        at = _skip(text, at)
        sign = text[at : at + 1]
        if sign == "]":
            return
        if sign != ",":
            raise _broken(text, at, where, "the list goes on without a comma" if sign else "")
        at = _skip(text, at + 1)


def _value_start(text: str, where: str) -> int:
    """Where the JSON begins: behind the first ``=`` when the file begins with an assignment."""
    at = _skip(text, 0)
    if text[at : at + 1] not in ("[", "{"):
        equals = text.find("=", at)
        if equals < 0:
            raise InputRefused(
                f"{where} is not a file of an X archive.",
                "It should begin with an assignment (window.YTD… =)." if text.strip() else "",
                "Download the archive again." if text.strip() else "The file is empty.",
            )
        at = _skip(text, equals + 1)
    return at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _decode(text: str, at: int, where: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise _broken(text, error.pos, where, error.msg) from None
    except RecursionError:
        raise _broken(text, at, where, "nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise _broken(text, at, where, str(error)) from None


def _broken(text: str, at: int, where: str, problem: str) -> InputRefused:
    if at >= len(text.rstrip()):
        problem = "the file ends too early"
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return InputRefused(
        f"{where} is broken at line {line:,}, column {column:,} (character {at:,}).",
        f"{problem[:1].upper()}{problem[1:]}.",
        "Download or export it again.",
    )
