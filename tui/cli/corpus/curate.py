"""``mynah curate``: judge the tweets of Parquet files, here or on a cluster."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from core.errors import WrongUsage
from core.handles import normal_handles
from core.home import Home
from tui.cli.asking import may_replace
from tui.cli.long_work import Stopped, moved_line, with_progress
from tui.cli.options import OutPath, force_option, home_option, json_option, recipe_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate, table

if TYPE_CHECKING:
    from core.bulk.curate import CuratedFiles

_SHOWN = 20


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("-o", "--output", type=OutPath(), required=True,
              help="The folder to make.")  # fmt: skip
@recipe_option
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray spreads the work over a Ray cluster, or over workers on this machine.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Cut the work into about so many partitions of accounts; the bytes stay the same.",
)
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="The Ray cluster to use (or RAY_ADDRESS); without one, Ray is started here.",
)
@force_option
@json_option
@home_option
def curate(
    sources: tuple[str, ...],
    output: Path,
    recipe: str,
    engine: str,
    partitions: int | None,
    address: str | None,
    force: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Judge every tweet of Parquet files, however many: on this machine, or on a cluster.

    A SOURCE is a Parquet file, a folder of them, or @HANDLE for the tweets of an account in the
    corpus. Files need the columns of mynah's tweets; what this command writes has them.

    The output is a folder of Parquet parts with all tweets, each with its clean text, whether it
    is kept, and if not why; and a manifest that `mynah verify` checks. The same tweets and recipe
    give the same bytes, whatever the engine and however the files are divided. On a cluster,
    sources and output must lie where all its machines find them.
    """
    from core.bulk.curate import curate_corpus, curate_files, earlier_output
    from core.curation.recipe import load_recipe

    handles = [source for source in sources if source.startswith("@")]
    if handles and len(handles) < len(sources):
        raise WrongUsage(
            "Files and accounts of the corpus cannot be curated together.",
            "They might hold the same tweets.",
            "Import the files, or curate one after the other.",
        )

    may_replace(earlier_output(output), force=force)

    def work(note: ProgressNote, stopped: Stopped) -> CuratedFiles:
        wanted: dict[str, Any] = {
            "engine": cast(Any, engine),
            "partitions": partitions,
            "address": address,
            "progress": lambda moved: note(moved_line(moved)),
            "cancelled": stopped,
        }
        rules = load_recipe(recipe, home)
        if handles:
            return curate_corpus(home, normal_handles(handles), output, rules, **wanted)
        files = [Path(source) for source in sources]
        return curate_files(files, output, rules, home=home, **wanted)

    result = with_progress(work)
    if as_json:
        emit_json(result.to_json())
        return
    rows = [[file.name, file.rows, file.sha256] for file in result.files[:_SHOWN]]
    emit(table(["file", "rows", "sha256"], rows, right=(1,)))
    if len(result.files) > _SHOWN:
        narrate(f"… and {len(result.files) - _SHOWN:,} more files.")
    accounts = "1 account" if result.accounts == 1 else f"{result.accounts:,} accounts"
    narrate(f"{result.kept:,} of {result.rows:,} tweets of {accounts} are kept")
    narrate(
        f"Written to {result.path}. Check it with: mynah verify {shlex.quote(str(result.path))}"
    )
