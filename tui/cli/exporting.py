"""export."""

from __future__ import annotations

import shlex
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from core.errors import WrongUsage
from core.handles import normal_handles
from core.home import Home
from tui.cli.output import ProgressNote, emit, emit_json, home_option, json_option, narrate, table
from tui.cli.patience import stoppable
from tui.cli.weights import weights_given
from tui.text.numbers import clock

if TYPE_CHECKING:
    from core.dataset.write import ExportResult
    from core.progress import Progress


@click.command()
@click.argument("handles", metavar="HANDLE...", nargs=-1, required=True)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["txt", "jsonl", "csv", "parquet", "hf", "chat", "instruct"]),
    required=True,
    help="txt has <|endoftext|> between tweets; hf is a folder for Hugging Face datasets; chat "
    "(messages) and instruct (prompt, completion) are JSON lines for TRL and axolotl.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True,
              help="The file to write; with hf a folder.")  # fmt: skip
@click.option("--recipe", default="standard", show_default=True, help="A recipe's name or file.")
@click.option("--what", type=click.Choice(["kept", "all"]), default="kept", show_default=True,
              help="all adds the text as published, and why it was dropped.")  # fmt: skip
@click.option("--split", type=click.FloatRange(0, 0.5), metavar="SHARE",
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
              help="chat, instruct: what stands before a tweet of {handle}.")  # fmt: skip
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
    system: str | None,
    instruction: str | None,
    as_json: bool,
    home: Home,
) -> None:
    """Write a cleaned dataset, and beside it a manifest that says how it was made.

    The same tweets and options always give the same bytes; `mynah verify` checks them. What is
    written appears whole or not at all. A reply stands in chat and instruct like any other tweet:
    the corpus does not know the words that it answers.
    """
    shares = weights_given(weights)
    from core.curation.recipe import load_recipe
    from core.dataset.options import INSTRUCTION, SYSTEM, ExportOptions, heeded
    from core.dataset.write import export_tweets

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
    stop = threading.Event()
    note = ProgressNote()

    def progress(moved: Progress) -> None:
        of = f" of {moved.total:,}" if moved.total else ""
        left = f" · {clock(moved.left)} left" if moved.left is not None else ""
        note(f"{moved.phase} {moved.done:,}{of} · {moved.rate:,.0f} a second{left} · ctrl+c stops")

    def work() -> ExportResult:
        return export_tweets(
            home,
            normal_handles(list(handles)),
            load_recipe(recipe, home),
            output,
            options,
            progress=progress,
            cancelled=stop.is_set,
        )

    try:
        result = stoppable(work, stop.set)
    finally:
        note.done()
    if as_json:
        emit_json(result.to_json())
        return
    rows = [[file.name, file.rows, file.sha256] for file in result.files]
    emit(table(["file", "rows", "sha256"], rows, right=(1,)))
    narrate(f"written to {output.parent if format_ != 'hf' else output}; "
            f"mynah verify {shlex.quote(str(result.manifest))} checks it")  # fmt: skip
