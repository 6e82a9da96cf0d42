"""`mynah verify`: whether files are what a manifest says of them.

Nothing outside the manifest's folder is read, whatever the manifest asks for, and nothing that a
manifest says is believed before it has been checked. Rows are counted from the files themselves,
without holding them in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from core.dataset.blend import SEPARATOR
from core.dataset.manifest import (
    HF_NAME,
    RUN_NAME,
    SUFFIX,
    BadManifest,
    count_problems,
    file_entries,
    is_of_a_run,
    own_problems,
    read_manifest,
    recipe_problems,
    shown,
    table,
)
from core.files import sha256_of

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class CheckedFile:
    """One file of a manifest: what was found, and whether the manifest says the same."""

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

    ``path`` may also be the exported file or folder, or a run's folder or dataset. Checked: that
    each file is there, its sha256, size and rows; the recipe's hash against its rules; that the
    counts add up; and the manifest's own sha256. Never raises for what it finds: it becomes a
    problem.
    """
    manifest = manifest_at(path)
    found = Verified(manifest)
    try:
        content, raw = read_manifest(manifest)
        found.holds = _holds(content)
        found.problems += own_problems(content, raw)
        files = file_entries(content)
        for name, entry in files.items():
            _check_file(found, name, entry, _format(content))
        if "card" in content:
            _check_card(found, table(content["card"], "its card"))
        found.problems += recipe_problems(table(content.get("recipe"), "its recipe"))
        found.problems += count_problems(content, files)
    except BadManifest as bad:
        found.problems.append(str(bad))
    return found


def manifest_at(path: Path) -> Path:
    """The manifest itself, of a file or a folder that has one beside or inside it."""
    if path.is_dir():
        inside = (path / HF_NAME, path / RUN_NAME, path / "dataset" / RUN_NAME)
        return next((file for file in inside if file.is_file()), inside[0])
    beside = path.with_name(path.name + SUFFIX)
    return beside if beside.is_file() else path


def _holds(content: dict[str, Any]) -> str:
    handles = content.get("handles")
    names = ", ".join(f"@{handle}" for handle in handles) if isinstance(handles, dict) else ""
    whose = f" of {names}" if names else ""
    if is_of_a_run(content):
        return f"the frozen dataset of a run{whose}"
    return f"an export as {content.get('format')}{whose}"


def _format(content: dict[str, Any]) -> str:
    named = "parquet" if is_of_a_run(content) else content.get("format")
    return named if isinstance(named, str) else ""


def _path_of(manifest: Path, name: str) -> Path:
    """Where a file lies; raises BadManifest for a name that leads out of the manifest's folder."""
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
    raise BadManifest(f"The manifest names {name!r}, which is not in its folder; it was not read.")


def _check_file(found: Verified, name: str, entry: dict[str, Any], format_: str) -> None:
    problems: list[str] = []
    rows, sha256 = None, None
    try:
        path = _path_of(found.manifest, name)
        if not path.is_file():
            raise BadManifest(f"{name} is missing.")
        sha256 = sha256_of(path)
        if sha256 != entry["sha256"]:
            problems.append(
                f"{name} is not the file that was written: its sha256 is {sha256[:16]}…, "
                f"the manifest says {entry['sha256'][:16]}…."
            )
        size = path.stat().st_size
        if "bytes" in entry and size != entry["bytes"]:
            problems.append(
                f"{name} has {size:,} bytes, the manifest says {shown(entry['bytes'])}."
            )
        rows = rows_in(path, format_)
        if rows is None and not problems:
            problems.append(f"{name} cannot be read as {format_ or 'anything that mynah writes'}.")
        if rows is not None and rows != entry["rows"]:
            problems.append(f"{name} has {rows:,} rows, the manifest says {shown(entry['rows'])}.")
    except BadManifest as bad:
        problems.append(str(bad))
    except OSError as error:
        problems.append(f"{name} cannot be read: {error.strerror or error}.")
    found.files.append(CheckedFile(name, rows, sha256, not problems))
    found.problems += problems


def _check_card(found: Verified, entry: dict[str, Any]) -> None:
    name = entry.get("name")
    if not isinstance(name, str):
        raise BadManifest("The manifest does not name its card.")
    path = _path_of(found.manifest, name)
    if not path.is_file():
        found.problems.append(f"{name} is missing.")
    elif sha256_of(path) != entry.get("sha256"):
        found.problems.append(f"{name} is not the card that was written: its sha256 differs.")


def rows_in(path: Path, format_: str) -> int | None:
    """Tweets in an exported file; None when it is not of that format. Raises OSError."""
    if format_ in ("jsonl", "chat", "instruct"):
        return _lines(path)
    if format_ == "csv":
        return _csv_rows(path)
    if format_ == "txt":
        return _between_marks(path)
    return _parquet_rows(path) if format_ in ("parquet", "hf") else None


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _lines(path: Path) -> int:
    return sum(chunk.count(b"\n") for chunk in _chunks(path))


def _csv_rows(path: Path) -> int | None:
    """Line ends outside quotes, less that of the header; a doubled quote opens and closes."""
    ends, quoted = 0, False
    for chunk in _chunks(path):
        for number, piece in enumerate(chunk.split(b'"')):
            quoted = quoted != (number > 0)
            if not quoted:
                ends += piece.count(b"\n")
    return None if quoted or not ends else ends - 1


def _between_marks(path: Path) -> int | None:
    mark = SEPARATOR.encode()
    marks, rest = 0, b""
    for chunk in _chunks(path):
        *before, rest = (rest + chunk).split(mark)
        marks += len(before)
        rest = rest[-len(mark) + 1 :]
    return marks - 1 if marks and not rest else None


def _parquet_rows(path: Path) -> int | None:
    import polars as pl

    try:
        found = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        return int(found.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
