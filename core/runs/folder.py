"""A run is a folder; this names what lies in it and finds one among many."""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused
from core.home import Home

ENDED: Final = ("finished", "stopped", "failed")


@dataclass(frozen=True)
class Run:
    """The paths of one run.

    run.json        what was asked, by whom it is worked on, and at the end how it went
    metrics.jsonl   one line for each thing that happened; only ever appended to
    samples.jsonl   what the model wrote while it learned; generated text
    train.log       what the process printed: for people, when something went wrong
    heartbeat       touched every two seconds while the process lives
    stop            there while somebody wants the run to stop
    dataset/        the frozen tweets, checkpoints/ where to take up again, model/ the result
    """

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def record_file(self) -> Path:
        return self.folder / "run.json"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        return self.folder / "samples.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / "train.log"

    @property
    def heartbeat(self) -> Path:
        return self.folder / "heartbeat"

    @property
    def stop_mark(self) -> Path:
        return self.folder / "stop"

    @property
    def dataset(self) -> Path:
        return self.folder / "dataset"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """Merged weights, config and tokenizer as transformers reads them; once there is one."""
        return self.folder / "model"

    def record(self) -> dict[str, Any]:
        """run.json; raises InputRefused when it is missing or damaged."""
        try:
            content = json.loads(self.record_file.read_bytes())
        except (OSError, ValueError) as error:
            raise InputRefused(
                f"{self.id} is not a run.", f"Its run.json cannot be read: {error}."
            ) from error
        if not isinstance(content, dict):
            raise InputRefused(f"{self.id} is not a run.", "Its run.json is not an object.")
        return content

    def write_record(self, content: dict[str, Any]) -> None:
        """Replaces run.json in one step: a reader sees the old one or the new one."""
        part = self.record_file.with_name(f".run.json.{os.getpid()}.part")
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(self.record_file)


def new_run_id(handles: list[str], now: datetime) -> str:
    """``20261121-0312-keeper-a1b2``: local time, first account, four random digits."""
    slug = re.sub(r"[^a-z0-9_]+", "-", handles[0].lower()).strip("-")[:24] or "run"
    return f"{now:%Y%m%d-%H%M}-{slug}-{secrets.token_hex(2)}"


def all_runs(home: Home) -> list[Run]:
    """Every run folder, newest first."""
    if not home.runs.is_dir():
        return []
    found = [Run(path) for path in home.runs.iterdir() if (path / "run.json").is_file()]
    return sorted(found, key=_created, reverse=True)


def _created(run: Run) -> tuple[str, str]:
    try:
        return str(run.record().get("created", "")), run.id
    except InputRefused:
        return "", run.id


def find_run(home: Home, name: str) -> Run:
    """The run called ``name``: ``latest``, an id, or the beginning of exactly one id.

    Raises InputRefused when there is none or more than one.
    """
    runs = all_runs(home)
    if not runs:
        raise InputRefused(
            "There are no runs yet.", f"None lie in {home.runs}.", "Start one: mynah train HANDLE"
        )
    if name == "latest":
        return runs[0]
    matching = [run for run in runs if run.id == name] or [
        run for run in runs if name and run.id.startswith(name)
    ]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise InputRefused(
            f"{name!r} could be {len(matching)} runs.",
            f"They are {', '.join(run.id for run in matching[:5])}.",
            "Type more of the one that is meant.",
        )
    raise InputRefused(
        f"There is no run {name!r}.", f"The newest is {runs[0].id}.", "`mynah runs` lists them."
    )
