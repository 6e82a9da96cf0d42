"""``mynah verify``: whether files are what their manifest says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import InputRefused
from core.home import Home
from core.safe_text import printable
from tui.cli.options import home_option, json_option
from tui.cli.output import emit, emit_json, table

if TYPE_CHECKING:
    from core.dataset.verify import Verified


@click.command()
@click.argument(
    "manifests", metavar="MANIFEST...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@json_option
@home_option
def verify(manifests: tuple[Path, ...], as_json: bool, home: Home) -> None:
    """Prove that files are what their manifest says: sha256, rows, counts, recipe.

    MANIFEST may also be the exported file or folder itself, or a RUN, whose frozen dataset is
    checked then. Ends with 3 when anything differs.
    """
    from core.dataset.verify import verify as check

    found = [check(_place(path, home)) for path in manifests]
    if as_json:
        emit_json([one.to_json() for one in found])
    else:
        for one in found:
            emit(_told(one))
    wrong = [one for one in found if not one.ok]
    if wrong:
        of = (
            f"{len(wrong)} of {len(found)} were not confirmed: see above." if len(found) > 1 else ""
        )
        raise InputRefused(of or f"{wrong[0].manifest} was not confirmed: see above.")


def _place(given: Path, home: Home) -> Path:
    """The path itself, or the dataset of the run that has this name."""
    if given.exists() or given.name != str(given):
        return given
    from core.runs.folder import find_run

    try:
        return find_run(home, str(given)).dataset
    except InputRefused:
        return given


def _told(one: Verified) -> str:
    sign = "✓" if one.ok else "✗"
    lines = [f"{sign} {one.manifest}" + (f": {one.holds}" if one.holds else "")]
    if one.files:
        rows = [
            ["ok" if file.ok else "differs", file.name, file.rows, file.sha256]
            for file in one.files
        ]
        lines.append(table(["", "file", "rows", "sha256"], rows, right=(2,)))
    lines += [f"  {problem}" for problem in one.problems]
    return printable("\n".join(lines), keep_newlines=True)
