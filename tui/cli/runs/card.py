"""``mynah card``: the model card of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from core.home import Home
from tui.cli.asking import may_replace
from tui.cli.options import OutPath, force_option, home_option
from tui.cli.output import emit, narrate

if TYPE_CHECKING:
    from core.publish.card import Layout


@click.command()
@click.argument("run")
@click.option("-o", "--output", type=OutPath(dir_okay=False),
              help="The file to write; else stdout.")  # fmt: skip
@click.option("--layout", type=click.Choice(["several", "one", "html"]),
              help="Of several accounts, of one, or with the table in HTML.  "
              "[default: what fits]")  # fmt: skip
@force_option
@home_option
def card(run: str, output: Path | None, layout: str | None, force: bool, home: Home) -> None:
    """Write the model card of a run: who is imitated, the data, how it was trained, how to use it,
    its limits, what was measured.

    RUN is an id, the beginning of one, a name, or latest. Markdown with the front matter that
    Hugging Face reads; it is made from the run's folder alone.
    """
    from core.files import write_text_whole
    from core.publish.card import card_of
    from core.publish.facts import facts_of
    from core.runs.folder import find_run
    from core.safe_text import printable

    text = card_of(facts_of(find_run(home, run)), layout=cast("Layout | None", layout))
    if output is None:
        emit(printable(text.rstrip("\n"), keep_newlines=True))
        return
    may_replace([output], force=force)
    write_text_whole(output, text)
    narrate(f"Written to {output.absolute()}")
