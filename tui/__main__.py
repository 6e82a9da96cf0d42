"""``mynah``: no command opens the app, a command does one thing without it.

This module decides how the process ends: every MynahError becomes its sentence on stderr and
its exit code; anything else is a bug, which is logged and said so.
"""

from __future__ import annotations

import os
import sys

import click

from core import __version__
from core.errors import MynahError

# name -> (module, function, one line for --help). Nothing is imported until a command is used.
COMMANDS = {
    "demo": ("demo", "demo", "The whole main job on the three sample authors."),
    "import": ("data", "import_", "Bring archives and files into the corpus."),
    "accounts": ("data", "accounts", "Who is in the corpus."),
    "stats": ("data", "stats", "How many tweets are kept, and why not the others."),
    "sql": ("data", "sql", "Read-only SQL over the corpus and the runs."),
    "export": ("data", "export", "Write a cleaned dataset and its manifest."),
    "train": ("runs", "train", "Fine-tune a model on the tweets of one or more accounts."),
    "runs": ("runs", "runs", "The runs on this machine."),
    "watch": ("runs", "watch", "Follow a run until it ends."),
    "stop": ("runs", "stop", "Stop a run; its model and curve stay."),
    "sample": ("sample", "sample", "Write tweets with a fine-tuned model."),
    "doctor": ("doctor", "doctor", "What works on this machine."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        from importlib import import_module

        module, function, _ = COMMANDS[name]
        command = getattr(import_module(f"tui.commands.{module}"), function)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean `mynah {near[0]}`?") from None
            raise


@click.group(
    cls=LazyGroup, invoke_without_command=True, context_settings={"max_content_width": 100}
)
@click.option("--home", metavar="DIR", help="Where tweets, recipes and runs live (or MYNAH_HOME).")
@click.version_option(__version__, prog_name="mynah")
@click.pass_context
def cli(context: click.Context, home: str | None) -> None:
    """Teach a small language model to write like someone, from their tweets.

    Without a command, mynah opens the app. Data goes to stdout, everything else to stderr.
    """
    context.obj = home
    if context.invoked_subcommand is None:
        from core.home import Home
        from tui.app import run_app

        run_app(Home.at(home))


def main() -> None:
    """The entry point; never returns normally."""
    try:
        code = cli.main(standalone_mode=False, prog_name="mynah")
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted; what was done stays done.", err=True)
        code = 130
    except MynahError as error:
        from core.plain import plain

        click.echo(f"mynah: {plain(str(error))}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        # the reader (head, less) has left: not an error, but Python would complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 0
    except Exception:
        code = _unexpected()
    sys.exit(code if isinstance(code, int) else 0)


def _unexpected() -> int:
    """Log the traceback where the person can find it, and say how to report it."""
    import traceback
    from datetime import datetime, timezone

    from core.home import Home

    home = Home.at()
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        with home.log.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(timezone.utc).isoformat()} {__version__}\n")
            # locals are never logged: they may hold tweets
            log.write(traceback.format_exc() + "\n")
        where = f"The traceback is in {home.log}; it holds no tweets."
    except OSError:
        where = traceback.format_exc()
    click.echo(f"mynah: this is a bug in mynah, not something you did. {where}", err=True)
    click.echo("Please report it with that file and what you ran.", err=True)
    return 1


if __name__ == "__main__":
    main()
