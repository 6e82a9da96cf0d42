"""Options that several commands take: ``--home``, ``--json``, ``--recipe``, ``--weights``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handle
from core.home import Home, expanded, in_full

Command = TypeVar("Command", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A number within limits. Of nan click says that it is within all of them."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


class OutPath(click.Path):
    """Where to write. ``~`` is the person's own folder, also where no shell has seen it."""

    def __init__(self, *, dir_okay: bool = True) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(str(super().convert(value, param, ctx)))
        in_full(path)  # refuses the folder of nobody
        return expanded(path)


@dataclass
class Chosen:
    """What was said for all commands.

    ``home`` is what ``--home`` named, before or after the command; None leaves it to the
    environment. ``pager``: a table that the terminal cannot hold may go through one.
    """

    home: str | None = None
    pager: bool = True


def home_at(chosen: Chosen) -> Home:
    """The home that was chosen; raises InputRefused when a file is in its place."""
    home = Home.at(chosen.home)
    if home.root.exists() and not home.root.is_dir():
        raise InputRefused(f"The home {home.root} is not a folder.", "", "Name one with --home.")
    return home


def home_option(command: Command) -> Command:
    """``--home`` after the command too; the parameter arrives as a Home."""

    def chosen(context: click.Context, _: click.Parameter, value: str | None) -> Home:
        root = context.find_root().ensure_object(Chosen)
        root.home = value or root.home
        return home_at(root)

    return click.option(
        "--home", metavar="DIR", callback=chosen, help="Where data lives (or MYNAH_HOME)."
    )(command)


def json_option(command: Command) -> Command:
    """``--json``: the contract's object on stdout, the same bytes everywhere.

    Before a command of a group (``mynah trash --json list``) it is said for that command.
    """

    def chosen(context: click.Context, _: click.Parameter, value: bool) -> bool:
        above = context.parent.params if context.parent else {}
        return value or bool(above.get("as_json"))

    return click.option(
        "--json", "as_json", is_flag=True, callback=chosen, help="Data as JSON on stdout."
    )(command)


def typed_options(names: Iterable[str]) -> list[str]:
    """Those of the parameters ``names`` that were typed in this command, as its help calls them."""
    context = click.get_current_context()
    wanted = set(names)
    return [
        param.opts[0]
        for param in context.command.params
        if param.name in wanted
        and context.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
    ]


def force_option(command: Command) -> Command:
    """``--force``: replace what is there without asking."""
    return click.option("--force", is_flag=True, help="Replace what is there without asking.")(
        command
    )


def yes_option(command: Command) -> Command:
    """``--yes``: what is said before is agreed to."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)


def recipe_option(command: Command) -> Command:
    """``--recipe``: the name of one that ships or was saved, or a file."""
    return click.option(
        "--recipe", default="standard", show_default=True, help="A recipe's name or file."
    )(command)


def weights_given(text: str | None) -> dict[str, float] | None:
    """``@A=2,b=1`` as weights by handle; raises WrongUsage."""
    if text is None:
        return None
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.partition("=")
        try:
            weight = float(number)
            handle = normal_handle(name)
        except (ValueError, InputRefused):
            equals = ""
        if not equals or handle in weights:
            raise WrongUsage(
                f"--weights cannot be read at {part!r}.",
                "It takes each account once with a number.",
                "For example: --weights keeper=2,gran=1",
            )
        weights[handle] = weight
    return weights or None
