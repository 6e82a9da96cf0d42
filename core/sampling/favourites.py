"""Samples that a person keeps, in ``favourites.jsonl`` of the home, with a note on each.

Lines are only ever added, but for what is forgotten. A favourite that was sampled by this version
or a later one has the id of its sample in ``core.sampling.store``.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused
from core.files import write_text_whole
from core.home import Home
from core.json_lines import append_json_lines, parse_json_line, read_json_lines
from core.locks import Locked, held_lock
from core.sampling.request import Copy, SampleRequest
from core.sampling.store import StoredSample, copies_any, in_utc, settings_of

_LOCK_SECONDS: Final = 10.0
FORMATS: Final = ("txt", "csv", "jsonl")
# Each line of the file has one of these, with the favourite that it is about.
_IDS: Final = ("id", "dropped", "noted", "edited")


@dataclass(frozen=True)
class Favourite:
    """A generated text, the run that wrote it, and what it was asked with.

    ``when`` is UTC; ``edited``: whether a person has changed the text since.
    """

    id: str
    text: str
    run: str
    prompt: str
    settings: dict[str, Any]
    when: datetime
    copy: Copy
    note: str = ""
    edited: bool = False


def keep_favourite(
    home: Home,
    run: str,
    text: str,
    request: SampleRequest,
    copy: Copy,
    *,
    sample_id: str | None = None,
) -> Favourite:
    """Adds a favourite and returns it; the same sample, or text of the run, is only returned.

    Makes the home when there is none.
    """
    for one in favourites(home):
        if one.id == sample_id or (one.run, one.text) == (run, text):
            return one
    settings = {"seed": request.seed, "n": request.n, **settings_of(request)}
    if request.reply_to:
        settings["reply_to"] = request.reply_to
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
    _add(home, line)
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
    _add(home, {"dropped": favourite_id})


def note_favourite(home: Home, favourite_id: str, note: str) -> None:
    """Notes something on a favourite; an empty note removes what was noted."""
    _add(home, {"noted": favourite_id, "note": note.strip()})


def edit_favourite(home: Home, favourite_id: str, text: str) -> None:
    """Puts other words in the place of a favourite's own; it stays marked as edited."""
    _add(home, {"edited": favourite_id, "text": text.strip()})


def forget_copies(home: Home, tweet_ids: Set[str], *, dry_run: bool = False) -> int:
    """Delete favourites that copy one of these tweets, or nearly; returns how many (would) go."""
    if not _file(home).exists():
        return 0
    with nullcontext() if dry_run else _locked(home):
        lines = list(read_json_lines(_file(home)))
        copies = {str(line.get("id")) for line in lines if copies_any(line.get("copy"), tweet_ids)}
        if copies and not dry_run:
            kept = (
                one
                for one in lines
                if str(next((one[name] for name in _IDS if name in one), None)) not in copies
            )
            write_text_whole(_file(home), "".join(json.dumps(one) + "\n" for one in kept))
    return len(copies)


def _add(home: Home, line: dict[str, Any]) -> None:
    with _locked(home):
        append_json_lines(_file(home), [line])


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    """Raises InputRefused when another process does not come to an end with the file."""
    try:
        with held_lock(home.locks / "favourites.lock", seconds=_LOCK_SECONDS):
            yield
    except Locked as error:
        raise InputRefused(
            "The favourites cannot be changed.", "Another process is changing them.", "Try again."
        ) from error


def favourites(home: Home) -> list[Favourite]:
    """What is kept, in the order of keeping. A damaged line is passed over."""
    path = _file(home)
    with _lock:
        read = _read.setdefault(path, _FileRead())
        read.go_on(path)
        return list(read.kept.values())


class _FileRead:
    """What a file of favourites held when it was last read, and how far that was.

    Somebody who keeps one after the other asks for all of them with each key; of a file that has
    only grown the new lines are read. One that was written anew ends otherwise where this one did.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Favourite] = {}
        self._end = 0
        self._last = b""  # the line before that

    def go_on(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                file.seek(self._end - len(self._last))
                if file.read(len(self._last)) != self._last:
                    self.kept, self._end, self._last = {}, 0, b""
                    file.seek(0)
                new = file.read()
        except OSError:
            self.kept, self._end, self._last = {}, 0, b""
            return
        lines = new[: new.rfind(b"\n") + 1].splitlines(keepends=True)
        for line in lines:
            self._end, self._last = self._end + len(line), line
            if (record := parse_json_line(line)) is not None:
                _take(self.kept, record)


_lock = threading.Lock()
_read: dict[Path, _FileRead] = {}


def _take(kept: dict[str, Favourite], line: dict[str, Any]) -> None:
    """Changes ``kept`` as one line says."""
    import msgspec

    if "dropped" in line:
        kept.pop(str(line["dropped"]), None)
    elif "noted" in line:
        if (one := kept.get(str(line["noted"]))) is not None:
            kept[one.id] = replace(one, note=str(line.get("note") or ""))
    elif "edited" in line and "id" not in line:
        if (one := kept.get(str(line["edited"]))) is not None and line.get("text"):
            kept[one.id] = replace(one, text=str(line["text"]), edited=True)
    else:
        try:
            favourite = msgspec.convert(line, Favourite)
        except msgspec.ValidationError:
            return
        kept[favourite.id] = replace(favourite, when=in_utc(favourite.when))


def each_once(some: Iterable[Favourite]) -> list[Favourite]:
    """The first of those that say the same, but for case and white space."""
    once: dict[str, Favourite] = {}
    for one in some:
        once.setdefault(" ".join(one.text.split()).casefold(), one)
    return list(once.values())


def export_favourites(some: Sequence[Favourite], path: Path, *, replace_it: bool = False) -> int:
    """Writes favourites in the format that the name of ``path`` ends with: txt, csv or jsonl.

    Those that say the same are written once; returns how many were. txt has one text a line (line
    breaks become spaces), csv and jsonl say of each that it is generated, by which run, whether it
    was edited, and what was noted. Raises InputRefused for another ending, and for a file that is
    there unless ``replace_it``.
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
    written = each_once(some)
    write_text_whole(path, _written(written, kind))
    return len(written)


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
            "edited": one.edited,
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
