"""The folder of a run: the names of its files, run.json, and finding one run among many."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import InputRefused
from core.files import size_on_disk, write_bytes_whole
from core.home import Home
from core.json_lines import parse_json
from core.locks import Locked, held_lock
from core.models.catalogue import Base, resolve
from core.runs.record import RunRecord, decode_record, encode_record

ENDED: Final = ("finished", "stopped", "failed")
# The states of a run that has a process, or is about to have one.
GOING: Final = ("queued", "starting", "running", "stopping")
# Says which of the run's tweets were forgotten since.
STALE_NOTE: Final = "stale.json"

# Seconds to wait for another process that changes run.json at the same time.
_RECORD_SECONDS: Final = 20.0
_STEP: Final = re.compile(r"step-(\d{7,})")


@dataclass(frozen=True)
class Run:
    """The paths of one run.

    run.json        what was asked, by whom it is worked on, and at the end how it went
    metrics.jsonl   one line for each thing that happened; only ever appended to
    samples.jsonl   what the model wrote while it learned; generated text
    generated.jsonl what it was asked to write (``core.sampling.store``)
    train.log       what the process printed: for people, when something went wrong
    heartbeat       touched every two seconds while the process lives
    stale.json      which of its tweets were forgotten since
    stop            there while somebody wants the run to stop
    lock            held while the process lives, and by whoever starts it
    record.lock     held while run.json is changed
    tracking/       what trackers were given, and how far they are
    report/         what a report drew and computed
    report.lock     held while a report is made
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
    def exists(self) -> bool:
        """False once it is deleted. Nothing is written to it then: a folder that is made in its
        place would keep it from being restored.
        """
        return self.record_file.exists()

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        return self.folder / "samples.jsonl"

    @property
    def generated(self) -> Path:
        return self.folder / "generated.jsonl"

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
    def lock(self) -> Path:
        return self.folder / "lock"

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

    @property
    def report(self) -> Path:
        return self.folder / "report"

    @property
    def report_lock(self) -> Path:
        """Held by whoever makes a report."""
        return self.folder / "report.lock"

    def disk_bytes(self) -> int:
        """What the files of the folder take up on the disk."""
        return size_on_disk(self.folder)[0]

    def record(self) -> RunRecord:
        """run.json; raises InputRefused when it is missing or damaged."""
        try:
            return decode_record(self.record_file.read_bytes())
        except (OSError, ValueError) as error:
            raise InputRefused(
                f"{self.id} is not a run.", f"Its run.json cannot be read: {error}."
            ) from error

    def write_record(self, record: RunRecord) -> None:
        """Replaces run.json in one step: a reader sees the old one or the new one."""
        write_bytes_whole(self.record_file, encode_record(record))

    def update_record(self, **changes: Any) -> RunRecord:
        """Replaces some fields of run.json; those that others change meanwhile stay changed.

        Raises InputRefused when it is missing or damaged, or others do not come to an end.
        """
        self.record()  # of a run that is gone no folder is made for the lock
        try:
            with held_lock(self.folder / "record.lock", seconds=_RECORD_SECONDS):
                record = msgspec.structs.replace(self.record(), **changes)
                self.write_record(record)
        except Locked as error:
            raise InputRefused(
                f"{self.id} cannot be changed.", "Another process is writing its run.json."
            ) from error
        return record


def checkpoint_folders(folder: Path) -> list[Path]:
    """The complete checkpoints in ``folder``, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _STEP.fullmatch(path.name))


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
        return run.record().created, run.id
    except InputRefused:
        return "", run.id


def find_run(home: Home, name: str) -> Run:
    """The run called ``name``: ``latest``, an id, the name of exactly one, or the beginning of
    exactly one id; in this order.

    Raises InputRefused when there is none or more than one.
    """
    runs = all_runs(home)
    if not runs:
        raise InputRefused(
            "There are no runs yet.", f"None lie in {home.runs}.", "Start one: mynah train HANDLE"
        )
    if name == "latest":
        return runs[0]
    matching = (
        [run for run in runs if run.id == name]
        or runs_named(runs, name)
        or [run for run in runs if name and run.id.startswith(name)]
    )
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


def runs_named(runs: Iterable[Run], name: str) -> list[Run]:
    """Those of ``runs`` that a person has given this name."""
    found = []
    for run in runs:
        with suppress(InputRefused):
            if name and run.record().name == name:
                found.append(run)
    return found


def base_of(run: Run, record: RunRecord) -> Base:
    """The model that ``run`` began with; another run's is looked for beside it, wherever that is.

    Raises InputRefused and ServiceRefused where it is not at hand.
    """
    if record.continues is None:
        return resolve(record.base)
    first = Run(run.folder.absolute().parent / record.continues.run)
    if not (first.model / "config.json").is_file():
        raise InputRefused(
            f"The model of {first.id} is not here any more.",
            f"{run.id} begins with its weights.",
            f"If it was deleted: `mynah trash restore {first.id}`.",
        )
    return resolve(str(first.model))


def stale_note(run_folder: Path) -> dict[str, Any] | None:
    """What of a run's data was forgotten since: ``tweets``, ``handles``, ``tweet_ids``, ``at``, and
    in ``tweets_by`` whose the tweets are that went one by one (notes of before lack it).
    """
    try:
        note = parse_json((run_folder / STALE_NOTE).read_bytes())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def noted(note: Mapping[str, Any], name: str) -> list[str]:
    """A list of a stale note, which a person may have edited."""
    values = note.get(name)
    return [str(value) for value in values] if isinstance(values, list) else []


def stale_reason(run_folder: Path) -> str | None:
    """The same as a sentence; None when everything that the run was made from is still here."""
    note = stale_note(run_folder)
    if note is None:
        return None
    handles, tweets = noted(note, "handles"), note.get("tweets")
    of = ", ".join(f"@{handle}" for handle in handles)
    # whose the tweets are that were forgotten one by one
    known = isinstance(note.get("tweets_by"), list)
    others = not known or not {*noted(note, "tweets_by")} <= {*handles}
    if of and note.get("tweet_ids") and others:
        of += " and others"
    if isinstance(tweets, int) and tweets > 0:
        some = "1 tweet" if tweets == 1 else f"{tweets:,} tweets"
        return f"Made with {some}{' of ' + of if of else ''} that you have forgotten since."
    return f"Made with tweets{' of ' + of if of else ''} that you have forgotten since."
