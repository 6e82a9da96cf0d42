"""``mynah share``: a picture of one sample."""

from __future__ import annotations

import base64
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from core.errors import InputRefused
from core.home import Home
from tui.cli.asking import may_replace
from tui.cli.options import OutPath, force_option, home_option, json_option
from tui.cli.output import emit, emit_json, narrate
from tui.cli.runs.following import say_stale

# Characters of a part of a picture, and half blocks side by side, at most.
_KITTY_PART = 4096
_MOST_COLUMNS = 120

if TYPE_CHECKING:
    from core.publish.picture import Theme


@click.command()
@click.argument("run")
@click.option("--index", type=click.IntRange(0), default=0, show_default=True,
              help="Which of its samples, counted from 0.")  # fmt: skip
@click.option("-o", "--output", type=OutPath(dir_okay=False),
              help="A .png or .svg.  [default: the run's name, .png]")  # fmt: skip
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@click.option("--show", is_flag=True, help="Show the picture in the terminal, too.")
@click.option("--list", "listed", is_flag=True, help="Show the samples with their numbers.")
@force_option
@json_option
@home_option
def share(
    run: str,
    index: int,
    output: Path | None,
    theme: str,
    show: bool,
    listed: bool,
    force: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Draw one sample of a run as a picture, which says that it is AI-generated, and of whom.

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
        elif not rows:
            narrate(f"{found.id} has no sample yet that could be shared.")
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
    if show and sys.stderr.isatty():
        png = draw(facts, samples[index], "png", cast("Theme", theme)).content
        click.echo(in_terminal(png, shutil.get_terminal_size().columns, os.environ), err=True)


def in_terminal(png: bytes, columns: int, environment: Mapping[str, str]) -> str:
    """What shows a picture in a terminal: as it is where the terminal says that it can, else as
    half blocks, which show how it is laid out.

    Sources: iTerm2's inline images protocol; kitty's graphics protocol.
    """
    from core.publish.picture import half_blocks

    multiplexed = "TMUX" in environment or environment.get("TERM", "").startswith("screen")
    encoded = base64.b64encode(png).decode("ascii")
    if not multiplexed and environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm"):
        return f"\x1b]1337;File=inline=1;size={len(png)};width=100%:{encoded}\a"
    if not multiplexed and "KITTY_WINDOW_ID" in environment:
        parts = [encoded[at : at + _KITTY_PART] for at in range(0, len(encoded), _KITTY_PART)]
        heads = [f"a=T,f=100,c={columns},", *[""] * (len(parts) - 1)]
        return "".join(
            f"\x1b_G{head}m={int(number < len(parts) - 1)};{part}\x1b\\"
            for number, (head, part) in enumerate(zip(heads, parts, strict=True))
        )
    lines = [
        "".join(
            f"\x1b[38;2;{';'.join(map(str, top))};48;2;{';'.join(map(str, bottom))}m▀"
            for top, bottom in cells
        )
        for cells in half_blocks(png, min(columns, _MOST_COLUMNS))
    ]
    return "\n".join(f"{line}\x1b[0m" for line in lines)
