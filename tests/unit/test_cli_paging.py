"""Tables that a terminal cannot hold go through a pager: which, when, and never elsewhere."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from core.config import set_config
from core.home import Home
from tests.unit.cli import MYNAH, environment, home_with_samples, mynah, on_a_terminal
from tests.unit.cli import mynah_on_a_terminal as at_a_terminal

LONG = "SELECT 'row ' || range AS row FROM range(50)"
WIDE = "SELECT repeat('wide ', 10) AS a, repeat('long ', 10) AS b, 'the end' AS c"
HOSTILE = "SELECT 'x' || chr(27) || '[31m' || range AS row FROM range(50)"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with_samples(tmp_path_factory)


@pytest.fixture
def paged(tmp_path: Path) -> Path:
    """Where the pager of `through` puts what it was given."""
    return tmp_path / "paged.txt"


def through(paged: Path) -> str:
    """A pager, as one sets it: a program with its options."""
    keep = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"
    return f"'{sys.executable}' -c \"{keep}\" '{paged}'"


@pytest.mark.parametrize("query", [LONG, WIDE], ids=["long", "wide"])
def test_what_is_too_long_or_too_wide_is_paged_whole(home: Path, paged: Path, query: str) -> None:
    code, seen = at_a_terminal("sql", query, home=home, PAGER=through(paged))
    assert code == 0
    assert b"row 1" not in seen
    assert b"wide" not in seen
    assert paged.read_text() == mynah("sql", query, home=home).text, "not cut to the terminal"


@pytest.mark.parametrize(
    "words",
    [
        ("sql", "SELECT 'short' AS row"),
        ("--no-pager", "sql", LONG),
        ("sql", LONG, "--json"),
        ("sql", LONG, "--format", "table"),
        ("accounts",),
    ],
)
def test_what_fits_or_is_asked_for_by_name_is_not(
    home: Path, paged: Path, words: tuple[str, ...]
) -> None:
    code, seen = at_a_terminal(*words, home=home, PAGER=through(paged))
    assert code == 0
    assert seen
    assert not paged.exists()


def test_only_what_was_asked_of_the_tables_is_paged_for_its_width(home: Path, paged: Path) -> None:
    _, seen = at_a_terminal("config", home=home, PAGER=through(paged))
    assert "…" in seen.decode()
    assert not paged.exists(), "cut to fit"


def test_a_setting_turns_it_off(home: Path, paged: Path, tmp_path: Path) -> None:
    own = tmp_path / "home"
    shutil.copytree(home, own)
    set_config(Home.at(own), "commands.pager", "off")
    assert b"row 49" in at_a_terminal("sql", LONG, home=own, PAGER=through(paged))[1]
    set_config(Home.at(own), "commands.pager", "on")
    assert b"row 49" not in at_a_terminal("sql", LONG, home=own, PAGER=through(paged))[1]


def test_a_pager_gets_nothing_that_a_terminal_would_obey(home: Path, paged: Path) -> None:
    at_a_terminal("sql", HOSTILE, home=home, PAGER=through(paged))
    assert "x␛[31m49" in paged.read_text()
    assert "\x1b" not in paged.read_text()


@pytest.mark.parametrize("pager", ["not-there", "'no end", "false", "true"])
def test_a_pager_that_is_none_or_leaves_is_no_failure(home: Path, pager: str) -> None:
    code, seen = at_a_terminal("sql", WIDE, home=home, PAGER=pager)
    assert code == 0
    assert (b"\xe2\x80\xa6" in seen) is (pager not in ("false", "true")), "cut where none is"


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not here")
def test_less_shows_the_end_of_a_wide_table(home: Path) -> None:
    env = {k: v for k, v in environment(home).items() if k not in ("LESS", "PAGER")}
    # to the right, then the end
    code, seen = on_a_terminal(
        [*MYNAH, "sql", WIDE], env | {"PAGER": ""}, keys=b"\x1b)q", after="wide"
    )
    assert code == 0
    assert b"the end" in seen


def test_a_query_from_a_pipe_leaves_the_terminal_to_its_table(home: Path) -> None:
    words = [*MYNAH, "sql", "-f", "-"]
    piped = ["sh", "-c", 'echo "$0" | "$@"', WIDE, *words]
    code, seen = on_a_terminal(piped, environment(home) | {"PAGER": "cat"})
    assert code == 0, "stdin has no keys, so that there is no pager"
    assert "…" in seen.decode()


def test_a_pipe_gets_the_same_as_ever(home: Path, paged: Path) -> None:
    assert "row 49" in mynah("sql", LONG, home=home, PAGER=through(paged)).text
    assert not paged.exists()
