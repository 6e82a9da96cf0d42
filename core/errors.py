"""The one exception family: every message says what happened, why, and the next step.

The command line prints ``str(error)`` and leaves with ``exit_code``; the app shows the three
parts in a toast. A subclass exists only where the exit code differs or a caller must tell it apart.
"""

from __future__ import annotations

import errno
from typing import Final

# What the machine refuses, not what mynah does wrong: no room, no right, not a folder.
_REFUSED_BY_SYSTEM: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR,
     errno.EISDIR, errno.ENOENT, errno.EEXIST, errno.ENAMETOOLONG, errno.EMFILE}
)  # fmt: skip


class MynahError(Exception):
    """Something that mynah can explain. ``what`` is required; the rest may be empty."""

    exit_code = 1

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        self.what = what
        self.why = why
        self.next_step = next_step
        super().__init__(what, why, next_step)

    def __str__(self) -> str:
        parts = [part for part in (self.what, self.why, self.next_step) if part]
        return " ".join([*map(_sentence, parts[:-1]), *parts[-1:]])


def _sentence(part: str) -> str:
    """With a full stop where one is missing: words of a library often have none."""
    return part if part.rstrip("\"')”`")[-1:] in set(".?!:…") else f"{part}."


class WrongUsage(MynahError):
    """The words on the command line, or the values in a form, do not make sense together."""

    exit_code = 2


class InputRefused(MynahError):
    """What was given (a file, a handle, a recipe, a query) cannot be used as it is."""

    exit_code = 3


def first_line(error: BaseException) -> str:
    """The first line of what an error of a library says, without a full stop, or else its kind."""
    lines = str(error).strip().splitlines()
    return (lines[0].rstrip(".") if lines else "") or type(error).__name__


def kind_and_line(error: BaseException) -> str:
    """``ValueError: the first line``; its kind alone where it says nothing."""
    kind, line = type(error).__name__, first_line(error)
    return kind if line == kind else f"{kind}: {line}"


def refused_by_system(error: BaseException) -> InputRefused | None:
    """What the machine said no to, in words; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in _REFUSED_BY_SYSTEM:
        return None
    why = error.strerror or str(error)
    return InputRefused(
        f"{error.filename or 'The machine'} cannot be used: {why[:1].lower()}{why[1:]}."
    )


class CorpusBusy(InputRefused):
    """Another process holds the corpus file, and still did after a bounded wait."""


class ServiceRefused(MynahError):
    """An outside service said no: not found, protected, no credit, bad token."""

    exit_code = 4


class Interrupted(MynahError):
    """The person asked to stop; what was done stays done."""

    exit_code = 130
