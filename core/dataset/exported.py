"""Where exports and curated files were written to: ``exports.jsonl`` of the home.

So that forgetting can name them. Only the place of each manifest is kept. A file that was moved or
deleted since is not found.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.dataset.manifest import BadManifest, names_any
from core.files import write_text_whole
from core.home import Home
from core.json_lines import append_json_lines, read_json_lines

_FILE: Final = "exports.jsonl"
_MANIFEST: Final = "manifest"
# A person who exports each day has those of a year; older ones go, in passing.
_MOST: Final = 400


def remember_export(home: Home, manifest: Path) -> None:
    """Notes that there is a manifest; that it cannot be noted does not undo the export."""
    file = home.root / _FILE
    with suppress(OSError):
        if sum(1 for _ in read_json_lines(file)) > 2 * _MOST:
            lines = [json.dumps({_MANIFEST: place}) + "\n" for place in _places(home)[-_MOST:]]
            write_text_whole(file, "".join(lines))
        append_json_lines(file, [{_MANIFEST: str(manifest.absolute())}])


def exports_of(home: Home, handles: Collection[str]) -> list[str]:
    """The manifests that are still there and name one of these accounts, the last first."""
    found = []
    for place in reversed(_places(home)):
        with suppress(BadManifest, OSError):
            if names_any(Path(place), handles):
                found.append(place)
    return found


def _places(home: Home) -> list[str]:
    """Each once, in the order of the last time that it was written."""
    lines = [line.get(_MANIFEST) for line in read_json_lines(home.root / _FILE)]
    found = dict.fromkeys(place for place in reversed(lines) if isinstance(place, str))
    return list(found)[::-1]
