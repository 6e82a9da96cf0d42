"""Where a run's model has gone, on the hub or into files: ``published.json`` in its folder."""

from __future__ import annotations

from typing import Final

import msgspec

from core.files import write_bytes_whole
from core.json_lines import parse_json
from core.runs.folder import Run

FILE: Final = "published.json"


class Publication(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place outside of the run's folder that holds its model.

    to         hub, wandb, gguf, ollama or folder
    repo       of a hub, with ``url``, ``revision`` and whether it is ``public``
    path       of a file or folder on this machine
    at         ISO, UTC
    despite    the reasons against it that somebody overruled
    x_terms    whether the terms of X's API were shown and agreed to
    """

    to: str
    repo: str = ""
    url: str = ""
    revision: str = ""
    public: bool = False
    path: str = ""
    at: str = ""
    despite: list[str] = []
    x_terms: bool = False

    @property
    def where(self) -> str:
        return self.url or self.path


def publications(run: Run) -> list[Publication]:
    """The oldest first; empty where there are none, or the file cannot be read."""
    try:
        return msgspec.convert(parse_json((run.folder / FILE).read_bytes()), list[Publication])
    except (OSError, ValueError):
        return []


def remember_publication(run: Run, made: Publication) -> None:
    """Adds ``made`` in place of an older one of the same place."""
    _write(run, [*(one for one in publications(run) if one.where != made.where), made])


def forget_publication(run: Run, gone: Publication) -> None:
    """Takes out what is not there any more."""
    _write(run, [one for one in publications(run) if one.where != gone.where])


def _write(run: Run, found: list[Publication]) -> None:
    content = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    if run.exists:
        write_bytes_whole(run.folder / FILE, content)
