"""A generated text and how it is laid out in lines."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from core.safe_text import printable
from tui.widgets.cells import cell_len, cut, wrap

CARET = "▌"
Line = list[tuple[str, str]]


@dataclass
class Sample:
    """One generated text.

    text        prompt and continuation, as far as it has come
    prompt      the beginning that a person wrote: drawn upright, the rest in italics
    live        still being written
    stopped     why it ended: ``eos``, ``newline``, ``length`` or ``stopped`` (drawn as ``…``)
    verdict     ``new``, ``near`` (≈) or ``verbatim`` (≡): how close it is to a learned tweet
    note        a few words at the right: "near copy, 7 words"
    label       a few words before it: "step 200"
    shared      where in ``text`` the words stand that a learned tweet has too: drawn underlined
    """

    text: str = ""
    prompt: str = ""
    live: bool = False
    stopped: str = ""
    verdict: str = ""
    note: str = ""
    label: str = ""
    favourite: bool = False
    shared: tuple[tuple[int, int], ...] = ()


def sample_lines(sample: Sample, width: int) -> list[Line]:
    """The text of one sample as lines of ``width`` cells, its note at the end of the last."""
    text = printable(sample.text, keep_newlines=True)
    end = CARET if sample.live else " …" if sample.stopped in ("length", "stopped") else ""
    prompt_left = len(printable(sample.prompt, keep_newlines=True).replace("\n", ""))
    if not text.startswith(printable(sample.prompt, keep_newlines=True)):
        prompt_left = 0
    shared = _shared_places(sample, text)
    lines: list[Line] = []
    wrapped = wrap(text + end, width)
    row_begin = 0
    for number, row in enumerate(wrapped):
        is_last = number == len(wrapped) - 1
        own = min(prompt_left, len(row))
        prompt_left -= own
        body_end = len(row) - len(end) if is_last and end else len(row)
        line: Line = []
        if own:
            line.append((row[: min(own, body_end)], "prompt"))
        names = [
            (sign, "shared" if row_begin + at in shared else "text")
            for at, sign in enumerate(row[:body_end])
        ]
        for name, signs in groupby(names[own:], key=itemgetter(1)):
            line.append(("".join(sign for sign, _ in signs), name))
        row_begin += len(row)
        if is_last and end:
            line.append((row[max(own, body_end) :], "caret" if sample.live else "note"))
        lines.append([piece for piece in line if piece[0]])
    if sample.note:
        note = cut(printable(sample.note), width)
        style = {"near": "warn", "verbatim": "error"}.get(sample.verdict, "note")
        used = cell_len(wrapped[-1].rstrip())
        if used + 2 + cell_len(note) > width:
            lines.append([])
            used = 0
        else:
            lines[-1] = _stripped(lines[-1])
        lines[-1].append((" " * (width - used - cell_len(note)), ""))
        lines[-1].append((note, style))
    return lines


def _shared_places(sample: Sample, text: str) -> set[int]:
    """The places of shared characters in the lines of ``text``, in which line breaks are no more.

    None where signs were written out to be safe, so that the places are other ones.
    """
    if len(text) != len(sample.text):
        return set()
    return {
        at - text.count("\n", 0, at)
        for begin, end in sample.shared for at in range(begin, end) if text[at] != "\n"
    }  # fmt: skip


def _stripped(line: Line) -> Line:
    """A line without the spaces that hang at its end."""
    line = list(line)
    while line:
        text, name = line.pop()
        if text.rstrip():
            line.append((text.rstrip(), name))
            break
    return line
