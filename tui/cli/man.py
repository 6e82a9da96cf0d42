"""``mynah man``: the manual page, made of what each ``--help`` says."""

from __future__ import annotations

import click

from core import __version__
from core.home import Home
from tui.cli.examples import EXAMPLES
from tui.cli.options import home_option
from tui.cli.output import emit

_EXIT = (
    ("0", "done"),
    ("1", "an unexpected failure, with a way to report it"),
    ("2", "wrong usage"),
    ("3", "the input was refused: what, where and why"),
    ("4", "an outside service refused"),
    ("130", "interrupted; what was done stays done"),
)


@click.command()
@home_option
@click.pass_context
def man(context: click.Context, home: Home) -> None:
    """Print the manual page of mynah, for `man -l -` or a file mynah.1."""
    root = context.find_root()
    emit(page(root))


def page(root: click.Context) -> str:
    """The page in the macros of man(7)."""
    cli = root.command
    assert isinstance(cli, click.Group)  # noqa: S101 - it is ours
    lines = [
        f'.TH MYNAH 1 "" "mynah {__version__}"',
        ".SH NAME",
        "mynah \\- teach a small language model to write like someone, from their tweets",
        ".SH SYNOPSIS",
        ".B mynah",
        "[--home DIR] [--no-pager] [COMMAND] [OPTIONS]",
        ".SH DESCRIPTION",
        *_paragraphs(cli.help or ""),
        ".SH OPTIONS",
        *_options(cli, root),
        ".SH COMMANDS",
    ]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        if command is not None:
            lines += _command(root, command, name)
    lines.append(".SH EXIT STATUS")
    for code, meaning in _EXIT:
        lines += [".TP", f".B {code}", _text(meaning)]
    lines += [".SH ENVIRONMENT", ".TP", ".B MYNAH_HOME", "Where tweets, recipes and runs live."]
    lines += [".TP", ".B MYNAH_CACHE", "Where converted base models are kept."]
    pager = "What shows a table that the terminal cannot hold; else it is less."
    lines += [".TP", ".B PAGER", pager]
    return "\n".join(lines)


def _command(root: click.Context, command: click.Command, name: str) -> list[str]:
    context = click.Context(command, info_name=name, parent=root)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f".SS mynah {_text(name)} {_text(usage)}", *_paragraphs(command.help or "")]
    lines += _options(command, context)
    if name in EXAMPLES:
        lines += [
            ".PP",
            "Examples:",
            ".nf",
            *(_text(f"  {line}") for line in EXAMPLES[name]),
            ".fi",
        ]
    if isinstance(command, click.Group):
        for below, one in sorted(command.commands.items()):
            lines += _command(root, one, f"{name} {below}")
    return lines


def _options(command: click.Command, context: click.Context) -> list[str]:
    lines: list[str] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            lines += [".TP", f".B {_text(record[0])}", _text(" ".join(record[1].split()))]
    return lines


def _paragraphs(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.replace("\b\n", "").split("\n\n"):
        lines += [".PP", _text(" ".join(paragraph.split()))]
    return lines


def _text(words: str) -> str:
    """Words in which roff sees no request and no escape."""
    shown = words.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{shown}" if shown[:1] in (".", "'") else shown
