"""Where Vim's motions lead: open this for what w, f, % or } mean in a text.

Places are indices into the whole text; that of a newline is the end of its line. Behaviour is that
of Vim 9 with its defaults (``:help motion.txt``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["exclusive", "inclusive", "linewise"]

FAR: Final = 1 << 30
"""The column that j and k keep to after $: the end of each line."""
_BRACKETS: Final = {"(": ")", "[": "]", "{": "}"}
_OPENING: Final = {closing: opening for opening, closing in _BRACKETS.items()}


# ── lines ────────────────────────────────────────────────────────────────────────────────


def line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """The index of the newline that ends the line of ``at``, or of the end of the text."""
    found = text.find("\n", at)
    return len(text) if found == -1 else found


def last_of_line(text: str, at: int) -> int:
    """Where $ leads: the last character, or the only place of an empty line."""
    return max(line_start(text, at), line_end(text, at) - 1)


def first_nonblank(text: str, at: int) -> int:
    place, end = line_start(text, at), last_of_line(text, at)
    while place < end and text[place] in " \t":
        place += 1
    return place


def row_of(text: str, at: int) -> int:
    return text.count("\n", 0, at)


def start_of_row(text: str, row: int) -> int:
    """Where a line begins, counted from 0; the last line for any row behind it."""
    at = 0
    for _ in range(row):
        found = text.find("\n", at)
        if found == -1:
            break
        at = found + 1
    return at


def in_column(text: str, at: int, column: int, *, past_end: bool = False) -> int:
    """The place in the line of ``at`` that is nearest to ``column``."""
    last = line_end(text, at) if past_end else last_of_line(text, at)
    return min(line_start(text, at) + column, last)


def empty_line(text: str, at: int) -> bool:
    return line_start(text, at) == line_end(text, at)


def blank(text: str, at: int) -> bool:
    """Whether there is a space, a tab or the end of a line."""
    return at >= len(text) or text[at] in " \t\n"


def in_indent(text: str, at: int) -> bool:
    """Whether nothing but spaces stands before ``at`` in its line."""
    return not text[line_start(text, at) : at].strip(" \t")


# ── motions ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Step:
    """What a motion is asked: ``count`` is at least 1, ``given`` whether somebody typed it.

    argument   the character of f F t T
    column     where j and k want to be
    operator   the operator that waits for the motion, or ""
    past_end   visual mode: the cursor may stand on the end of a line
    again      f F t T repeated by ; or ,
    """

    text: str
    at: int
    count: int = 1
    given: bool = False
    argument: str = ""
    column: int = 0
    operator: str = ""
    past_end: bool = False
    again: bool = False


def _left(step: Step) -> int | None:
    start = line_start(step.text, step.at)
    return max(start, step.at - step.count) if step.at > start or step.operator else None


def _right(step: Step) -> int | None:
    end = line_end(step.text, step.at)
    last = end if step.operator or step.past_end else end - 1
    return min(last, step.at + step.count) if step.at < last or step.operator else None


def _back(step: Step) -> int | None:
    """backspace: to the left, over the ends of lines."""
    at = step.at
    for _ in range(step.count):
        if at == 0:
            break
        at -= 1
        newline = at > line_start(step.text, at) and at == line_end(step.text, at)
        if newline and step.operator not in ("d", "c") and not step.past_end:
            at -= 1
    return at if at < step.at or step.operator else None


def _onward(step: Step) -> int | None:
    """space: to the right, over the ends of lines."""
    at, text = step.at, step.text
    for _ in range(step.count):
        end = line_end(text, at)
        if at < (end if step.operator or step.past_end else end - 1):
            at += 1
        elif end < len(text):
            at = end + 1
        else:
            break
    return at if at > step.at else None


def _vertical(step: Step, by: int) -> int | None:
    row = row_of(step.text, step.at)
    there = min(max(row + by, 0), step.text.count("\n"))
    if there == row:
        return None
    at = start_of_row(step.text, there)
    return in_column(step.text, at, step.column, past_end=step.past_end)


def _down(step: Step) -> int | None:
    return _vertical(step, step.count)


def _up(step: Step) -> int | None:
    return _vertical(step, -step.count)


def _next_line(step: Step) -> int | None:
    at = _down(step)
    return None if at is None else first_nonblank(step.text, at)


def _line_before(step: Step) -> int | None:
    at = _up(step)
    return None if at is None else first_nonblank(step.text, at)


def _start(step: Step) -> int:
    return line_start(step.text, step.at)


def _nonblank(step: Step) -> int:
    return first_nonblank(step.text, step.at)


def _end(step: Step) -> int | None:
    if step.count > 1 and line_end(step.text, step.at) == len(step.text):
        return None
    at = start_of_row(step.text, row_of(step.text, step.at) + step.count - 1)
    return line_end(step.text, at) if step.past_end else last_of_line(step.text, at)


def _row(step: Step, without: int) -> int:
    row = step.count - 1 if step.given else without
    return first_nonblank(step.text, start_of_row(step.text, row))


def _first(step: Step) -> int:
    return _row(step, 0)


def _last(step: Step) -> int:
    return _row(step, step.text.count("\n"))


def _sort(text: str, at: int, *, big: bool) -> int:
    """0 for what is blank, 1 for punctuation, 2 for a word."""
    if blank(text, at):
        return 0
    return 2 if big or text[at].isalnum() or text[at] == "_" else 1


def _ends(text: str, at: int) -> bool:
    return at >= len(text) or text[at] == "\n"


def _word(step: Step, *, big: bool) -> int:
    """w: with an operator the last word ends with its line."""
    text, at = step.text, step.at
    for left in reversed(range(step.count)):
        within = bool(step.operator) and left == 0
        sort = _sort(text, at, big=big)
        last_line = line_end(text, at) == len(text)
        if at >= len(text) or (last_line and at + 1 >= len(text)):
            return len(text)
        at += 1
        if within and _ends(text, at):
            return at
        while sort and _sort(text, at, big=big) == sort:
            at += 1
            if within and _ends(text, at):
                return at
        while _sort(text, at, big=big) == 0 and not empty_line(text, at) and at < len(text):
            at += 1
            if within and _ends(text, at):
                break
    return at


def _word_back(step: Step, *, big: bool) -> int | None:
    text, at = step.text, step.at
    for _ in range(step.count):
        if at == 0:
            return None if at == step.at else at
        at -= 1
        while at > 0 and _sort(text, at, big=big) == 0 and not empty_line(text, at):
            at -= 1
        sort = _sort(text, at, big=big)
        while at > 0 and sort and _sort(text, at - 1, big=big) == sort:
            at -= 1
    return at


def end_of_word(step: Step, *, big: bool, stays: bool = False) -> int:
    """e; ``stays``: a word that ends under the cursor counts as one (Vim's cw)."""
    text, at = step.text, step.at
    for _ in range(step.count):
        sort = _sort(text, at, big=big)
        at += 1
        if not (sort and _sort(text, at, big=big) == sort) and not (stays and sort):
            while at < len(text) and _sort(text, at, big=big) == 0:
                at += 1
            sort = _sort(text, at, big=big)
        if at >= len(text) and not (stays and sort):
            return len(text) if blank(text, at - 1) else len(text) - 1
        while at < len(text) and _sort(text, at, big=big) == sort:
            at += 1
        at -= 1
        stays = False
    return at


def _find(step: Step, *, by: int, till: bool) -> int | None:
    """f F t T: in the line; t and T repeated go on to the next one."""
    text, at = step.text, step.at
    start, end = line_start(text, at), line_end(text, at)
    if till and step.again and step.count == 1:
        at += by  # or it would find the one that it stands before
    for _ in range(step.count):
        if by > 0:
            at = text.find(step.argument, at + 1, end)
        else:
            at = text.rfind(step.argument, start, max(at, start))
        if at == -1:
            return None
    return at - by if till else at


def _match(step: Step) -> int | None:
    """%: the bracket that belongs to the next one in the line; with a count, so far in percent."""
    text = step.text
    if step.given:
        row = ((text.count("\n") + 1) * step.count + 99) // 100 - 1
        return first_nonblank(text, start_of_row(text, row)) if step.count <= 100 else None
    for at in range(step.at, line_end(text, step.at)):
        sign = text[at]
        if sign in _BRACKETS:
            return bracket_after(text, at + 1, sign)
        if sign in _OPENING:
            return bracket_before(text, at, _OPENING[sign])
    return None


def bracket_after(text: str, at: int, opening: str) -> int | None:
    """Where the pair is closed whose inside begins at ``at``."""
    depth = 1
    for place in range(at, len(text)):
        depth += (text[place] == opening) - (text[place] == _BRACKETS[opening])
        if depth == 0:
            return place
    return None


def bracket_before(text: str, at: int, opening: str) -> int | None:
    """Where the pair was opened whose inside ends before ``at``."""
    depth = 1
    for place in range(at - 1, -1, -1):
        depth += (text[place] == _BRACKETS[opening]) - (text[place] == opening)
        if depth == 0:
            return place
    return None


def _paragraph(step: Step, by: int) -> int | None:
    """{ }: the next empty line behind one that is not."""
    lines = step.text.split("\n")
    row = row_of(step.text, step.at)
    for left in reversed(range(step.count)):
        passed = bool(lines[row])
        while True:
            if not 0 <= row + by < len(lines):
                if left:
                    return None
                break
            row += by
            if lines[row]:
                passed = True
            elif passed:
                break
    at = start_of_row(step.text, row)
    # the last line has no empty one behind it: all of it is passed over
    return line_end(step.text, at) if by > 0 and row == len(lines) - 1 else at


Motion = Callable[[Step], int | None]
MOTIONS: Final[dict[str, tuple[Motion, Kind]]] = {
    "h": (_left, "exclusive"),
    "l": (_right, "exclusive"),
    "backspace": (_back, "exclusive"),
    " ": (_onward, "exclusive"),
    "j": (_down, "linewise"),
    "k": (_up, "linewise"),
    "enter": (_next_line, "linewise"),
    "+": (_next_line, "linewise"),
    "-": (_line_before, "linewise"),
    "0": (_start, "exclusive"),
    "^": (_nonblank, "exclusive"),
    "$": (_end, "inclusive"),
    "gg": (_first, "linewise"),
    "G": (_last, "linewise"),
    "w": (lambda step: _word(step, big=False), "exclusive"),
    "W": (lambda step: _word(step, big=True), "exclusive"),
    "b": (lambda step: _word_back(step, big=False), "exclusive"),
    "B": (lambda step: _word_back(step, big=True), "exclusive"),
    "e": (lambda step: end_of_word(step, big=False), "inclusive"),
    "E": (lambda step: end_of_word(step, big=True), "inclusive"),
    "f": (lambda step: _find(step, by=1, till=False), "inclusive"),
    "t": (lambda step: _find(step, by=1, till=True), "inclusive"),
    "F": (lambda step: _find(step, by=-1, till=False), "exclusive"),
    "T": (lambda step: _find(step, by=-1, till=True), "exclusive"),
    "%": (_match, "inclusive"),
    "{": (lambda step: _paragraph(step, -1), "exclusive"),
    "}": (lambda step: _paragraph(step, 1), "exclusive"),
}


def search(text: str, at: int, words: str, *, by: int, count: int) -> int | None:
    """/ ? n N: where ``words`` stand next, letter by letter; goes on at the other end."""
    if not words:
        return None
    for _ in range(count):
        if by > 0:
            found = text.find(words, at + 1)
            at = found if found != -1 else text.find(words)
        else:
            found = text.rfind(words, 0, max(0, at - 1 + len(words)) if at else 0)
            at = found if found != -1 else text.rfind(words)
        if at == -1:
            return None
    return at
