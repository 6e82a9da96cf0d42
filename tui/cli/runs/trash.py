"""``mynah trash``: deleted runs, which can be had back for a week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.home import Home
from core.numbers import plural, size_in_words
from tui.cli.asking import ask_first
from tui.cli.group import Group
from tui.cli.options import home_option, json_option, yes_option
from tui.cli.output import emit_json, narrate
from tui.cli.paging import emit_table
from tui.text.numbers import ago

if TYPE_CHECKING:
    from core.runs.housekeeping import DeletedRun


@click.group(cls=Group, invoke_without_command=True)
@json_option
@home_option
@click.pass_context
def trash(context: click.Context, as_json: bool, home: Home) -> None:
    """Deleted runs: they lie in the trash of the home for a week, whole."""
    if context.invoked_subcommand is None:
        _list_them(as_json, home)


@trash.command("list", short_help="What is there, and until when.")
@json_option
@home_option
def list_(as_json: bool, home: Home) -> None:
    """What lies in the trash, the last deleted first, and until when."""
    _list_them(as_json, home)


def _list_them(as_json: bool, home: Home) -> None:
    from core.runs.housekeeping import AT_ONCE, deleted_runs, empty_trash

    empty_trash(home, most=AT_ONCE)
    found = deleted_runs(home)
    if as_json:
        emit_json([_data(one) for one in found])
    elif not found:
        narrate("The trash is empty.")
    else:
        rows = [
            [one.id, ago(one.deleted), f"{one.expires.astimezone():%d %b %H:%M}",
             size_in_words(one.run.disk_bytes()), "▲ stale" if one.stale else "-"]
            for one in found
        ]  # fmt: skip
        emit_table(["run", "deleted", "kept until", "space", "data"], rows, right=(1, 2, 3))
        narrate(f"`mynah trash restore {found[0].id}` brings it back.")


def _data(one: DeletedRun) -> dict[str, Any]:
    return {
        "run": one.id,
        "deleted": one.deleted.isoformat(),
        "expires": one.expires.isoformat(),
        "bytes": one.run.disk_bytes(),
        "stale": one.stale,
        "path": str(one.run.folder),
    }


@trash.command(short_help="Bring a deleted run back.")
@click.argument("run")
@json_option
@home_option
def restore(run: str, as_json: bool, home: Home) -> None:
    """Bring a deleted run back, whole; RUN is its id or the beginning of it."""
    from core.runs.housekeeping import find_deleted, restore_run
    from core.runs.summary import run_summary

    back = restore_run(home, find_deleted(home, run))
    if as_json:
        emit_json(run_summary(back).to_json())
    else:
        narrate(f"{back.id} is back: `mynah runs` lists it.")


@trash.command(short_help="Remove what is there for good.")
@click.argument("names", metavar="[RUN]...", nargs=-1)
@yes_option
@json_option
@home_option
def empty(names: tuple[str, ...], yes: bool, as_json: bool, home: Home) -> None:
    """Remove deleted runs for good: those that are named, or all."""
    from core.runs.housekeeping import deleted_runs, find_deleted, remove_deleted

    wanted = list(dict.fromkeys(find_deleted(home, name) for name in names))
    found = wanted or ([] if names else deleted_runs(home))
    data = [_data(one) for one in found]
    if found and not yes:
        for one in data:
            narrate(f"{one['run']}: {size_in_words(one['bytes'])}")
        ask_first(f"Remove {plural(len(found), 'run')} for good?", otherwise="Nothing was removed.")
    remove_deleted(found)
    if as_json:
        emit_json(data)
    elif found:
        size = size_in_words(sum(one["bytes"] for one in data))
        narrate(f"{plural(len(found), 'run')} removed for good, {size}.")
    else:
        narrate("The trash is empty.")
