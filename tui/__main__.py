"""``mynah``: no command opens the app, a command does one thing without it.

This module decides how the process ends: every MynahError becomes its sentence on stderr and
its exit code; anything else is a bug, which is logged and said so.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Final

import click

from core import __version__
from core.errors import InputRefused, Interrupted, MynahError, WrongUsage, refused_by_system
from tui.cli.group import Group
from tui.cli.options import Chosen, home_at
from tui.cli.output import ReaderLeft, drop_stdout, narrate

# name -> (module, which holds a command of its own last name; one line for --help).
# Nothing is imported until a command is used.
COMMANDS = {
    "demo": ("demo", "The whole main job on three sample authors."),
    "import": ("corpus.import_", "Bring archives and files into the corpus."),
    "fetch": ("corpus.fetch", "Fetch posts from the X API, after saying what they cost."),
    "accounts": ("corpus.accounts", "Who is in the corpus."),
    "stats": ("corpus.stats", "How many tweets are kept, and why not the others."),
    "profile": ("corpus.profile", "What tweets are like: months, lengths, hours, words."),
    "compare": ("corpus.compare", "What two recipes make of the same tweets."),
    "sql": ("corpus.sql", "Read-only SQL over the corpus and the runs."),
    "curate": ("corpus.curate", "Judge the tweets of Parquet files, here or on a cluster."),
    "export": ("corpus.export", "Write a cleaned dataset and its manifest."),
    "verify": ("corpus.verify", "Whether files are what their manifest says."),
    "train": ("runs.train", "Fine-tune a model on the tweets of one or more accounts."),
    "sweep": ("runs.sweep", "Many runs over a space of settings, and the best of them."),
    "runs": ("runs.runs", "The runs on this machine."),
    "watch": ("runs.watch", "Follow a run until it ends."),
    "trash": ("runs.trash", "Deleted runs: list them, bring one back, remove them for good."),
    "stop": ("runs.stop", "Stop a run; its model and curve stay."),
    "resume": ("runs.resume", "Take a stopped run up again at its last checkpoint."),
    "track": ("runs.track", "Bring a run into Weights & Biases or TensorBoard."),
    "sample": ("runs.sample", "Write tweets with a fine-tuned model."),
    "blind": ("runs.blind", "Whether you can tell a run's texts from real tweets."),
    "report": ("runs.report", "How well a run imitates, and how much it copies."),
    "card": ("runs.card", "The model card of a run."),
    "share": ("runs.share", "A picture of one sample, labelled as generated."),
    "convert": ("runs.convert", "A run's model for llama.cpp, Ollama and others, with proof."),
    "publish": ("runs.publish", "A run's model and card on the Hugging Face hub, private first."),
    "exclude": ("corpus.exclude", "Leave single tweets out of training, or take them back."),
    "forget": ("corpus.forget", "Remove an account or a tweet, and mark what was made of it."),
    "config": ("config", "Settings that you choose once: list, explain, change."),
    "doctor": ("doctor", "What works on this machine, and what takes disk."),
    "completion": ("completion", "The script that completes commands in bash, zsh or fish."),
    "man": ("man", "The manual page of all commands."),
}

# Characters of an error that are shown.
_LONGEST: Final = 4000


class LazyGroup(Group):
    """A group that imports a command's module only when that command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        from importlib import import_module

        module, _ = COMMANDS[name]
        command = getattr(import_module(f"tui.cli.{module}"), module.rpartition(".")[2])
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        _add_examples(name, command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def make_context(self, *args: object, **options: object) -> click.Context:
        try:
            return super().make_context(*args, **options)  # type: ignore[arg-type]
        except BrokenPipeError:  # --help into a reader that has left
            raise ReaderLeft from None

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderLeft from None


def _add_examples(name: str, command: click.Command) -> None:
    """To the help of a command, and of those below it."""
    from tui.cli.examples import examples_of

    command.epilog = examples_of(name)
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            _add_examples(f"{name} {below}", one)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
@click.option("--home", metavar="DIR", help="Where tweets, recipes and runs live (or MYNAH_HOME).")
@click.option("--no-pager", is_flag=True, help="Cut tables to the terminal; no $PAGER, no less.")
@click.option("--plain", is_flag=True, help="Questions and sentences, as for a screen reader.")
@click.version_option(__version__, prog_name="mynah", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, home: str | None, no_pager: bool, plain: bool) -> None:
    """Teach a small language model to write like someone, from their tweets.

    Without a command, mynah opens the app. Data goes to stdout, everything else to stderr. With
    --plain, and on a terminal that cannot move its cursor, it asks and answers in sentences.
    """
    chosen = context.ensure_object(Chosen)
    chosen.home = home or chosen.home
    chosen.pager = not no_pager
    if context.invoked_subcommand is None:
        from tui.cli.terminal import moves_its_cursor, open_app

        if plain or not moves_its_cursor():
            from tui.plain.loop import converse

            converse(home_at(chosen))
        else:
            open_app(home_at(chosen))
    elif plain:
        raise WrongUsage(
            "--plain stands alone.", "", "`mynah --plain` asks what to do; no command is needed."
        )


def main() -> None:
    """The entry point; never returns normally."""
    chosen = Chosen()
    _open_missing_streams()
    ctrl_c = _listen_for_ctrl_c()
    try:
        code = cli.main(standalone_mode=False, prog_name="mynah", obj=chosen)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as error:
        code = _refuse(_in_our_words(error))
    except (click.Abort, KeyboardInterrupt):
        code = _interrupted()
    except MynahError as error:
        code = _refuse(error)
    except (ReaderLeft, BrokenPipeError):
        drop_stdout()
        code = 0
    except OSError as error:
        refused = refused_by_system(error)
        code = _bug(chosen) if refused is None else _refuse(refused)
    except Exception:
        # Polars and DuckDB may pass a ctrl+c on as an error of their own
        code = _interrupted() if ctrl_c else _not_text() or _bug(chosen)
    sys.exit(code if isinstance(code, int) else 0)


def _open_missing_streams() -> None:
    """Nowhere, for streams that were closed before the start, which Python makes None: else the
    next file that is opened gets their number, and what a child prints ends in it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if nowhere == number:
            os.set_inheritable(nowhere, True)
        mode = "w" if number else "r"
        setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8", closefd=False))


def _listen_for_ctrl_c() -> list[int]:
    """A list that is empty until ctrl+c is pressed, which raises KeyboardInterrupt as ever."""
    import signal

    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not under nohup
        signal.signal(signal.SIGINT, hear)
    return heard


def _interrupted() -> int:
    narrate("Interrupted; what was done stays done.")
    return Interrupted.exit_code


def _not_text() -> int:
    """Refuses words that are not UTF-8, which only the name of a file can be; 0 when all are."""
    for word in sys.argv[1:]:
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            return _refuse(InputRefused(f"{word!r} is not UTF-8 text.", "", "Write it otherwise."))
    return 0


def _refuse(error: MynahError) -> int:
    words = str(error)
    if len(words) > _LONGEST:  # what was given is quoted in it
        words = f"{words[: _LONGEST // 2]} … {words[-_LONGEST // 2 :]}"
    narrate(f"mynah: {words}")
    return error.exit_code


def _in_our_words(error: click.ClickException) -> MynahError:
    """Click's complaint in one line, with the help that fits."""
    said = " ".join(error.format_message().split())
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "mynah"
        return WrongUsage(said, "", f"`{where} --help` shows what there is.")
    return InputRefused(said)


def _bug(chosen: Chosen) -> int:
    """Log the traceback where the person can find it, and say how to report it."""
    import traceback
    from datetime import datetime, timezone

    from core.home import Home

    home = Home.at(chosen.home)
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        with home.log.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(timezone.utc).isoformat()} mynah {__version__}\n")
            # locals are never logged: they may hold tweets
            log.write(traceback.format_exc() + "\n")
        where = f"The details are at the end of {home.log}"
    except OSError:
        where = traceback.format_exc()
    narrate(f"mynah: this is a bug in mynah, not something you did. {where}")
    narrate("Please report it with those lines and what you ran; look them over before you do.")
    return 1


if __name__ == "__main__":
    main()
