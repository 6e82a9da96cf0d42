"""`mynah verify`: whether files are what a manifest says of them.

Nothing outside the manifest's folder is read, whatever the manifest asks for, and nothing that a
manifest says is believed before it has been checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from core.dataset.consistency import Refused, count, count_problems, recipe_problems, said, table
from core.dataset.counting import rows_in
from core.dataset.manifest import HF_NAME, OWN_SHA256, SUFFIX, VERSION, own_sha256, text_of
from core.files import sha256_of

MOST_BYTES: Final = 64 * 2**20  # of a manifest; one of a thousand accounts has less than one
MOST_FILES: Final = 1_000
_FROZEN: Final = "manifest.json"


@dataclass(frozen=True)
class CheckedFile:
    """One file of a manifest: what was found, and whether it is what was told."""

    name: str
    rows: int | None
    sha256: str | None
    ok: bool


@dataclass
class Verified:
    """What became of one manifest; ``problems`` are sentences, none when all is well.

    ``holds`` says what the manifest is of, such as "an export as csv".
    """

    manifest: Path
    holds: str = ""
    files: list[CheckedFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah verify --json``."""
        return {
            "manifest": str(self.manifest),
            "ok": self.ok,
            "holds": self.holds,
            "files": [asdict(file) for file in self.files],
            "problems": self.problems,
        }


def verify(path: Path) -> Verified:
    """Checks every file that the manifest at ``path`` tells of, and the manifest itself.

    ``path`` may also be the exported file or folder, or a run's dataset. Checked: that each file is
    there, its sha256, size and rows; the recipe's hash against its rules; that the counts add up;
    and the manifest's own sha256. Never raises for what it finds: it becomes a problem.
    """
    manifest = manifest_at(path)
    found = Verified(manifest)
    try:
        content, raw = _read(manifest)
        frozen = "valid_fraction" in content
        found.holds = _holds(content, frozen)
        found.problems += _own_problems(content, raw, frozen)
        files = _files(content)
        for name, told in files.items():
            _check_file(found, name, told, _format(content, frozen))
        if "card" in content:
            _check_card(found, table(content["card"], "its card"))
        found.problems += recipe_problems(table(content.get("recipe"), "its recipe"))
        found.problems += count_problems(content, files, frozen)
    except Refused as refused:
        found.problems.append(str(refused))
    return found


def manifest_at(path: Path) -> Path:
    """The manifest itself, of a file or a folder that has one beside or inside it."""
    if path.is_dir():
        inside = (path / HF_NAME, path / _FROZEN, path / "dataset" / _FROZEN)
        return next((place for place in inside if place.is_file()), inside[0])
    beside = path.with_name(path.name + SUFFIX)
    return beside if not path.name.endswith(".json") and beside.is_file() else path


def _read(path: Path) -> tuple[dict[str, Any], str]:
    try:
        if not path.is_file():
            raise Refused(f"There is no manifest at {path}.")
        if path.stat().st_size > MOST_BYTES:
            raise Refused(f"{path.name} is too large for a manifest.")
        raw = path.read_bytes().decode("utf-8")
        content = json.loads(raw)
    except OSError as error:
        raise Refused(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path.name} is not a manifest: it is not JSON.") from error
    if not isinstance(content, dict) or "files" not in content or "recipe" not in content:
        raise Refused(f"{path.name} is not a manifest of mynah's.")
    return content, raw


def _holds(content: dict[str, Any], frozen: bool) -> str:
    handles = content.get("handles")
    names = ", ".join(f"@{handle}" for handle in handles) if isinstance(handles, dict) else ""
    whose = f" of {names}" if names else ""
    if frozen:
        return f"the frozen dataset of a run{whose}"
    return f"an export as {content.get('format')}{whose}"


def _format(content: dict[str, Any], frozen: bool) -> str:
    named = "parquet" if frozen else content.get("format")
    return named if isinstance(named, str) else ""


def _own_problems(content: dict[str, Any], raw: str, frozen: bool) -> Iterator[str]:
    if frozen:
        if content.get("format") != 1:
            yield f"Its format is {content.get('format')!r}, and this mynah knows format 1."
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


def _files(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    files = table(content["files"], "its list of files")
    if not files:
        raise Refused("The manifest tells of no file.")
    if len(files) > MOST_FILES:
        raise Refused(f"The manifest tells of {len(files):,} files: no export has so many.")
    for name, told in files.items():
        table(told, f"what it tells of {name!r}")
        if not isinstance(told.get("sha256"), str):
            raise Refused(f"The manifest has no sha256 for {name!r}.")
        if count(told.get("rows")) is None:
            raise Refused(f"The manifest has no number of rows for {name!r}.")
    return files


def _place(manifest: Path, name: str) -> Path:
    """Where a file lies; raises Refused for a name that leads out of the manifest's folder."""
    parts = PurePosixPath(name).parts
    leads_out = (
        not parts
        or ".." in parts
        or PurePosixPath(name).is_absolute()
        or PureWindowsPath(name).drive
        or "\\" in name
        or "\0" in name
    )
    folder = manifest.parent
    try:
        if not leads_out and (folder / name).resolve().is_relative_to(folder.resolve()):
            return folder / name
    except (OSError, RuntimeError, ValueError):  # a link to itself, or no name for a file
        pass
    raise Refused(f"The manifest names {name!r}, which is not in its folder; it was not read.")


def _check_file(found: Verified, name: str, told: dict[str, Any], format_: str) -> None:
    problems: list[str] = []
    rows, sha256 = None, None
    try:
        path = _place(found.manifest, name)
        if not path.is_file():
            raise Refused(f"{name} is missing.")
        sha256 = sha256_of(path)
        if sha256 != told["sha256"]:
            problems.append(
                f"{name} is not the file that was written: its sha256 is {sha256[:16]}…, "
                f"the manifest says {told['sha256'][:16]}…."
            )
        size = path.stat().st_size
        if "bytes" in told and size != told["bytes"]:
            problems.append(f"{name} has {size:,} bytes, the manifest says {said(told['bytes'])}.")
        rows = rows_in(path, format_)
        if rows is None and not problems:
            problems.append(f"{name} cannot be read as {format_ or 'anything that mynah writes'}.")
        if rows is not None and rows != told["rows"]:
            problems.append(f"{name} has {rows:,} rows, the manifest says {said(told['rows'])}.")
    except Refused as refused:
        problems.append(str(refused))
    except OSError as error:
        problems.append(f"{name} cannot be read: {error.strerror or error}.")
    found.files.append(CheckedFile(name, rows, sha256, not problems))
    found.problems += problems


def _check_card(found: Verified, told: dict[str, Any]) -> None:
    name = told.get("name")
    if not isinstance(name, str):
        raise Refused("The manifest does not name its card.")
    path = _place(found.manifest, name)
    if not path.is_file():
        found.problems.append(f"{name} is missing.")
    elif sha256_of(path) != told.get("sha256"):
        found.problems.append(f"{name} is not the card that was written: its sha256 differs.")
