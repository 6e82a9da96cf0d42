"""``mynah config``: the settings of the home, listed, explained and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import InputRefused
from core.home import Home
from tui.cli.group import Group
from tui.cli.options import home_option, json_option
from tui.cli.output import emit, emit_json, narrate
from tui.cli.paging import emit_table

if TYPE_CHECKING:
    from core.config import Value


@click.group(cls=Group, invoke_without_command=True)
@json_option
@home_option
@click.pass_context
def config(context: click.Context, as_json: bool, home: Home) -> None:
    """Settings that you choose once, in config.toml of the home; without a command, list them.

    The keys of the app are settings, too: keymap and the id of an action.
    """
    if context.invoked_subcommand is not None:
        return
    from core.config import config_file, read_config

    rows = _rows(read_config(home))
    if as_json:
        emit_json(rows)
        return
    shown = [[row["name"], _shown(row["value"]), row["about"]] for row in rows]
    emit_table(["setting", "value", "what it is"], shown)
    narrate(
        f"The settings are kept in {config_file(home)}; `mynah config set NAME VALUE` changes one."
    )
    narrate(
        "With keymap.ACTION an action of the app gets keys of your own, as in `mynah config set "
        f"keymap.data.add f6`. The name of a file in {home.themes} works for app.theme, too."
    )


def _rows(chosen: dict[str, Value]) -> list[dict[str, Any]]:
    from core.config import listed_settings

    return [
        {
            "name": one.setting.name,
            "value": one.value,
            "default": one.setting.default,
            "chosen": one.chosen,
            "type": one.setting.kind,
            "choices": list(one.setting.choices),
            "about": one.setting.about,
        }
        for one in listed_settings(chosen)
    ]


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value) or "-"


@config.command("get", short_help="Print one setting.")
@click.argument("name")
@json_option
@home_option
def get(name: str, as_json: bool, home: Home) -> None:
    """Print the value of one setting: the one that you chose, or mynah's own."""
    from core.config import read_config

    rows = {row["name"]: row for row in _rows(read_config(home))}
    if name not in rows:
        raise InputRefused(f"There is no setting {name!r}.", "", "`mynah config` lists them.")
    if as_json:
        emit_json(rows[name])
    else:
        emit(_shown(rows[name]["value"]))


@config.command("set", short_help="Change one setting.")
@click.argument("name")
@click.argument("value")
@json_option
@home_option
def set_(name: str, value: str, as_json: bool, home: Home) -> None:
    """Change one setting; everything else in the file stays as it is."""
    from tui.settings.checking import set_checked

    _tell(name, set_checked(home, name, value), as_json)


@config.command("unset", short_help="Take one setting back.")
@click.argument("name")
@json_option
@home_option
def unset(name: str, as_json: bool, home: Home) -> None:
    """Take one setting out of the file, so that mynah's own value is used again."""
    from core.config import read_config, set_config

    if name not in read_config(home):
        raise InputRefused(f"{name} is not set.", "", "`mynah config` lists what there is.")
    set_config(home, name, None)
    _tell(name, None, as_json)


def _tell(name: str, value: Value | None, as_json: bool) -> None:
    if as_json:
        emit_json({"name": name, "value": value})
    elif value is None:
        narrate(f"{name} is as mynah ships it.")
    else:
        narrate(f"{name} is {_shown(value)}.")
