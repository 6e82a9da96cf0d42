"""``mynah import -``: standard input, set down in a temporary file, for readers look twice."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import WrongUsage

if TYPE_CHECKING:
    from core.corpus.importing import ImportResult

NAME = "standard-input"


@contextmanager
def from_stdin(paths: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """The paths with a file in the place of ``-``; it is gone at the end."""
    if Path("-") not in paths:
        yield tuple(paths)
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise WrongUsage(
            "- reads standard input, and nothing is piped in.",
            "",
            "For example: zcat tweets.jsonl.gz | mynah import -",
        )
    with tempfile.TemporaryDirectory(prefix="mynah-stdin-") as folder:
        file = Path(folder) / NAME
        with file.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
        yield tuple(file if path == Path("-") else path for path in paths)


def as_named(result: ImportResult) -> ImportResult:
    """The result under the name that the person gave."""
    return replace(result, path="-") if Path(result.path).name == NAME else result
