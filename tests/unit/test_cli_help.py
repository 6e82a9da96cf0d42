"""Examples, completion, the manual page; and formats and tables that need no option."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from tests.unit.cli import HANDLES, environment, home_with_samples, mynah
from tui.__main__ import COMMANDS, cli
from tui.cli.examples import EXAMPLES
from tui.cli.options import Chosen
from tui.cli.output import narrate, table


def parsed(words: list[str], home: Path) -> str:
    """The command that these words are for; raises UsageError when they are wrong."""
    context = cli.make_context("mynah", ["--home", str(home), *words], obj=Chosen())
    command: click.Command = cli
    rest = [*context._protected_args, *context.args]
    path = []
    while isinstance(command, click.Group) and rest:
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        path.append(str(name))
        command, context = found, found.make_context(name, list(rest), parent=context)
        rest = [*context._protected_args, *context.args]
    return " ".join(path)


def test_every_command_and_each_below_it_has_two() -> None:
    names = set(COMMANDS)
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        if isinstance(command, click.Group):
            names |= {f"{name} {below}" for below in command.commands}
    assert set(EXAMPLES) == names
    assert {name for name, lines in EXAMPLES.items() if len(lines) < 2} == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_what_the_command_takes(name: str, tmp_path: Path) -> None:
    for line in EXAMPLES[name]:
        words = shlex.split(line.split(" > ")[0])
        assert words[0] == "mynah"
        assert parsed(words[1:], tmp_path) == name, line


# What needs only tweets: no run, no token, no file of one's own. doctor, which loads torch, is
# run elsewhere.
RUN_HERE = (
    "accounts", "stats", "profile", "compare", "sql", "export", "curate", "verify", "exclude",
    "forget", "runs", "trash", "trash list", "config", "config get", "config set", "config unset",
    "completion", "man",
)  # fmt: skip
NEEDS_MORE = ("question.sql", "tweets.parquet")
# Where a refusal is the right answer: there is no such tweet, no theme, nobody to say yes.
REFUSED = {
    "mynah exclude 1027690000000000000": 3, "mynah exclude 1027690000000000000 --undo": 3,
    "mynah forget --tweet 1027690000000000000 --yes": 3, "mynah forget nasa": 2,
    "mynah config unset app.theme --json": 3,
}  # fmt: skip
NAMES = {"nasa": HANDLES[0], "potus": HANDLES[1]}


def test_examples_that_need_only_tweets_do_what_they_say(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    monkeypatch.chdir(tmp_path)
    ended = {}
    for name in RUN_HERE:
        for line in EXAMPLES[name]:
            if any(file in line for file in NEEDS_MORE):
                continue
            line = line.partition(" > ")[0].replace("--home .", "")
            words = [_named(word) for word in shlex.split(line)[1:]]
            ended[line] = mynah(*words, home=home, code=None)
    failed = {
        line: (one.code, one.err) for line, one in ended.items() if one.code != REFUSED.get(line, 0)
    }
    assert failed == {}
    assert len(ended) >= 30
    assert {path.name for path in tmp_path.iterdir()} >= {
        f"{HANDLES[0]}.csv", "both.train.jsonl", "curated", f"{HANDLES[0]}-dataset",
    }  # fmt: skip


def _named(word: str) -> str:
    """With the sample authors in the place of those that the examples name."""
    return re.sub("|".join(NAMES), lambda name: NAMES[name[0]], word)


def test_help_shows_them_on_lines_of_their_own() -> None:
    shown = mynah("runs", "delete", "-h").text.splitlines()
    at = next(n for n, line in enumerate(shown) if line.strip() == "Examples:")
    assert [line.strip() for line in shown[at + 1 :]] == list(EXAMPLES["runs delete"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    ended = mynah("completion", shell)
    script = ended.text
    assert "_MYNAH_COMPLETE" in script
    assert not ended.err, "a shell's start-up file runs it at each start"
    if found := shutil.which(shell):
        given = [found, "-n", "-c", script] if shell != "fish" else [found, "-c", "true"]
        assert subprocess.run(given, capture_output=True, check=False).returncode == 0


def test_a_shell_is_answered_with_commands_and_options() -> None:
    for words, at, wanted in (("mynah tra", 1, {"train", "track", "trash"}),
                              ("mynah forget --d", 2, {"--dry-run"})):  # fmt: skip
        given = {"COMP_WORDS": words, "COMP_CWORD": str(at), "_MYNAH_COMPLETE": "bash_complete"}
        answer = mynah(**given).text.split()
        assert {line.partition(",")[2] for line in answer} == wanted


def test_a_shell_that_completes_behind_a_mistyped_command_is_told_nothing() -> None:
    """It would stand in the middle of what somebody types."""
    for words, at in (("mynah trian ", 2), ("mynah runs delte ", 3)):
        given = {"COMP_WORDS": words, "COMP_CWORD": str(at), "_MYNAH_COMPLETE": "bash_complete"}
        assert not mynah(**given).err


def test_the_manual_page_tells_of_every_command_and_option() -> None:
    page = mynah("man").text
    for name in COMMANDS:
        assert f".SS mynah {name} " in page
    plain = page.replace("\\-", "-")
    for words in ("--dry-run", "mynah trash restore 20261120", "MYNAH_HOME", ".B 130"):
        assert words in plain
    assert not [line for line in page.splitlines() if line.startswith("'")]
    if found := shutil.which("man"):
        done = subprocess.run([found, "-l", "--warnings", "-"], input=page.encode(), check=False,
                              capture_output=True, env=environment(MANWIDTH="100"))  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")


def test_the_format_of_an_export_is_that_of_its_name(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = home_with_samples(tmp_path_factory)
    for name, wanted in (("a.csv", "csv"), ("b.TXT", "txt"), ("c.chat.jsonl", "chat")):
        made = mynah("export", HANDLES[0], "-o", tmp_path / name, "--json", home=home).json()
        assert json.loads(Path(made["manifest"]).read_text())["format"] == wanted
    refused = mynah("export", HANDLES[0], "-o", tmp_path / "dataset", home=home, code=2).err
    assert "does not say which format is meant. Let it end in .jsonl" in refused


def test_a_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["short", "words " * 30, 123_456], ["x", "日本語" * 30, 7]]
    names = ["name", "what it says", "number"]
    whole = table(names, rows, right=(2,))
    assert max(map(len, whole.splitlines())) > 180
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    from rich.cells import cell_len

    shown = table(names, rows, right=(2,)).splitlines()
    assert {cell_len(line) for line in shown} == {60}
    assert "123,456" in shown[2]
    assert "…" in shown[2]
    monkeypatch.setenv("COLUMNS", "10")
    assert "123,456" in table(names, rows, right=(2,)), "never less than can be read"


def test_a_sentence_is_broken_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/home/somebody/" + "very-long-name/" * 4
    sentence = f"There are words here, 日本語 words too, and {path} is one of them."
    layout = "name          value of the name that is laid out by its spaces"
    monkeypatch.setenv("COLUMNS", "40")
    narrate(sentence)
    assert capsys.readouterr().err == sentence + "\n", "not in a pipe"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    narrate(f"{sentence}\n{layout}")
    lines = capsys.readouterr().err.splitlines()
    assert " ".join(lines[:-1]) == sentence
    assert lines[-1] == layout
    assert path in lines, "what one copies stays whole"
    assert max(len(line) for line in lines if path not in line and line != layout) <= 40
