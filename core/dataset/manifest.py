"""The manifest beside an export: what its files hold, and what they were made of.

Nothing in it tells when it was made, so that the same tweets and options give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from core import __version__
from core.curation.recipe import Recipe
from core.dataset.options import ExportOptions
from core.dataset.tally import Tally

VERSION: Final = 1
OWN_SHA256: Final = "manifest_sha256"
HF_NAME: Final = "mynah.manifest.json"
SUFFIX: Final = ".manifest.json"


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export; ``part`` is exported, train or valid, ``size`` in bytes."""

    name: str
    rows: int
    sha256: str
    part: str
    size: int


def manifest_of(
    recipe: Recipe,
    options: ExportOptions,
    tally: Tally,
    files: list[ExportedFile],
    rows: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    """The manifest without its own sha256; ``rows`` tells the rows of each handle in each part."""
    handles = tally.to_json()
    for handle, counts in handles.items():
        counts.update({file.part: rows[file.part].get(handle, 0) for file in files})
    return {
        "manifest_version": VERSION,
        "mynah": __version__,
        "polars": pl.__version__,
        "recipe": {"name": recipe.name, "hash": recipe.hash, "rules": recipe.rules},
        **options.to_json(),
        "handles": handles,
        "source_files": tally.source_files,
        "files": {
            file.name: {
                "part": file.part,
                "rows": file.rows,
                "bytes": file.size,
                "sha256": file.sha256,
            }
            for file in files
        },
    }


def text_of(manifest: Mapping[str, Any]) -> str:
    """The very bytes of a manifest's file, as text."""
    return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def own_sha256(manifest: Mapping[str, Any]) -> str:
    """The sha256 of the manifest's file as it would be without this very entry."""
    rest = {key: value for key, value in manifest.items() if key != OWN_SHA256}
    return hashlib.sha256(text_of(rest).encode("utf-8")).hexdigest()


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its own sha256, so that a change to it shows."""
    return {**manifest, OWN_SHA256: own_sha256(manifest)}
