"""Where the commands' output goes: stdout is data, stderr is narration and progress."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Sequence

import click

from core.errors import MynahError
from core.safe_text import printable, printable_json

# A column of words is not made narrower than this to fit a terminal.
_NARROWEST = 12


class ReaderLeft(Exception):
    """Whoever read our stdout (head, less) has what it wanted: time to go, nothing is wrong."""


def emit(text: str, end: str = "\n") -> None:
    """Data for stdout; never styled, never translated by the platform's encoding.

    Raises ReaderLeft when nobody listens any more, MynahError when it cannot be written.
    """
    try:
        rest = memoryview((text + end).encode("utf-8", "replace"))
        while rest:  # with PYTHONUNBUFFERED a write may end early, as when the reader leaves
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        drop_stdout()
        raise ReaderLeft from None
    except OSError as error:
        drop_stdout()
        raise MynahError(
            "The output cannot be written.", f"{error.strerror or error}.", "Nothing else is wrong."
        ) from None


def drop_stdout() -> None:
    """Let what is left for stdout vanish, or Python complains about it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def emit_json(value: object) -> None:
    emit(printable_json(value))


def narrate(text: str) -> None:
    """A sentence for the person, on stderr, with anything from outside made harmless."""
    shown = printable(text, keep_newlines=True)
    if sys.stderr.isatty():
        shown = "\n".join(_wrapped(line) for line in shown.split("\n"))
    click.echo(shown, err=True)


def _wrapped(line: str) -> str:
    """A sentence broken between words; what is laid out by spaces, such as a table, stays."""
    if line.startswith(" ") or "  " in line:
        return line
    from rich.cells import cell_len

    room, lines, now = shutil.get_terminal_size().columns, [], ""
    for word in line.split(" "):
        if now and cell_len(now) + 1 + cell_len(word) > room:
            lines.append(now)
            now = word
        else:
            now = f"{now} {word}" if now else word
    return "\n".join([*lines, now])


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[int] = (),
    widest: int | None = None,
    fitted: bool = True,
) -> str:
    """Aligned text: widths are terminal cells, numbers have thousands separators.

    ``right`` are the columns that stand to the right. Cells wider than ``widest`` end in "…", and
    on a terminal those that would make a line wider than it is, if the table is to be ``fitted``.
    """
    from rich.cells import cell_len, set_cell_size

    to_the_right = set(right)

    def shown(value: object) -> str:
        if value is None:
            return "-"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int):
            return f"{value:,}"
        if isinstance(value, float):
            return f"{value:,.3f}"
        text = printable(str(value))
        if widest is None or cell_len(text) <= widest:
            return text
        return set_cell_size(text, widest - 1).rstrip() + "…"

    cells = [list(columns)] + [[shown(value) for value in row] for row in rows]
    widths = [max(cell_len(row[i]) for row in cells) for i in range(len(columns))]
    if fitted and sys.stdout.isatty():
        widths = _that_fit(widths, to_the_right, shutil.get_terminal_size().columns)
        cells = [
            [text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
             for text, width in zip(row, widths, strict=True)]
            for row in cells
        ]  # fmt: skip

    def padded(text: str, index: int) -> str:
        space = " " * (widths[index] - cell_len(text))
        return space + text if index in to_the_right else text + space

    lines = ["  ".join(padded(text, i) for i, text in enumerate(row)).rstrip() for row in cells]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def _that_fit(widths: list[int], fixed: set[int], room: int) -> list[int]:
    """``widths`` of columns with two cells between them, the widest narrowed until they fit.

    Numbers (``fixed``) and columns of a few cells stay as they are, whatever the room.
    """
    widths = list(widths)
    able = [i for i in range(len(widths)) if i not in fixed and widths[i] > _NARROWEST]
    while able and sum(widths) + 2 * (len(widths) - 1) > room:
        widest = max(able, key=lambda i: widths[i])
        widths[widest] -= 1
        if widths[widest] <= _NARROWEST:
            able.remove(widest)
    return widths


def pairs(rows: Iterable[tuple[str, object]]) -> str:
    """Names and their values, one a line, the values below each other."""
    shown = [(name, printable(str(value))) for name, value in rows if value not in (None, "")]
    width = max(len(name) for name, _ in shown)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in shown)


class ProgressNote:
    """One line on stderr that rewrites itself on a terminal and stays quiet in a pipe.

    Nothing is shown in the first ``after`` seconds: what is done by then needs no progress.
    """

    def __init__(self, every: float = 0.1, after: float = 0.5) -> None:
        self._every = every
        self._last = time.monotonic() + after - every
        self.live = sys.stderr.isatty()
        self._shown = False

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if not self.live or now - self._last < self._every:
            return
        self._last = now
        self._shown = True
        from rich.cells import cell_len, set_cell_size

        room = (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1
        shown = printable(text)
        # a line that goes on in the next row would be cleared in part only
        shown = shown if cell_len(shown) <= room else set_cell_size(shown, room)
        sys.stderr.write(f"\r\x1b[2K{shown}")
        sys.stderr.flush()

    def done(self) -> None:
        """Clear the line, so that what follows starts clean."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._shown = False
