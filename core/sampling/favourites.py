"""Samples that a person keeps, in ``favourites.jsonl`` of the home.

Lines are only ever added, but for what is forgotten.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from core.files import write_text_whole
from core.home import Home
from core.sampling.request import Copy, SampleRequest

_FILE = "favourites.jsonl"


@dataclass(frozen=True)
class Favourite:
    """A generated text, the run that wrote it, and what it was asked with. ``when`` is UTC."""

    id: str
    text: str
    run: str
    prompt: str
    settings: dict[str, Any]
    when: datetime
    copy: Copy


def keep_favourite(
    home: Home, run: str, text: str, request: SampleRequest, copy: Copy
) -> Favourite:
    """Adds a favourite and returns it; makes the home when there is none."""
    settings = request.to_json()
    prompt = settings.pop("prompt")
    kept = Favourite(
        uuid.uuid4().hex, text, run, prompt, settings, datetime.now(timezone.utc), copy
    )
    line = asdict(kept) | {"when": kept.when.isoformat(), "generated": True}
    _append(home, line)
    return kept


def forget_copies(home: Home, tweet_ids: Set[str]) -> int:
    """Delete favourites that copy one of these tweets, or nearly; returns how many went."""
    lines = list(_lines(home))
    copies = {
        line.get("id")
        for line in lines
        if isinstance(line.get("copy"), dict)
        and line["copy"].get("verdict") in ("verbatim", "near")
        and not tweet_ids.isdisjoint(
            [line["copy"].get("tweet_id"), *(line["copy"].get("tweet_ids") or [])]
        )
    }
    if copies:
        path = home.root / _FILE
        kept = (one for one in lines if one.get("id", one.get("dropped")) not in copies)
        write_text_whole(path, "".join(json.dumps(one) + "\n" for one in kept))
    return len(copies)


def favourites(home: Home) -> list[Favourite]:
    """What is kept, in the order of keeping. A damaged line is passed over."""
    kept: dict[str, Favourite] = {}
    for line in _lines(home):
        if "dropped" in line:
            kept.pop(str(line["dropped"]), None)
            continue
        try:
            line.pop("generated", None)
            when = datetime.fromisoformat(line.pop("when"))
            favourite = Favourite(**line | {"when": when, "copy": Copy(**line["copy"])})
        except (KeyError, TypeError, ValueError):
            continue
        kept[favourite.id] = favourite
    return list(kept.values())


def _lines(home: Home) -> Iterator[dict[str, Any]]:
    try:
        written = (home.root / _FILE).read_bytes()
    except FileNotFoundError:
        return
    for line in written.split(b"\n"):
        try:
            read = json.loads(line)
        except ValueError:
            continue
        if isinstance(read, dict):
            yield read


def _append(home: Home, line: dict[str, Any]) -> None:
    """One write, so that two processes never mix their lines, on a line of its own."""
    home.root.mkdir(parents=True, exist_ok=True)
    path = home.root / _FILE
    written = json.dumps(line).encode() + b"\n"
    if path.exists() and path.stat().st_size:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # a write was cut off there once
                written = b"\n" + written
    with path.open("ab", buffering=0) as file:
        file.write(written)
