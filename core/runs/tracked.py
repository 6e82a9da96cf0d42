"""Where a run is tracked: the small file that each tracker keeps in the run's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from core.files import write_bytes_whole
from core.json_lines import parse_json
from core.processes import Owner
from core.runs.folder import Run
from core.runs.record import read_fields

FOLDER: Final = "tracking"


class Tracked(msgspec.Struct, frozen=True, kw_only=True):
    """``tracking/NAME.json``: what a tracker was asked for, and how far it has come.

    to              wandb or tensorboard
    mode            of W&B: offline or online; ``project``, ``entity``: where it goes to
    upload_tweets, upload_model     whether these go out as well
    with_run        whether it was started with the run, and goes on when the run is resumed
    state           waiting, following, finished (it has all that the run wrote), stopped, failed
    reason          of a failure
    url             an address, or a folder on this machine
    rows, step      how many rows it has, and the last optimiser step among them
    samples         how many of the model's texts it has
    files           bytes of its files that hold those rows, by name; empty when it needs none
    owner           machine, process id and start of the process that follows
    """

    to: str = ""
    mode: str = ""
    project: str = ""
    entity: str = ""
    upload_tweets: bool = False
    upload_model: bool = False
    with_run: bool = False
    state: str = "waiting"
    reason: str = ""
    url: str = ""
    rows: int = 0
    step: int = 0
    samples: int = 0
    files: dict[str, int] = {}
    owner: tuple[str, int, int] | None = None

    def to_json(self) -> dict[str, str]:
        """What a list of runs says of it."""
        return {"to": self.to, "mode": self.mode, "url": self.url, "state": self.state}

    @property
    def in_words(self) -> str:
        """``wandb (offline)``, with what has gone wrong."""
        name = f"{self.to} ({self.mode})" if self.mode else self.to
        if self.state in ("stopped", "failed"):
            return f"{name}: {self.state}"
        if self.state == "following" and self.owner and not Owner(*self.owner).may_live():
            return f"{name}: its process is gone"
        return name


def tracking_folder(run: Run) -> Path:
    """Where trackers keep what they write about ``run``."""
    return run.folder / FOLDER


def card_file(run: Run) -> Path:
    """The model card that goes out with the model's files, where it was published."""
    return tracking_folder(run) / "README.md"


def read_tracked(run: Run, to: str) -> Tracked | None:
    """What the tracker ``to`` has of ``run``; None when it never was asked, or its file is bad."""
    try:
        found = parse_json((tracking_folder(run) / f"{to}.json").read_bytes())
    except (OSError, ValueError):
        return None
    return read_fields(Tracked, found | {"to": to}) if isinstance(found, dict) else None


def write_tracked(run: Run, tracked: Tracked) -> None:
    """Replaces the tracker's file in one step; a run that was deleted is not made again."""
    if run.exists:
        content = msgspec.json.format(msgspec.json.encode(tracked), indent=1) + b"\n"
        write_bytes_whole(tracking_folder(run) / f"{tracked.to}.json", content)


def all_tracked(run: Run) -> list[Tracked]:
    """Every tracker of ``run``, by name."""
    names = sorted(path.stem for path in tracking_folder(run).glob("*.json"))
    return [found for name in names if (found := read_tracked(run, name)) is not None]
