"""How Vim's commands change a text: open this for what d, p, J or > do once it is known where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tui.query.vim.motions import first_nonblank, last_of_line, line_end, line_start
from tui.query.vim.objects import Span

# What > adds and < takes away: as wide as the editor's own indent.
SHIFT: Final = 4


class Edit(NamedTuple):
    """``text`` in place of what stands from ``start`` to before ``end``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Register:
    """What was deleted or yanked; ``linewise`` without the last newline."""

    text: str = ""
    linewise: bool = False


@dataclass
class Buffer:
    """A text and a cursor that commands change, and the edits that led there."""

    text: str
    cursor: int
    edits: list[Edit] = field(default_factory=list)

    def replace(self, start: int, end: int, text: str) -> None:
        if self.text[start:end] != text:
            self.edits.append(Edit(start, end, text))
            self.text = self.text[:start] + text + self.text[end:]

    def held(self, span: Span) -> Register:
        return Register(self.text[span.start : span.end], span.linewise)


def lines_of(text: str, start: int, end: int) -> Span:
    """All lines from that of ``start`` to that of ``end``, which is part of it."""
    return Span(line_start(text, start), line_end(text, end), linewise=True)


def delete(buffer: Buffer, span: Span) -> None:
    start, end, linewise = span
    if not linewise:
        buffer.replace(start, end, "")
        buffer.cursor = start
        return
    if end < len(buffer.text):
        end += 1
    elif start > 0:
        start -= 1
    buffer.replace(start, end, "")
    buffer.cursor = first_nonblank(buffer.text, min(span.start, len(buffer.text)))


def shift(buffer: Buffer, span: Span, by: int) -> None:
    """``by`` indents further to the right, or to the left below 0; empty lines stay so."""
    lines = []
    for line in buffer.text[span.start : span.end].split("\n"):
        words = line.lstrip(" \t")
        wide = len(line[: len(line) - len(words)].expandtabs(SHIFT))
        lines.append(" " * max(0, wide + by * SHIFT) + words if line else "")
    buffer.replace(span.start, span.end, "\n".join(lines))
    buffer.cursor = first_nonblank(buffer.text, span.start)


def in_case(buffer: Buffer, span: Span, how: str) -> None:
    """~ turns each letter's case round; u and U make all small or large."""
    text = buffer.text[span.start : span.end]
    turned = {"~": str.swapcase, "u": str.lower, "U": str.upper}[how]
    # letter by letter, as one whose other case is two (ß) stays
    done = "".join(other if len(other := turned(sign)) == 1 else sign for sign in text)
    buffer.replace(span.start, span.end, done)


def join(buffer: Buffer, at: int, lines: int) -> bool:
    """``lines`` from that of ``at`` become one; False when there is none below."""
    text = buffer.text
    start, end = line_start(text, at), line_end(text, at)
    whole = text[start:end]
    if end == len(text):
        return False
    place = end
    for _ in range(lines - 1):
        if end == len(text):
            break
        after = line_end(text, end + 1)
        part = text[end + 1 : after].lstrip(" \t")
        space = bool(part and whole and part[0] != ")" and whole[-1] != " ")
        place = start + len(whole)
        whole += " " * space + part
        end = after
    buffer.replace(start, end, whole)
    buffer.cursor = min(place, last_of_line(buffer.text, start))
    return True


def put(buffer: Buffer, register: Register, count: int, *, before: bool) -> None:
    """p, or P with ``before``."""
    text, at = buffer.text, buffer.cursor
    if register.linewise:
        block = "\n".join([register.text] * count)
        if before:
            place = line_start(text, at)
            buffer.replace(place, place, block + "\n")
        else:
            place = line_end(text, at)
            buffer.replace(place, place, "\n" + block)
            place += 1
        buffer.cursor = first_nonblank(buffer.text, place)
        return
    block = register.text * count
    place = at if before else min(at + 1, line_end(text, at))
    buffer.replace(place, place, block)
    buffer.cursor = place if "\n" in block else max(place, place + len(block) - 1)


def put_over(buffer: Buffer, span: Span, register: Register, count: int) -> None:
    """p in a visual mode: in place of what is selected."""
    block = ("\n" if register.linewise else "").join([register.text] * count)
    split = register.linewise and not span.linewise
    buffer.replace(span.start, span.end, f"\n{block}\n" if split else block)
    begin = span.start + split
    if register.linewise or span.linewise:
        buffer.cursor = first_nonblank(buffer.text, begin)
    else:
        buffer.cursor = begin if "\n" in block else max(begin, begin + len(block) - 1)


def make_all(buffer: Buffer, span: Span, sign: str) -> None:
    """r in a visual mode: each character but the ends of lines."""
    text = buffer.text[span.start : span.end]
    buffer.replace(span.start, span.end, "".join("\n" if c == "\n" else sign for c in text))
    buffer.cursor = span.start


def begin_typing(buffer: Buffer, name: str) -> None:
    """The cursor to where i a I A o or O types."""
    text, at = buffer.text, buffer.cursor
    end = line_end(text, at)
    if name == "a":
        buffer.cursor = min(at + 1, end)
    elif name == "A":
        buffer.cursor = end
    elif name == "I":
        buffer.cursor = end - len(text[line_start(text, at) : end].lstrip(" \t"))
    elif name == "o":
        buffer.replace(end, end, "\n")
        buffer.cursor = end + 1
    elif name == "O":
        buffer.cursor = line_start(text, at)
        buffer.replace(buffer.cursor, buffer.cursor, "\n")


def typed(before: str, at: int, after: str) -> str:
    """What ``after`` has and ``before`` had not, where typing began at ``at``; nothing is asked of
    how it came there (letters, names that were offered, a paste).
    """
    same = 0
    while same < min(at, len(after)) and before[same] == after[same]:
        same += 1
    behind, most = 0, min(len(before) - at, len(after) - same)
    while behind < most and before[-1 - behind] == after[-1 - behind]:
        behind += 1
    return after[same : len(after) - behind]
