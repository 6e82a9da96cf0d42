"""What Vim's text objects hold: open this for iw, a(, i" and the like (``:help text-objects``)."""

from __future__ import annotations

from typing import Final, NamedTuple

from tui.query.vim.motions import (
    bracket_after,
    bracket_before,
    in_indent,
    last_of_line,
    line_end,
    line_start,
)


class Span(NamedTuple):
    """From ``start`` to before ``end``; of whole lines without the last newline if ``linewise``."""

    start: int
    end: int
    linewise: bool = False


_BRACKETS: Final = {
    **dict.fromkeys("()b", "("),
    **dict.fromkeys("{}B", "{"),
    **dict.fromkeys("[]", "["),
}
OBJECTS: Final = frozenset({"w", "W", "p", '"', "'", "`", *_BRACKETS})


def object_at(text: str, at: int, name: str, *, around: bool, count: int = 1) -> Span | None:
    """What i (or a, with ``around``) and ``name`` mean at a place; None where there is none."""
    if name in "wW":
        return _word(text, at, big=name == "W", around=around, count=count)
    if name == "p":
        return _paragraph(text, at, around=around, count=count)
    if name in _BRACKETS:
        return _brackets(text, at, _BRACKETS[name], around=around, count=count)
    return _quoted(text, at, name, around=around, both=count > 1)


def grown(
    text: str, anchor: int, cursor: int, name: str, *, around: bool, count: int
) -> tuple[int, int, bool] | None:
    """A selection from ``anchor`` to ``cursor`` as the object, or grown by it when it is more than
    a character: the new ends, both in it, and whether it is of whole lines.
    """
    begin, end = sorted((anchor, cursor))
    alone, back = begin == end, cursor < anchor
    on = name in "wWp" and not alone  # goes on where the selection ends
    at = begin
    if on:
        edge = cursor if name != "p" else (line_start if back else line_end)(text, cursor)
        at = min(max(0, edge + (-1 if back else 1)), len(text))
    span = object_at(text, at, name, around=around, count=count)
    if not alone and span is not None and begin <= span.start and span.end <= end + 1:
        span = object_at(text, at, name, around=around, count=count + 1)
    if span is None or span.start == span.end:
        return None
    last = max(span.start, span.end - 1)
    return anchor if on else span.start, span.start if on and back else last, span.linewise


# ── words ────────────────────────────────────────────────────────────────────────────────


def _runs(line: str, *, big: bool) -> list[tuple[int, int, bool]]:
    """The words of a line and the blanks between them: from, to, whether blank."""
    found: list[tuple[int, int, bool]] = []
    before = -1
    for column, sign in enumerate(line):
        word = big or sign.isalnum() or sign == "_"
        sort = 0 if sign in " \t" else 2 if word else 1
        if sort == before:
            found[-1] = (found[-1][0], column + 1, sort == 0)
        else:
            found.append((column, column + 1, sort == 0))
        before = sort
    return found


def _word(text: str, at: int, *, big: bool, around: bool, count: int) -> Span | None:
    start = line_start(text, at)
    runs = _runs(text[start : line_end(text, at)], big=big)
    first = next((n for n, run in enumerate(runs) if start + run[0] <= at < start + run[1]), None)
    if first is None:
        return Span(at, at) if not around and not runs else None
    last, blanks = first, False
    for part in range(count):
        last += part > 0
        if around and last < len(runs):
            # a word and the blanks behind it, or blanks and the word behind them
            blanks = runs[last][2] or (last + 1 < len(runs) and runs[last + 1][2])
            last += blanks
        if last >= len(runs):
            return None
    if around and not blanks and first > 1 and runs[first - 1][2]:
        first -= 1  # no blanks behind it: those before, but for an indent
    return Span(start + runs[first][0], start + runs[last][1])


# ── paragraphs ───────────────────────────────────────────────────────────────────────────


def _paragraph(text: str, at: int, *, around: bool, count: int) -> Span | None:
    lines = text.split("\n")
    first = text.count("\n", 0, at)
    kinds = [not line.strip(" \t") for line in lines]

    def behind(row: int) -> int:
        end = row
        while end < len(lines) and kinds[end] == kinds[row]:
            end += 1
        return end

    while first > 0 and kinds[first - 1] == kinds[first]:
        first -= 1
    end = first
    for part in range(count * (2 if around else 1)):
        if end >= len(lines):
            if not around or kinds[first] or part < 2 * count - 1:
                return None
            while first > 0 and kinds[first - 1]:  # no empty lines behind it: those before
                first -= 1
            break
        end = behind(end)
    start = sum(len(line) + 1 for line in lines[:first])
    return Span(start, start + len("\n".join(lines[first:end])), linewise=True)


# ── what stands between two signs ────────────────────────────────────────────────────────


def _brackets(text: str, at: int, opening: str, *, around: bool, count: int) -> Span | None:
    if opening == "{":
        while at < last_of_line(text, at) and in_indent(text, at + 1):
            at += 1
    place: int | None = at + (text[at : at + 1] == opening)
    for _ in range(count):
        if place is not None:
            place = bracket_before(text, place, opening)
    if place is None and count == 1:  # outside of all pairs: the next one
        place = text.find(opening, at)
    start = None if place == -1 else place
    end = None if start is None else bracket_after(text, start + 1, opening)
    if start is None or end is None:
        return None
    if around:
        return Span(start, end + 1)
    start += 1
    if text[start : start + 1] == "\n":
        start += 1
    if opening == "{" and in_indent(text, end):
        end = line_start(text, end)
    return Span(min(start, end), end)


def _quoted(text: str, at: int, quote: str, *, around: bool, both: bool) -> Span | None:
    """In one line; ``both``: the quotes are part of it, but no blanks."""
    begin = line_start(text, at)
    line, column = text[begin : line_end(text, at)], at - begin
    if line[column : column + 1] == quote:
        start, end = _pair_around(line, column, quote)
    else:
        start = _quote_before(line, column, quote)
        if line[start : start + 1] != quote:
            start = line.find(quote, start)
        end = _quote_after(line, start + 1, quote) if start >= 0 else -1
    if start < 0 or end < 0:
        return None
    if not around:
        return Span(begin + start + (not both), begin + end + both)
    end += 1
    if line[end : end + 1] in (" ", "\t"):
        while line[end : end + 1] in (" ", "\t"):
            end += 1
    else:
        while start > 0 and line[start - 1] in " \t":
            start -= 1
    return Span(begin + start, begin + end)


def _pair_around(line: str, column: int, quote: str) -> tuple[int, int]:
    """The pair that a quote belongs to, counted from the start of the line."""
    start = line.find(quote)
    while 0 <= start <= column:
        end = _quote_after(line, start + 1, quote)
        if end < 0 or end >= column:
            return start, end
        start = line.find(quote, end + 1)
    return -1, -1


def _quote_after(line: str, column: int, quote: str) -> int:
    while column < len(line):
        if line[column] == "\\":
            column += 1
        elif line[column] == quote:
            return column
        column += 1
    return -1


def _quote_before(line: str, column: int, quote: str) -> int:
    """The quote before a column that no backslash stands before; 0 without one."""
    while column > 0:
        column -= 1
        slashes = 0
        while column > slashes and line[column - slashes - 1] == "\\":
            slashes += 1
        if slashes % 2:
            column -= slashes
        elif line[column] == quote:
            break
    return column
