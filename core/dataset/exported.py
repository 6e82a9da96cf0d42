"""Where exports were written to: ``exports.jsonl`` of the home, so that forgetting can name them.

Only the place of each manifest is kept. A file that was moved or deleted since is not found.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from core.dataset.manifest import BadManifest, read_manifest
from core.files import write_text_whole
from core.home import Home

_FILE = "exports.jsonl"
# A person who exports each day has those of a year; the older ones go.
_MOST = 400


def remember_export(home: Home, manifest: Path) -> None:
    """Notes that there is a manifest; that it cannot be noted does not undo the export."""
    place = str(manifest.absolute())
    known = [one for one in _places(home) if one != place][-_MOST + 1 :]
    with suppress(OSError):
        write_text_whole(
            home.root / _FILE, "".join(json.dumps(one) + "\n" for one in [*known, place])
        )


def exports_of(home: Home, handles: Collection[str]) -> list[str]:
    """The manifests that are still there and name one of these accounts, the last first."""
    found = []
    for place in reversed(_places(home)):
        with suppress(BadManifest, OSError):
            content, _ = read_manifest(Path(place))
            held = content.get("handles")
            if isinstance(held, dict) and not set(held).isdisjoint(handles):
                found.append(place)
    return found


def _places(home: Home) -> list[str]:
    found = []
    with suppress(OSError):
        for line in (home.root / _FILE).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                place = json.loads(line)
                if isinstance(place, str):
                    found.append(place)
    return found
