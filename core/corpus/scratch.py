"""Folders for copies of tweets that somebody works on: beside the corpus, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.corpus.store import Corpus

_PREFIX: Final = ".curating-"


@contextmanager
def scratch_folder(corpus: Corpus) -> Iterator[Path]:
    """A folder that only its owner can read, removed after the block.

    What a killed process left is swept up before.
    """
    sweep(corpus)
    prefix = f"{_PREFIX}{os.getpid()}-"
    try:
        made = tempfile.mkdtemp(prefix=prefix, dir=corpus.path.parent)
    except OSError:  # a corpus that may only be read
        made = tempfile.mkdtemp(prefix=prefix)
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def sweep(corpus: Corpus) -> None:
    """Removes what processes that are gone left beside the corpus: it holds people's tweets."""
    import psutil  # type: ignore[import-untyped,unused-ignore]

    for left in corpus.path.parent.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
