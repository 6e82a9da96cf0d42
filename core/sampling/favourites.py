"""Samples that a person keeps, in ``favourites.jsonl`` of the home, with a note on each.

Lines are only ever added, but for what is forgotten. A favourite that was sampled by this version
or a later one has the id of its sample in ``core.sampling.store``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused
from core.files import write_text_whole
from core.home import Home
from core.json_lines import append_json_lines, read_json_lines
from core.sampling.request import Copy, SampleRequest
from core.sampling.store import StoredSample, copies_any, settings_of

FORMATS: Final = ("txt", "csv", "jsonl")


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
    note: str = ""


def keep_favourite(
    home: Home,
    run: str,
    text: str,
    request: SampleRequest,
    copy: Copy,
    *,
    sample_id: str | None = None,
) -> Favourite:
    """Adds a favourite and returns it; one with the same text of the same run is only returned.

    Makes the home when there is none.
    """
    for one in favourites(home):
        if (one.run, one.text) == (run, text):
            return one
    settings = {"seed": request.seed, "n": request.n, **settings_of(request)}
    kept = Favourite(
        sample_id or uuid.uuid4().hex,
        text,
        run,
        request.prompt,
        settings,
        datetime.now(timezone.utc),
        copy,
    )
    line = asdict(kept) | {"when": kept.when.isoformat(), "generated": True}
    append_json_lines(_file(home), [line])
    return kept


def keep_sample(home: Home, stored: StoredSample) -> Favourite:
    """The same for a sample that is stored."""
    return keep_favourite(
        home,
        stored.run,
        stored.text,
        stored.request(),
        stored.sample.copy,
        sample_id=stored.id,
    )


def drop_favourite(home: Home, favourite_id: str) -> None:
    """Takes one off the list; its sample stays where samples are stored."""
    append_json_lines(_file(home), [{"dropped": favourite_id}])


def note_favourite(home: Home, favourite_id: str, note: str) -> None:
    """Notes something on a favourite; an empty note removes what was noted."""
    append_json_lines(_file(home), [{"noted": favourite_id, "note": note.strip()}])


def forget_copies(home: Home, tweet_ids: Set[str], *, dry_run: bool = False) -> int:
    """Delete favourites that copy one of these tweets, or nearly; returns how many (would) go."""
    lines = list(read_json_lines(_file(home)))
    copies = {line.get("id") for line in lines if copies_any(line.get("copy"), tweet_ids)}
    if copies and not dry_run:
        kept = (
            one
            for one in lines
            if one.get("id", one.get("dropped", one.get("noted"))) not in copies
        )
        write_text_whole(_file(home), "".join(json.dumps(one) + "\n" for one in kept))
    return len(copies)


def favourites(home: Home) -> list[Favourite]:
    """What is kept, in the order of keeping. A damaged line is passed over."""
    kept: dict[str, Favourite] = {}
    for line in read_json_lines(_file(home)):
        if "dropped" in line:
            kept.pop(str(line["dropped"]), None)
            continue
        if "noted" in line:
            noted = kept.get(str(line["noted"]))
            if noted is not None:
                kept[noted.id] = replace(noted, note=str(line.get("note") or ""))
            continue
        try:
            line.pop("generated", None)
            when = datetime.fromisoformat(line.pop("when"))
            favourite = Favourite(**line | {"when": when, "copy": Copy(**line["copy"])})
        except (KeyError, TypeError, ValueError):
            continue
        kept[favourite.id] = favourite
    return list(kept.values())


def export_favourites(some: Sequence[Favourite], path: Path, *, replace_it: bool = False) -> None:
    """Writes favourites in the format that the name of ``path`` ends with: txt, csv or jsonl.

    txt has one text a line (line breaks become spaces), csv and jsonl say of each that it is
    generated, by which run, and what was noted. Raises InputRefused for another ending, and for a
    file that is there unless ``replace_it``.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise InputRefused(
            f"Favourites cannot be written as {path.name}.",
            "The ending of the name says how: .txt, .csv or .jsonl.",
            "Give it one of these endings.",
        )
    if path.exists() and not replace_it:
        raise InputRefused(f"{path.name} is there already.", "", "Choose another name.")
    write_text_whole(path, _written(some, kind))


def _written(some: Sequence[Favourite], kind: str) -> str:
    if kind == "txt":
        return "".join(" ".join(one.text.split()) + "\n" for one in some)
    rows = [
        {
            "text": one.text,
            "note": one.note,
            "run": one.run,
            "prompt": one.prompt,
            "seed": one.settings.get("seed"),
            "copy": one.copy.verdict,
            "when": one.when.isoformat(timespec="seconds"),
            "generated": True,
        }
        for one in some
    ]
    if kind == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    import polars as pl

    from core.dataset.formats import safe_for_spreadsheets

    return safe_for_spreadsheets(pl.DataFrame(rows)).write_csv()


def _file(home: Home) -> Path:
    return home.root / "favourites.jsonl"
