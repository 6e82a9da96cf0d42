"""Commands below a command: open this for what is said of one that does not exist."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

import click

# What people know from elsewhere: the first that is there is meant.
_ELSEWHERE: Final = {
    "rm": ("delete", "empty", "unset", "forget"),
    "remove": ("delete", "empty", "unset", "forget"),
    "del": ("delete", "unset", "forget"),
    "ls": ("list", "accounts"),
    "mv": ("rename",),
    "undelete": ("restore",),
    "query": ("sql",),
    "generate": ("sample",),
}


class Group(click.Group):
    """Says which command may have been meant where there is none of that name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name in known or name.startswith("-") or ctx.resilient_parsing:  # a shell completes
            return super().resolve_command(ctx, args)
        near = [one for one in _ELSEWHERE.get(name.lower(), ()) if one in known]
        near += get_close_matches(name.lower(), known, n=1)
        hint = f" Did you mean `{ctx.command_path} {near[0]}`?" if near else ""
        asked = " ".join([*ctx.command_path.split()[1:], name])
        raise click.UsageError(f"There is no command {asked!r}.{hint}", ctx)
