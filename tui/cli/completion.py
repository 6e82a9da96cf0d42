"""``mynah completion``: what a shell needs to complete mynah's commands and options."""

from __future__ import annotations

import sys

import click

from core.home import Home
from tui.cli.options import home_option
from tui.cli.output import emit, narrate

# Where a shell looks, or what its start-up file has to hold.
_WHERE = {
    "bash": "Save it as ~/.local/share/bash-completion/completions/mynah, or add to ~/.bashrc: "
    'eval "$(mynah completion bash)"',
    "zsh": 'Add to ~/.zshrc: eval "$(mynah completion zsh)"',
    "fish": "Save it as ~/.config/fish/completions/mynah.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(sorted(_WHERE)))
@home_option
@click.pass_context
def completion(context: click.Context, shell: str, home: Home) -> None:
    """Print the script that completes commands and options in bash, zsh or fish."""
    from click.shell_completion import ShellComplete, get_completion_class

    found = get_completion_class(shell)
    if found is None:  # pragma: no cover - click has these three
        raise click.UsageError(f"Nothing is known of {shell}.")
    made = found(context.find_root().command, {}, "mynah", "_MYNAH_COMPLETE")
    # not its own source(): for bash that starts one to see how old it is
    emit(ShellComplete.source(made))
    if sys.stdout.isatty():  # in a start-up file it would be said at each start
        narrate(_WHERE[shell])
