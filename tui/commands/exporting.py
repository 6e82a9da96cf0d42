"""export."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handle, normal_handles
from core.home import Home
from tui.commands.output import emit, emit_json, home_option, json_option, narrate, table


def weights_given(text: str | None) -> dict[str, float] | None:
    """``@A=2,b=1`` as weights by handle; raises WrongUsage."""
    if text is None:
        return None
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.partition("=")
        try:
            weight = float(number)
            handle = normal_handle(name)
        except (ValueError, InputRefused):
            equals = ""
        if not equals or handle in weights:
            raise WrongUsage(
                f"--weights cannot be read at {part!r}.",
                "It takes each account once with a number.",
                "For example: --weights keeper=2,gran=1",
            )
        weights[handle] = weight
    return weights or None


@click.command()
@click.argument("handles", metavar="HANDLE...", nargs=-1, required=True)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["txt", "jsonl", "csv", "parquet", "hf"]),
    required=True,
    help="txt has <|endoftext|> between tweets; hf is a folder for Hugging Face datasets.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True,
              help="The file to write; with hf a folder.")  # fmt: skip
@click.option("--recipe", default="standard", show_default=True, help="A recipe's name or file.")
@click.option("--what", type=click.Choice(["kept", "all"]), default="kept", show_default=True,
              help="all adds the text as published, and why it was dropped.")  # fmt: skip
@click.option("--split", type=click.FloatRange(0, 0.5), metavar="SHARE",
              help="Hold this share out: o.csv becomes o.train.csv and o.valid.csv.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True,
              help="Decides split and order.")  # fmt: skip
@click.option("--weights", metavar="A=1,B=2",
              help="One epoch in these shares: rows repeat, accounts interleave.")  # fmt: skip
@click.option(
    "--raw-cells",
    is_flag=True,
    help="CSV: do not guard cells that begin with = + - @ against spreadsheets.",
)
@json_option
@home_option
def export(
    handles: tuple[str, ...],
    format_: str,
    output: Path,
    recipe: str,
    what: str,
    split: float | None,
    seed: int,
    weights: str | None,
    raw_cells: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Write a cleaned dataset, and beside it a manifest that says how it was made.

    The same tweets and options always give the same bytes.
    """
    shares = weights_given(weights)
    from core.curation import load_recipe
    from core.export import export as write_export
    from core.workbench import Workbench

    bench = Workbench(home, normal_handles(list(handles)))
    curation = bench.curate(load_recipe(recipe, home))
    result = write_export(
        curation.frame,
        output,
        format=cast(Any, format_),
        recipe=curation.recipe,
        what=cast(Any, what),
        split=split,
        seed=seed,
        weights=shares,
        spreadsheet_safe=not raw_cells,
    )
    if as_json:
        emit_json(result.to_json())
        return
    rows = [[file.name, file.rows, file.sha256] for file in result.files]
    emit(table(["file", "rows", "sha256"], rows, right=(1,)))
    narrate(f"written to {output.parent if format_ != 'hf' else output}; "
            f"the manifest is {result.manifest.name}")  # fmt: skip
