"""The figures of one run as a table: what Train shows beside the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import TYPE_CHECKING

from core.numbers import percent, size_in_words
from core.runs.folder import GOING
from core.safe_text import printable
from tui.actions import with_keys
from tui.text.blends import shares_so_far
from tui.text.numbers import ago, clock, count, short_count
from tui.widgets.row_list import RowCells

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary

RESUMABLE = ("stopped", "failed", "dead")
# Of a note, or of the reason why a run ended, so many characters are shown beside its figures.
LONGEST = 300
RUN_SIGNS = {
    "queued": ("◌", "muted"),
    "starting": ("◌", "primary"),
    "running": ("●", "success"),
    "stopping": ("◍", "warning"),
    "finished": ("✓", "success"),
    "stopped": ("■", "muted"),
    "failed": ("✗", "error"),
    "dead": ("✗", "error"),
}


def run_figures(
    run: RunSummary,
    history: RunHistory,
    size: int | None = None,
    keymap: Mapping[str, str] | None = None,
) -> list[tuple[str, str]]:
    """The figures of one run, each measured: what is not known yet is a dash.

    ``size``: bytes on the disk.
    """
    found: list[tuple[str, str]] = []
    if run.stale:
        found.append(("▲ stale", _text(run.stale)))
    if own := " ".join(filter(None, [run.name, *(f"#{tag}" for tag in run.tags)])):
        found.append(("name", _text(own)))
    if run.continues:
        found.append(("begins with", _text(f"the weights of {run.continues}")))
    if history.warnings:
        found.append(("▲ warning", _text(history.warnings[-1])))
    found.append(
        ("step", f"{count(run.step)} of {count(run.steps)}" if run.steps else count(run.step))
    )
    if run.reason:
        found.append(("why", _text(run.reason)))
    before, now = history.valid_before, run.valid_loss
    held_out = "–" if now is None else f"{now:.3f}"
    if history.valid_tweets == 0:
        held_out = "no tweet is: nothing to measure"
    elif before is not None and now is not None and before != now:
        held_out += f"  (was {before:.3f})"
    found.append(("held out", held_out))
    if now is not None:
        was = f"  (was {exp(before):,.0f})" if before is not None and before < 20 else ""
        found.append(("perplexity", f"{exp(min(now, 20)):,.0f}{was}"))
    if history.memorised_steps:
        back, elsewhere = history.memorised_train[-1], history.memorised_held_out[-1]
        found.append(
            ("gives back", f"{percent(back)} of training, {percent(elsewhere)} of held out")
        )
    if shares := shares_so_far(run.shares):
        found.append(("shares", shares))
    for tracked in run.tracked:
        found.append(("tracked", _text(tracked.in_words)))
    found.append(("speed", f"{short_count(history.tokens_per_second)} tok/s"))
    if run.waits_for:
        found.append(("behind", _text(run.waits_for)))
    elif run.state in GOING:
        # what it counted down to was the end of learning
        ending = run.doing == "saving"
        found.append(("left", "measuring, saving" if ending else clock(history.seconds_left)))
    else:
        found.append(("took", clock(history.seconds)))
    found.append(("on", _text(run.device or "–")))
    if size is not None:
        found.append(("disk", size_in_words(size)))
    if run.note:
        found.append(("note", _text(run.note)))
    if run.state in RESUMABLE:
        found.append(
            (
                "next",
                with_keys(
                    "{train.resume} takes it up again, {train.start} starts a new run", keymap
                ),
            )
        )
    return found


def _text(words: str) -> str:
    """Words from outside: no more than some lines of them."""
    shown = printable(words)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def run_line(run: RunSummary, letter: str = "") -> RowCells:
    """``letter``: what the run wears in the plot when it is overlaid: a stroke, or a letter among
    many. A ``+`` is before the name of one that goes on from another.
    """
    sign, style = RUN_SIGNS.get(run.state, ("?", "muted"))
    name = printable(run.name) or "+".join(run.handles) or run.run
    when = "now" if run.state in GOING else ago(run.started_at)
    if run.waits_for:
        when = "waits"
    loss = f"{run.valid_loss:.2f}" if run.valid_loss is not None else ""
    if run.stale:
        name = f"▲ {name}"
    if run.continues:
        name = f"+ {name}"
    if letter:
        name = f"{letter} {name}"
    return ((sign, style), (name, ""), (when, "muted"), (loss, ""))


def before_the_first_step(run: RunSummary) -> str:
    """What stands where the curve of a run will be."""
    if run.waits_for:
        return f"It waits for {run.waits_for} to end…"
    if run.state not in GOING:
        return "It ended before its first step."
    doing = run.doing or run.state
    return f"{doing[0].upper()}{doing[1:]}…"


def how_many(runs: Sequence[RunSummary]) -> str:
    """``1 running, 2 queued``, ``1 running of 4``, ``4``: the corner of the list."""
    waiting = sum(run.state == "queued" for run in runs)
    running = sum(run.state in GOING for run in runs) - waiting
    if waiting:
        return f"{running} running, {waiting} queued"
    return f"{running} running of {len(runs)}" if running else count(len(runs))
