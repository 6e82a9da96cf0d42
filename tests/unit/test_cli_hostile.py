"""Whatever a command is given: an answer or a sentence, and nothing that a terminal obeys."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.safe_text import printable
from tests.unit.cli import HANDLES, Ended, home_with_samples, mynah

RUN = Path(__file__).parents[1] / "fixtures" / "runs" / "20260301-1015-keeper-c0de"
VALUES = {
    "markup": "[bold red]x[/] [link=https://evil.example]y[/link] [/ "
    "\x1b[31m\x1b]0;t\x07\x9b31m\x08\x7f",
    "bidi": "\u202egnihtemos\u2066 \u200b\ufeff\u2028 a\nb\r\nc\t {0} %s %(a)s ${HOME} $(id)",
    "no UTF-8": "a\udcff",  # what Python makes of a byte that is none
    "path": "../../../etc/passwd",
    "sql": "'; DROP TABLE tweets; --",
    "long": "[b] x" * 20_000,
    "option": "--nothing=\x1b[31m",
    "empty": "",
}
# X stands for the value
COMMANDS = [
    "import X", "import FILE --handle X", "import FILE --map X", "import FILE --map text=X",
    "import FILE --date-format X", "import FILE --encoding X", "import FILE --format X",
    "stats X", "stats HANDLE --recipe X", "profile X", "compare standard X HANDLE",
    "sql X", "sql -f X", "sql SELECT(1) -o X", "sql SELECT(1) --format X",
    "export HANDLE -o OUT/X.csv", "export HANDLE -o X/a.csv",
    "export HANDLE -o OUT/a.txt --weights X",
    "export HANDLE --format chat -o OUT/X.jsonl --system X", "verify X", "curate X -o OUT/b",
    "curate @X -o OUT/X", "exclude X", "forget X --yes", "forget --tweet X --yes",
    "fetch X --estimate", "fetch HANDLE --estimate --api-url X",
    "train X", "train nobody --base X", "train nobody --recipe X", "train nobody --weights X",
    "runs --filter X", "runs rename RUN X", "runs note RUN X", "runs tag RUN X", "runs rename X y",
    "runs delete X --yes", "runs", "watch X --once", "stop X", "resume X", "card X",
    "card RUN -o X",
    "share RUN --index X", "report X", "sample X", "track X --to wandb",
    "convert X --to gguf -o OUT/c",
    "publish X --yes", "publish RUN --repo X --yes", "sweep X", "trash restore X", "trash list",
    "config set X y", "config set app.theme X", "config set keymap.X f6", "config get X", "config",
    "completion X", "X",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hostile") / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    shutil.copytree(RUN, home / "runs" / RUN.name)
    (home / "some.csv").write_text("text,id\nthe lamp,1\n")
    return home


@pytest.mark.slow
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_every_argument(
    value: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "home"
    shutil.copytree(home, own)
    here = tmp_path.joinpath("a", "b", "c", "d")  # from where ../../../ leads nowhere else
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    words = {
        "FILE": str(own / "some.csv"), "HANDLE": HANDLES[0], "RUN": RUN.name, "OUT": str(here)
    }  # fmt: skip
    wrong = []
    for command in COMMANDS:
        arguments = []
        for word in command.split():
            for name, stands_for in words.items():
                word = word.replace(name, stands_for)
            arguments.append(word.replace("SELECT(1)", "SELECT 1").replace("X", value))
        ended = mynah(*arguments, home=own, code=None)
        wrong += _wrong(command, ended)
    assert wrong == []


RECIPES = [  # X stands for the value as it is, Q for it as TOML would have it
    "about = Q\n[rules]\nmin_words = 2\n", "about = X\n", "[rules]\nlinks = Q\n",
    "[rules]\nQ = 1\n", "[rules]\nblocked_words = [Q]\n", "[rules]\nblocked_words = Q\n",
    "[rules]\nmin_words = X\n", "Q = Q\n", "X",
]  # fmt: skip
QUERIES = [
    "X", "SELECT 'X'", "SELECT 1 AS \"X\"", "-- X\nSELECT 1", "SELECT X FROM tweets", "SELECT 1; X",
]  # fmt: skip


@pytest.mark.parametrize(
    "value", [*VALUES.values(), "\x00", "a\x00b"], ids=[*VALUES, "NUL", "in a"]
)
def test_every_file_of_ones_own(value: str, home: Path, tmp_path: Path) -> None:
    quoted = json.dumps(value)  # a string of TOML, too, but for a half character
    recipe, query = tmp_path / "own.toml", tmp_path / "own.sql"
    wrong = []
    for form in RECIPES:
        text = form.replace("X", value).replace("Q", quoted)
        recipe.write_bytes(text.encode("utf-8", "surrogateescape"))
        ended = mynah("stats", HANDLES[0], "--recipe", recipe, home=home, code=None)
        wrong += _wrong(form, ended)
    for form in QUERIES:
        query.write_bytes(form.replace("X", value).encode("utf-8", "surrogateescape"))
        for kind in ("table", "jsonl"):  # CSV is the exact text
            ended = mynah("sql", "-f", query, "--format", kind, home=home, code=None)
            wrong += _wrong(f"{form} as {kind}", ended)
    assert wrong == []


def _wrong(what: str, ended: Ended) -> list[tuple[object, ...]]:
    """What a terminal would obey, a code that says nothing, a sentence that nobody would read."""
    shown = ended.err + ended.out.decode("utf-8")
    obeyed = {c for c in shown if printable(c) != c} - {"\n", "\t", "\r"}
    if ended.code in (0, 2, 3, 4) and not obeyed and (not ended.code or len(ended.err) <= 20_000):
        return []
    return [(what, ended.code, obeyed, len(ended.err), ended.err[-300:])]
