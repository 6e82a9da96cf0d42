"""``mynah profile``: what the tweets of an account are like, in plots of letters."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from core.handles import normal_handles
from core.home import Home
from core.numbers import plural
from tui.cli.long_work import Stopped, with_progress
from tui.cli.options import home_option, json_option, recipe_option
from tui.cli.output import ProgressNote, emit, emit_json

if TYPE_CHECKING:
    from core.curation.profile import Profile


@click.command()
@click.argument("handles", metavar="HANDLE...", nargs=-1, required=True)
@recipe_option
@click.option("--sentences", is_flag=True, help="What the plots show, in words.")
@json_option
@home_option
def profile(
    handles: tuple[str, ...], recipe: str, sentences: bool, as_json: bool, home: Home
) -> None:
    """What tweets are like: months, lengths, hours, kinds, words, hashtags.

    With several accounts also the words that set each apart, and all of them together.
    """
    from core.curation.profile import profile as look
    from core.curation.recipe import load_recipe
    from core.safe_text import printable
    from tui.profile.panels import profile_blocks, summary
    from tui.profile.sentences import profile_sentences

    def work(note: ProgressNote, stopped: Stopped) -> list[Profile]:
        return list(
            look(
                home,
                normal_handles(list(handles)),
                load_recipe(recipe, home),
                progress=lambda judged: note(f"judging: {judged:,} tweets · ctrl+c stops"),
                cancelled=stopped,
            )
        )

    found = with_progress(work)
    if as_json:
        emit_json([one.to_json() for one in found])
        return
    if sentences:
        for one in found:
            emit("\n".join(profile_sentences(one)) + "\n")
        return
    width = min(shutil.get_terminal_size().columns, 100)
    for one in found:
        together = f"{plural(len(found) - 1, 'account')} together"
        who = together if one.together else f"@{printable(one.handle)}"
        emit(f"{who}: {summary(one)}")
        for block in profile_blocks(one, width - 2):
            emit(f"\n{block.title} ({block.status})" if block.status else f"\n{block.title}")
            for line in block.lines:
                emit(f"  {line}".rstrip())
        emit("")
