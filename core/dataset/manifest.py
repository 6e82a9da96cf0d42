"""The manifest beside a dataset: how it is made, its own sha256, and whether it agrees with itself.

An export and the frozen dataset of a run have the same manifest. Nothing in it tells when it was
made, so that the same tweets and options give the same bytes. When one is read, nothing in it is
taken for granted: it may come from anybody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core import __version__
from core.curation.counts import Counts
from core.curation.recipe import Recipe
from core.curation.rules import check_rules
from core.dataset.options import ExportOptions
from core.errors import InputRefused
from core.json_lines import parse_json

VERSION: Final = 1
OWN_SHA256: Final = "manifest_sha256"
# The names of a manifest: in a folder for Hugging Face, in the folder of a run, beside a file.
HF_NAME: Final = "mynah.manifest.json"
RUN_NAME: Final = "manifest.json"
SUFFIX: Final = ".manifest.json"
# Of a manifest, in bytes; one of a thousand accounts has less than one of these megabytes.
MOST_BYTES: Final = 64 * 2**20
_LONGEST_LINE: Final = 1 << 16
MOST_FILES: Final = 1_000
# The format of the datasets that version 0.1.0 froze for its runs.
_FROZEN_FORMAT: Final = 1
_PARTS: Final = ("exported", "train", "valid")
# Of a run: tweets that are in the text of another, and have no row of their own.
_JOINED: Final = "joined"


@dataclass(frozen=True)
class ExportedFile:
    """One file of a dataset; ``part`` is exported, train, valid or joined, ``size`` in bytes."""

    name: str
    rows: int
    sha256: str
    part: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What a manifest's file holds."""

    content: dict[str, Any]

    @property
    def text(self) -> str:
        """The content of the file."""
        return text_of(self.content)

    @property
    def sha256(self) -> str:
        """Names the whole dataset: it covers the sha256 of every file."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    @property
    def recipe(self) -> Recipe:
        """What chose and cleaned the tweets; raises InputRefused for rules that are not known."""
        written = self.content["recipe"]
        rules = check_rules(written["rules"], "The dataset's recipe")
        recipe = Recipe(str(written.get("name") or "standard"), **rules)
        return replace(recipe, saved_hash="" if written.get("changed") else recipe.hash)

    @property
    def weights(self) -> dict[str, float]:
        """How much of each account an epoch should hold; empty means equal shares."""
        return dict(self.content.get("weights") or {})


class BadManifest(Exception):
    """The manifest cannot be used; the message is a sentence."""


def manifest_of(
    recipe: Recipe,
    options: ExportOptions,
    counts: Counts,
    files: list[ExportedFile],
    rows: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    """The manifest without its own sha256; ``rows`` has the rows of each handle in each part."""
    import polars as pl

    counted = counts.to_json()
    for handle, account in counted["handles"].items():
        account.update({file.part: rows[file.part].get(handle, 0) for file in files})
    return {
        "manifest_version": VERSION,
        "mynah": __version__,
        "polars": pl.__version__,
        "recipe": {
            "name": recipe.name,
            # only where it is so: the bytes of a saved recipe's manifest stay what they were
            **({"changed": True} if recipe.edited else {}),
            "hash": recipe.hash,
            "rules": recipe.rules,
        },
        **options.to_json(),
        **counted,
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
    """The content of a manifest's file."""
    return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def own_sha256(manifest: Mapping[str, Any]) -> str:
    """The sha256 of the manifest's file as it would be without this very entry."""
    rest = {key: value for key, value in manifest.items() if key != OWN_SHA256}
    return hashlib.sha256(text_of(rest).encode("utf-8")).hexdigest()


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its own sha256, so that a change to it shows."""
    return {**manifest, OWN_SHA256: own_sha256(manifest)}


def read_manifest(path: Path) -> tuple[dict[str, Any], str]:
    """The content of a manifest and the text it was read from; raises BadManifest."""
    try:
        if not path.is_file():
            raise BadManifest(f"There is no manifest at {path}.")
        if path.stat().st_size > MOST_BYTES:
            raise BadManifest(f"{path.name} is too large for a manifest.")
        raw = path.read_bytes().decode("utf-8")
        content = parse_json(raw)
    except OSError as error:
        raise BadManifest(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise BadManifest(f"{path.name} is not a manifest: it is not JSON.") from error
    if not isinstance(content, dict) or "files" not in content or "recipe" not in content:
        raise BadManifest(f"{path.name} is not a manifest of mynah's.")
    return content, raw


def names_any(path: Path, handles: Collection[str]) -> bool:
    """Whether a manifest names one of these accounts; raises BadManifest, and OSError.

    Of a hundred thousand accounts it is larger than what `read_manifest` takes into memory: then
    its lines are gone through, as `text_of` writes them.
    """
    if not path.is_file() or path.stat().st_size <= MOST_BYTES:
        held = read_manifest(path)[0].get("handles")
        return isinstance(held, dict) and not set(held).isdisjoint(handles)
    wanted = {f"  {json.dumps(handle, ensure_ascii=False)}: {{\n".encode() for handle in handles}
    with path.open("rb") as lines:
        inside = False
        while line := lines.readline(_LONGEST_LINE):
            if inside and (line in wanted or line.startswith(b" }")):
                return line in wanted
            inside = inside or line == b' "handles": {\n'
    raise BadManifest(f"{path.name} is too large for a manifest, and names no accounts.")


def is_frozen_by_0_1(content: Mapping[str, Any]) -> bool:
    """Whether version 0.1.0 wrote this for a run: then it has no sha256 of its own."""
    return "valid_fraction" in content


def is_of_a_run(content: Mapping[str, Any]) -> bool:
    """Whether the dataset was frozen for a run."""
    return is_frozen_by_0_1(content) or content.get("purpose") == "training"


def own_problems(content: dict[str, Any], raw: str) -> Iterator[str]:
    """Sentences: a version that is not known, or a manifest that is not the one written."""
    if is_frozen_by_0_1(content):
        if content.get("format") != _FROZEN_FORMAT:
            yield (
                f"Its format is {content.get('format')!r}, and this mynah knows "
                f"format {_FROZEN_FORMAT}."
            )
        if raw != text_of(content):
            yield "The manifest is not written as mynah writes it: it was changed."
        return
    if "manifest_version" not in content and OWN_SHA256 not in content:
        return  # from before manifests had one
    if content.get("manifest_version") != VERSION:
        version = content.get("manifest_version")
        yield f"The manifest has version {version!r}, and this mynah knows version {VERSION}."
    if content.get(OWN_SHA256) != own_sha256(content) or raw != text_of(content):
        yield "The manifest is not the one that was written: its own sha256 differs."


def file_entries(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the manifest has for each file, each with sha256 and rows; raises BadManifest."""
    files = table(content["files"], "its list of files")
    if not files:
        raise BadManifest("The manifest tells of no file.")
    if len(files) > MOST_FILES:
        raise BadManifest(f"The manifest tells of {len(files):,} files: no export has so many.")
    for name, entry in files.items():
        table(entry, f"what it tells of {name!r}")
        if not isinstance(entry.get("sha256"), str):
            raise BadManifest(f"The manifest has no sha256 for {name!r}.")
        if count(entry.get("rows")) is None:
            raise BadManifest(f"The manifest has no number of rows for {name!r}.")
    return files


def recipe_problems(recipe: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the recipe: its hash has to be that of its rules."""
    rules = table(recipe.get("rules"), "the rules of its recipe")
    given = recipe.get("hash")
    try:
        computed = Recipe("verified", **check_rules(rules, "The manifest's recipe")).hash
    except InputRefused as refused:
        yield f"{refused.what} {refused.why} A newer mynah may know it."
        return
    if given != computed:
        yield f"The recipe's hash is {shown(given)}, but the rules in the manifest give {computed}."


def count_problems(content: dict[str, Any], files: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Counts that do not add up: of an account, of its rows in the files, of a file's rows."""
    of_a_run = is_of_a_run(content)
    handles = table(content.get("handles"), "its accounts")
    in_parts: dict[str, int] = {}
    for handle, entry in handles.items():
        counts = _counts(handle, entry)
        dropped = sum(counts["dropped"].values())
        parts = counts["retweets"] + counts["short"] + dropped + counts["kept"]
        if counts["downloaded"] != parts:
            yield (
                f"@{handle}: {counts['downloaded']:,} were downloaded, but retweets, short, the "
                f"other reasons and kept make {parts:,}."
            )
        own = {part: counts[part] for part in _PARTS if part in counts}
        for part in (*_PARTS, _JOINED):
            in_parts[part] = in_parts.get(part, 0) + counts.get(part, 0)
        wanted = counts["downloaded"] if content.get("what") == "all" else counts["kept"]
        repeated = not of_a_run and bool(content.get("weights"))
        if not repeated and sum(own.values()) != wanted:
            yield f"@{handle}: {sum(own.values()):,} rows are in the files, but {wanted:,} count."
    in_files: dict[str, tuple[list[str], int]] = {}
    for name, entry in files.items():
        named = str(entry.get("part") or ("train" if name == "train.parquet" else "valid"))
        if of_a_run or "part" in entry:
            names, rows = in_files.get(named, ([], 0))  # one part may be in several files
            in_files[named] = ([*names, name], rows + entry["rows"])
    for named, (names, rows) in in_files.items():
        of_accounts = in_parts.get(named, 0)
        if of_accounts != rows:
            who = f"{names[0]} has" if len(names) == 1 else f"{len(names):,} files have"
            yield (
                f"{who} {rows:,} rows by the manifest, but those of its accounts "
                f"make {of_accounts:,}."
            )


def _counts(handle: str, entry: object) -> dict[str, Any]:
    """The counts of one account, every one a number from 0 on."""
    counts = table(entry, f"what it tells of @{handle}")
    dropped = table(counts.get("dropped"), f"the dropped tweets of @{handle}")
    needed = {name: counts.get(name) for name in ("downloaded", "retweets", "short", "kept")}
    parts: dict[str, Any] = {name: counts[name] for name in (*_PARTS, _JOINED) if name in counts}
    for name, number in {**needed, **parts, **dropped}.items():
        if count(number) is None:
            raise BadManifest(f"@{handle}: {name} is {shown(number)}, which is no count.")
    return {**needed, **parts, "dropped": dropped}


def count(value: object) -> int | None:
    """An integer from 0 on that fits 63 bits, or None for anything else."""
    integer = isinstance(value, int) and not isinstance(value, bool)
    return value if integer and 0 <= value < 2**63 else None  # type: ignore[operator,return-value]


def shown(value: object) -> str:
    """A value from a manifest, short enough for a message."""
    number = count(value)
    return f"{number:,}" if number is not None else repr(value)[:40]


def table(value: object, what: str) -> dict[str, Any]:
    """``value`` when it is a table; raises BadManifest."""
    if not isinstance(value, dict):
        raise BadManifest(f"The manifest is not one of mynah's: {what} is not a table.")
    return value
