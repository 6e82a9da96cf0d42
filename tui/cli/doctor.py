"""doctor: what works on this machine."""

from __future__ import annotations

import click

from core.home import Home
from tui.cli.options import home_option, json_option
from tui.cli.output import emit_json
from tui.cli.paging import emit_table


@click.command()
@json_option
@home_option
def doctor(as_json: bool, home: Home) -> None:
    """Versions, device, base models at hand, services, the corpus, and what takes disk.

    ✓ works, – would be nice, ▲ is needed; ends with 1 when something needed does not work.
    """
    from core.doctor import examine

    checks = examine(home)
    if as_json:
        emit_json([check.to_json() for check in checks])
    else:
        rows = [
            ["✓" if check.ok else "▲" if check.needed else "–", check.name, check.detail]
            for check in checks
        ]
        emit_table(["", "check", "what was found"], rows)
    if not all(check.ok for check in checks if check.needed):
        raise click.exceptions.Exit(1)
