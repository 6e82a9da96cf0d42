"""What is dear to make is made once for all test processes; each gets a copy of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from core.corpus.store import Corpus
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


def fill(corpus: Corpus, rows: pl.DataFrame) -> Corpus:
    """The corpus with these tweets and no others."""
    file = corpus.path.with_name("rows.parquet")
    file.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(file)
    with corpus.writing() as connection:
        connection.execute("DELETE FROM tweets").fetchall()
        connection.execute(
            "INSERT INTO tweets BY NAME SELECT *, now() AS first_imported_at, now() AS "
            "last_imported_at, [source] AS sources "
            "FROM read_parquet($1, hive_partitioning = false)",
            [str(file)],
        ).fetchall()
    file.unlink()
    return corpus
