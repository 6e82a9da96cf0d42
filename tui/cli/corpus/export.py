"""``mynah export``: a cleaned dataset and its manifest."""

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
from tui.cli.options import (
    FiniteRange,
    OutPath,
    force_option,
    home_option,
    json_option,
    recipe_option,
    weights_given,
)
from tui.cli.output import ProgressNote, emit, emit_json, narrate, table

if TYPE_CHECKING:
    from core.dataset.write import ExportResult


@click.command()
@click.argument("handles", metavar="HANDLE...", nargs=-1, required=True)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["txt", "jsonl", "csv", "parquet", "hf", "chat", "instruct"]),
    help="Default: what the name after -o says. txt has <|endoftext|> between tweets; hf is a "
    "folder for Hugging Face datasets; chat (messages) and instruct (prompt, completion) are JSON "
    "lines for TRL and axolotl.",
)
@click.option("-o", "--output", type=OutPath(), required=True,
              help="The file to write; with hf a folder.")  # fmt: skip
@recipe_option
@click.option("--what", type=click.Choice(["kept", "all"]), default="kept", show_default=True,
              help="all adds the text as published, and why it was dropped.")  # fmt: skip
@click.option("--split", type=FiniteRange(0, 0.5), metavar="SHARE",
              help="Hold this share out: o.csv becomes o.train.csv and o.valid.csv; hf holds out "
              "0.1 unless told otherwise.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True,
              help="Decides split and order.")  # fmt: skip
@click.option("--weights", metavar="A=1,B=2",
              help="One epoch in these shares: rows repeat, accounts interleave.")  # fmt: skip
@click.option(
    "--raw-cells",
    is_flag=True,
    help="CSV: do not guard cells that begin with = + - @ against spreadsheets.",
)
@click.option("--system", metavar="TEXT",
              help="chat: the system turn of {handle}; empty leaves it out.")  # fmt: skip
@click.option("--instruction", metavar="TEXT",
              help="chat, instruct: the instruction before a tweet of {handle}.")  # fmt: skip
@force_option
@json_option
@home_option
def export(
    handles: tuple[str, ...],
    format_: str | None,
    output: Path,
    recipe: str,
    what: str,
    split: float | None,
    seed: int,
    weights: str | None,
    raw_cells: bool,
    system: str | None,
    instruction: str | None,
    force: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Write a cleaned dataset, and beside it a manifest that says how it was made.

    The same tweets and options always give the same bytes; `mynah verify` checks them. What is
    written appears whole or not at all. In chat and instruct a reply follows the tweet that it
    answers, where the corpus has that one; any other tweet follows the instruction.
    """
    shares = weights_given(weights)
    from core.curation.recipe import load_recipe
    from core.dataset.options import INSTRUCTION, SYSTEM, ExportOptions, format_of, heeded
    from core.dataset.write import export_tweets, would_replace

    format_ = format_ or format_of(output)
    words = {"system": system, "instruction": instruction}
    for name, text in words.items():
        if text is not None and name not in heeded(cast(Any, format_), "kept"):
            raise WrongUsage(
                f"--{name} means nothing to {format_}.",
                "It is for chat." if name == "system" else "It is for chat and instruct.",
            )

    options = ExportOptions(
        format=cast(Any, format_),
        what=cast(Any, what),
        split=split,
        seed=seed,
        weights=shares,
        spreadsheet_safe=not raw_cells,
        system=SYSTEM if system is None else system,
        instruction=INSTRUCTION if instruction is None else instruction,
    )

    of = normal_handles(list(handles))
    may_replace(would_replace(output, options.checked(sorted(of))), force=force)

    def work(note: ProgressNote, stopped: Stopped) -> ExportResult:
        return export_tweets(
            home,
            of,
            load_recipe(recipe, home),
            output,
            options,
            progress=lambda moved: note(moved_line(moved)),
            cancelled=stopped,
        )

    result = with_progress(work)
    if as_json:
        emit_json(result.to_json())
        return
    rows = [[file.name, file.rows, file.sha256] for file in result.files]
    emit(table(["file", "rows", "sha256"], rows, right=(1,)))
    where = (output.parent if format_ != "hf" else output).absolute()
    narrate(f"Written to {where}. Check it with: mynah verify {shlex.quote(str(result.manifest))}")
