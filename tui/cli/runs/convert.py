"""``mynah convert``: a run's model for other programs, with proof."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, cast

import click

from core.home import Home
from tui.cli.asking import may_replace
from tui.cli.long_work import with_progress
from tui.cli.options import OutPath, force_option, home_option, json_option
from tui.cli.output import emit, emit_json, narrate, pairs
from tui.cli.runs.following import say_stale

if TYPE_CHECKING:
    from core.publish.convert import Format
    from core.publish.gguf_writer import Quant


@click.command()
@click.argument("run")
@click.option("--to", type=click.Choice(["gguf", "ollama", "folder"]), required=True,
              help="gguf is one file for llama.cpp; ollama a folder with it and a Modelfile; "
              "folder a copy as transformers reads it, with its card.")  # fmt: skip
@click.option("-o", "--output", type=OutPath(), required=True,
              help="The file to write; with ollama and folder a folder.")  # fmt: skip
@click.option("--quant", type=click.Choice(["f16", "q8_0"]),
              help="How weights are kept in GGUF.  [default: f16]")  # fmt: skip
@force_option
@json_option
@home_option
def convert(
    run: str, to: str, output: Path, quant: str | None, force: bool, as_json: bool, home: Home
) -> None:
    """Write a run's model for other programs, and prove that it is the same model.

    RUN is an id, the beginning of one, a name, or latest. GGUF is written of models with the layers
    of Llama or GPT-2. The file is read back and compared: with f16 it has to choose the same tokens
    as the model itself; with q8_0 the change of the held-out loss is told. A file that fails is
    thrown away.
    """
    from core.publish.convert import convert as write
    from core.runs.folder import find_run
    from core.runs.summary import run_summary

    found = find_run(home, run)
    say_stale(run_summary(found))
    may_replace([output], force=force)
    done = with_progress(
        lambda note, stopped: write(
            found,
            cast("Format", to),
            output,
            quant=cast("Quant | None", quant),
            force=True,  # asked above
            progress=lambda moved: note(f"{moved.phase}… · ctrl+c stops"),
            cancelled=stopped,
        )
    )
    if as_json:
        emit_json(done.to_json())
        return
    proof = done.proof
    emit(pairs([("path", done.path), ("sha256", done.sha256), *_proved(proof)]))
    if to == "ollama":
        narrate(f"To try it: ollama create NAME -f {quote(str(done.path / 'Modelfile'))}")


def _proved(proof: dict[str, Any]) -> list[tuple[str, object]]:
    """Lines that say what was compared, and what came out."""
    if "tokens" not in proof:
        return [("compared", proof["compared"]), ("equal files", proof["equal"])]
    lines: list[tuple[str, object]] = [
        ("compared", proof["compared"]),
        ("equal tokens", f"{proof['equal']:,} of {proof['tokens']:,}"),
        ("equal tokenisation", f"{proof['texts']:,} texts"),
        ("rounded weights", f"{proof['rounded_weights']:,}"),
    ]
    if proof["drift"] is not None:
        lines.append(
            (
                "held-out loss",
                f"{proof['converted_loss']:.4f} on {proof['held_out_tokens']:,} held-out tokens, "
                f"{proof['drift']:+.5f} nats a token against the run's model on the same ones; "
                "`mynah runs` has the loss on all that the run measured",
            )
        )
    return lines
