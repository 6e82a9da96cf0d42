"""The folder that a job works in: all that passes between its tasks lies there as files.

    job.json            recipe, versions, rows of a part
    tweets.parquet      all tweets, sorted
    tasks/KIND-N.json   what task N of a kind is to do
    curated/N-B.arrow   batch B of partition N with its verdicts, and N.json: rows of each batch
    parts/N.parquet     part N of the output, and N.json that describes it

A task reads and writes nothing else but the sources, so that it may run anywhere the folder is
seen, and again when it was lost. Files appear whole.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import polars as pl

from core import __version__
from core.curation.recipe import Recipe
from core.errors import InputRefused

_RECORD_ROWS: Final = 8_192  # in a record batch: the least that is read of a file


@dataclass(frozen=True)
class Job:
    """The folder at ``folder``; see above."""

    folder: Path

    @classmethod
    def begin(cls, folder: Path, recipe: Recipe, part_rows: int) -> Job:
        for name in ("tasks", "curated", "parts"):
            (folder / name).mkdir()
        job = cls(folder)
        job.put_json(
            folder / "job.json",
            {
                "recipe": {"name": recipe.name, "rules": recipe.rules},
                "part_rows": part_rows,
                "made_by": made_by(),
            },
        )
        return job

    @classmethod
    def opened(cls, folder: Path) -> Job:
        """The job as a worker finds it, which may be on another machine.

        Raises InputRefused when the folder is not seen from here, or was made by other versions:
        then the bytes would not be the same.
        """
        job = cls(folder)
        if not (folder / "job.json").is_file():
            raise InputRefused(
                f"A worker does not see {folder}.",
                "Sources and output must lie where all machines of the cluster find them.",
                "Name places on storage that they share.",
            )
        if job.settings["made_by"] != made_by():
            here, there = _in_words(job.settings["made_by"]), _in_words(made_by())
            raise InputRefused(
                f"A worker has {there}, and this machine {here}.",
                "So the work would not give the same bytes everywhere.",
                "Install the same versions on all machines.",
            )
        return job

    @property
    def sorted_file(self) -> Path:
        return self.folder / "tweets.parquet"

    @cached_property
    def settings(self) -> dict[str, Any]:
        return self.get_json(self.folder / "job.json")

    @cached_property
    def recipe(self) -> Recipe:
        recipe = self.settings["recipe"]
        return Recipe(recipe["name"], **recipe["rules"])

    def set_tasks(self, kind: str, tasks: Iterable[dict[str, Any]]) -> int:
        """Writes what the tasks of a kind are to do; returns how many there are."""
        number = 0
        for number, task in enumerate(tasks, 1):
            self.put_json(self.folder / "tasks" / f"{kind}-{number - 1}.json", task)
        return number

    def task(self, kind: str, number: int) -> dict[str, Any]:
        return self.get_json(self.folder / "tasks" / f"{kind}-{number}.json")

    def put(self, kind: str, name: str, rows: pl.DataFrame) -> None:
        """Writes a frame as the file ``name`` of a kind."""
        with complete(self.folder / kind / f"{name}.arrow") as file:
            rows.write_ipc(file, compression="lz4", record_batch_size=_RECORD_ROWS)

    def get(
        self,
        kind: str,
        name: str,
        first: int,
        rows: int,
    ) -> pl.DataFrame:
        """``rows`` rows from ``first`` on of such a file."""
        file = self.folder / kind / f"{name}.arrow"
        return pl.scan_ipc(file, glob=False, hive_partitioning=False).slice(first, rows).collect()

    def put_json(self, path: Path, content: dict[str, Any]) -> None:
        with complete(path) as file:
            file.write_text(json.dumps(content), encoding="utf-8")

    def get_json(self, path: Path) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content


@contextmanager
def complete(path: Path) -> Iterator[Path]:
    """A name to write to, whose file is ``path`` after the block: a task may run twice at once."""
    part = path.with_name(f"{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def made_by() -> dict[str, str]:
    """What decides the bytes: hashes of texts are the same within one version only."""
    return {
        "mynah": __version__,
        "polars": pl.__version__,
        "duckdb": version("duckdb"),
    }


def _in_words(versions: dict[str, str]) -> str:
    return " with ".join(f"{name} {version}" for name, version in versions.items())
