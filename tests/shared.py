"""What is dear to make is made once for all test processes; each gets a copy of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.locks import held_lock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A copy of the home that ``make`` makes in the folder it is given, which is not there yet."""
    base = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    original = base / f"made-{name}"
    with held_lock(base / f"made-{name}.lock"):
        if not (original / "complete").exists():
            shutil.rmtree(original, ignore_errors=True)
            original.mkdir()
            make(original / "home")
            (original / "complete").touch()
    own = factory.mktemp(name) / "home"
    # a child that has done its work may still write its record, whose parts come and go
    shutil.copytree(original / "home", own, ignore=shutil.ignore_patterns(".*.part"))
    return own
