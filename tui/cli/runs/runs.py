"""``mynah runs``: the runs on this machine, and housekeeping: rename, note, tag, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import WrongUsage
from core.home import Home
from core.numbers import plural, size_in_words
from tui.cli.asking import ask_first
from tui.cli.group import Group
from tui.cli.options import home_option, json_option, yes_option
from tui.cli.output import emit_json, narrate
from tui.cli.paging import emit_table
from tui.cli.runs.following import say_stale
from tui.text.blends import short_shares
from tui.text.numbers import ago, count

if TYPE_CHECKING:
    from core.runs.folder import Run
    from core.runs.summary import RunSummary


# So many runs are hard to tell apart by their ids.
_MANY = 3


@click.group(cls=Group, invoke_without_command=True)
@click.option(
    "--filter",
    "wanted",
    metavar="TEXT",
    default="",
    help='Only those that match: "lr>=1e-3 handle:nasa -tag:old loss<3.5 word".',
)
@json_option
@home_option
@click.pass_context
def runs(context: click.Context, wanted: str, as_json: bool, home: Home) -> None:
    """The runs on this machine, newest first; with a command, housekeeping.

    The train loss of a run that has ended is averaged over its last steps, at most 32; of one that
    goes on it is the newest. The held-out loss is that of its model.

    A run that was given a name answers to it in every command that takes a RUN.
    """
    if context.invoked_subcommand is None:
        _list_them(wanted, as_json, home)
    elif wanted:
        raise WrongUsage("--filter is for the list of runs.", "", "Name each run that is meant.")


def _list_them(wanted: str, as_json: bool, home: Home) -> None:
    from core.runs.filter import parse_filter
    from core.runs.folder import Run
    from core.runs.housekeeping import AT_ONCE, deleted_runs, empty_trash
    from core.runs.summary import list_runs

    empty_trash(home, most=AT_ONCE)
    chosen = parse_filter(wanted)
    all_of_them = list_runs(home)
    found = [one for one in all_of_them if chosen.matches(one)]
    if chosen and all_of_them:
        narrate(f"{count(len(found))} of {count(len(all_of_them))} runs match {chosen}")
    if as_json:
        emit_json([_data(one) for one in found])
    elif all_of_them and not found:
        pass  # said above
    elif not found:
        narrate("No runs yet. `mynah train HANDLE` starts one.")
    else:
        own = any(s.name or s.tags or s.note for s in found)
        rows = [
            [s.run, *([_own_words(s)] if own else []), "+".join(s.handles) + _in_shares(s),
             _base(s),
             f"queued behind {s.waits_for}" if s.waits_for else s.state,
             count(s.step) + (f"/{s.steps:,}" if s.steps else ""),
             s.train_loss, s.valid_loss, ago(s.started_at),
             size_in_words(Run(s.folder).disk_bytes()), "▲ stale" if s.stale else "-"]
            for s in found
        ]  # fmt: skip
        columns = ["run", *(["name"] if own else []), "accounts", "base", "state", "step",
                   "train loss", "held out", "age", "space", "data"]  # fmt: skip
        if any(s.sweep for s in found):
            columns.append("sweep")
            for row, s in zip(rows, found, strict=True):
                row.append(f"{s.sweep} {s.trial}" if s.sweep else "-")
        emit_table(columns, rows, right=range(4 + own, 9 + own))
        if len(found) >= _MANY and not any(s.name for s in found):
            narrate("`mynah runs rename RUN NAME` gives a run a name, which each command takes.")
        for summary in found:
            say_stale(summary)
    if not as_json and (deleted := deleted_runs(home)):
        size = size_in_words(sum(one.run.disk_bytes() for one in deleted))
        narrate(f"{plural(len(deleted), 'deleted run')} in the trash, {size}: `mynah trash list`.")


def _base(summary: RunSummary) -> str:
    base = summary.base_in_words
    return f"{base}, after {summary.continues}" if summary.continues else base


def _in_shares(summary: RunSummary) -> str:
    shares = short_shares(summary.shares)
    return f" {shares}" if shares else ""


def _own_words(summary: RunSummary) -> str:
    """``night shift #baseline: two accounts``: name, tags and note, so far as there is room."""
    text = " ".join([summary.name, *(f"#{tag}" for tag in summary.tags)]).strip()
    if summary.note:
        text += f"{': ' if text else ''}{summary.note}"
    return text if len(text) <= 40 else text[:39] + "…"


def _data(summary: RunSummary) -> dict[str, Any]:
    """The contract's object, with the bytes of the run's folder, and where the run is tracked."""
    from core.runs.folder import Run

    return summary.to_json() | {
        "bytes": Run(summary.folder).disk_bytes(),
        "tracked": [tracked.to_json() for tracked in summary.tracked],
    }


def _show_changed(run: Run, as_json: bool) -> None:
    from core.runs.summary import run_summary

    summary = run_summary(run)
    if as_json:
        emit_json(_data(summary))
    else:
        narrate(f"{summary.run}: {_own_words(summary) or 'no name, no note, no tags'}")


@runs.command(short_help="Give a run a name.")
@click.argument("run")
@click.argument("name")
@json_option
@home_option
def rename(run: str, name: str, as_json: bool, home: Home) -> None:
    """Give a run a name, which every command takes in place of its id; "" takes it away."""
    from core.runs.folder import find_run
    from core.runs.housekeeping import rename_run

    found = find_run(home, run)
    rename_run(home, found, name)
    _show_changed(found, as_json)


@runs.command(short_help="Note something on a run.")
@click.argument("run")
@click.argument("text")
@json_option
@home_option
def note(run: str, text: str, as_json: bool, home: Home) -> None:
    """Note something on a run, in place of what was noted before; "" takes it away."""
    from core.runs.folder import find_run
    from core.runs.housekeeping import note_run

    found = find_run(home, run)
    note_run(found, text)
    _show_changed(found, as_json)


@runs.command(short_help="Add tags to a run, or take some away.")
@click.argument("run")
@click.argument("tags", metavar="[TAG]...", nargs=-1)
@click.option("--remove", metavar="TAG", multiple=True, help="Take a tag away; can be repeated.")
@json_option
@home_option
def tag(
    run: str, tags: tuple[str, ...], remove: tuple[str, ...], as_json: bool, home: Home
) -> None:
    """Add tags to a run, or take some away; without any, show those that it has."""
    from core.runs.folder import find_run
    from core.runs.housekeeping import tag_run

    found = find_run(home, run)
    if tags or remove:
        tag_run(found, tags, remove)
    _show_changed(found, as_json)


@runs.command(short_help="Move runs into the trash, for a week.")
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@yes_option
@json_option
@home_option
def delete(names: tuple[str, ...], yes: bool, as_json: bool, home: Home) -> None:
    """Move runs into the trash, whole; what has lain there for a week is removed.

    A run that is going is refused, and so is one that a queued run is to begin with. --json gives
    the summary of the run, or a list of them when several are named.
    """
    from core.runs.folder import find_run
    from core.runs.housekeeping import TRASH_DAYS, delete_run, parts_of, refuse_delete
    from core.runs.summary import run_summary

    found = list(dict.fromkeys(find_run(home, name) for name in names))
    for run in found:
        refuse_delete(home, run)
    gone = [_data(run_summary(run)) for run in found]
    for run, summary in zip(found, gone, strict=True):
        parts, name = ", ".join(parts_of(run)), f" ({summary['name']})" if summary["name"] else ""
        narrate(f"{run.id}{name}: {parts or 'nothing yet'}, {size_in_words(summary['bytes'])}")
    if not yes:
        what = "this run" if len(found) == 1 else f"these {len(found)} runs"
        ask_first(f"Delete {what}?", otherwise="Nothing was deleted.")
    for run in found:
        delete_run(home, run)
        narrate(
            f"{run.id} lies in {home.trash} for {TRASH_DAYS} days: "
            f"`mynah trash restore {run.id}` brings it back."
        )
    if as_json:
        emit_json(gone[0] if len(gone) == 1 else gone)
