"""``mynah share``: a picture of one sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from core.errors import InputRefused
from core.home import Home
from tui.cli.asking import may_replace
from tui.cli.options import force_option, home_option, json_option
from tui.cli.output import emit, emit_json, narrate
from tui.cli.runs.following import say_stale

if TYPE_CHECKING:
    from core.publish.picture import Theme


@click.command()
@click.argument("run")
@click.option("--index", type=click.IntRange(0), default=0, show_default=True,
              help="Which of its samples, counted from 0.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="A .png or .svg.  [default: the run's name, .png]")  # fmt: skip
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@click.option("--list", "listed", is_flag=True, help="Show the samples with their numbers.")
@force_option
@json_option
@home_option
def share(
    run: str,
    index: int,
    output: Path | None,
    theme: str,
    listed: bool,
    force: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Draw one sample of a run, with what it is on it: AI-generated, and in whose manner.

    RUN is an id, the beginning of one, a name, or latest. Its samples are the favourites, the
    newest first, then what it wrote while it learned, the last first; copies of tweets are left
    out.
    """
    from core.files import write_bytes_whole
    from core.publish.facts import facts_of
    from core.publish.picture import draw, kind_of, shareable
    from core.runs.folder import find_run
    from core.runs.summary import run_summary
    from core.safe_text import printable

    found = find_run(home, run)
    say_stale(run_summary(found))
    facts = facts_of(found)
    samples = shareable(home, found)
    if listed:
        rows = [{"index": n, "prompt": one.prompt, "text": one.text, "generated": True}
                for n, one in enumerate(samples)]  # fmt: skip
        if as_json:
            emit_json(rows)
        else:
            emit("\n".join(f"{row['index']:>3}  {printable(str(row['text']))}" for row in rows))
        return
    if index >= len(samples):
        raise InputRefused(
            f"{found.id} has no sample {index}.",
            f"There are {len(samples)}, counted from 0.",
            f"`mynah share {found.id} --list` shows them.",
        )
    path = (output or Path(f"{found.id}-{index}.png")).absolute()
    may_replace([path], force=force)
    picture = draw(facts, samples[index], kind_of(path), cast("Theme", theme))
    write_bytes_whole(path, picture.content)
    if picture.missing:
        narrate(f"▲ No font here has {picture.missing}; an SVG leaves them to who opens it.")
    if as_json:
        emit_json({"path": str(path)})
    else:
        emit(str(path))
