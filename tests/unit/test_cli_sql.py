"""`mynah sql`: mistakes are pointed at, nothing is cut silently, writing is asked for."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli import (
    MYNAH,
    Ended,
    environment,
    home_with_samples,
    mynah,
    on_a_terminal,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample authors; leave it as it is."""
    return home_with_samples(tmp_path_factory)


@pytest.fixture
def own_home(home: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(home, tmp_path / "own")
    return tmp_path / "own"


def ask(home: Path, *words: str | Path, code: int = 0) -> Ended:
    return mynah("sql", *words, "--home", home, code=code)


@pytest.mark.parametrize("size", [2_000_000, 10_000_000])
def test_a_query_beyond_all_length_is_refused_at_once(
    home: Path, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "long.sql"
    file.write_text("SELECT 1 + , " * (size // 13))
    begun = time.process_time()
    ended = ask(home, "-f", file, code=3)
    assert time.process_time() - begun < 5
    assert ended.err == (
        "mynah: The query is too long. A query may have at most 1,000,000 characters. "
        "Ask for a long list of values in parts.\n"
    )


def test_a_mistake_is_pointed_at(home: Path) -> None:
    ended = ask(home, "SELECT kind,\n  noth + 1\nFROM tweets", code=3)
    assert ended.out == b""
    lines = ended.err.splitlines()
    assert lines[:2] == ["   2 │   noth + 1", "     │   ^^^^"]
    assert lines[2].startswith("mynah: The query was refused")


def test_the_caret_stands_under_the_mistake_in_a_long_line(home: Path) -> None:
    sql = "SELECT " + "'日本', " * 40 + "nothing, '\x1b[31m' FROM tweets"
    shown, carets = ask(home, sql, code=3).err.splitlines()[:2]
    assert "\x1b" not in shown
    assert "…" in shown
    assert "␛[31m" in shown
    from rich.cells import cell_len

    assert cell_len(shown[: shown.index("nothing")]) == cell_len(carets[: carets.index("^")])


@pytest.mark.parametrize(
    "sql",
    ["COPY tweets TO 'x.csv'", "ATTACH 'x.duckdb'", "INSTALL httpfs", "SET threads = 1",
     "PRAGMA database_list", "FROM read_csv('/etc/passwd')", "DELETE FROM tweets"],
)  # fmt: skip
@pytest.mark.parametrize("write", [False, True])
def test_refusals_have_words(home: Path, sql: str, write: bool) -> None:
    if write and sql.startswith("DELETE"):
        return  # that is what writing is for
    words = ["--write"] if write else []
    ended = ask(home, sql, *words, code=3)
    assert ended.out == b""
    assert "mynah: " in ended.err
    assert "Error" not in ended.err


def test_writing(own_home: Path) -> None:
    gone = "DELETE FROM tweets WHERE handle = 'orbit_grandmother'"
    refused = ask(own_home, gone, code=3)
    assert "--write" in refused.err
    before = ask(own_home, "SELECT count(*) FROM tweets", "--format", "csv").text
    done = ask(own_home, gone, "--write")
    assert done.out == b""
    assert "rows changed" in done.err
    count = ask(own_home, "SELECT count(*) FROM tweets", "--write", "--format", "csv").text
    assert int(count.split()[1]) < int(before.split()[1])
    assert "relies on" in ask(own_home, "DROP TABLE tweets", "--write", code=3).err


def test_plans(home: Path) -> None:
    assert "tweets" in ask(home, "FROM tweets", "--explain").text
    assert "Total Time" in ask(home, "FROM tweets", "--analyse").text
    ask(home, "FROM tweets", "--explain", "--json", code=2)
    assert "not a query" in ask(home, "DROP TABLE tweets", "--explain", code=3).err


def test_limits(home: Path) -> None:
    for_ever = "SELECT count(*) FROM range(1000000000000)"
    ended = ask(home, for_ever, "--timeout", "0.3", code=3)
    assert "stopped after 0.3 s" in ended.err
    big = "SELECT list(range) FROM range(30000000)"
    assert "emory" in ask(home, big, "--memory", "50MB", code=3).err
    assert ask(home, "SELECT 1 AS one", "--threads", "1").text == "one\n───\n  1\n"
    for none in ("lots", "-5GB"):
        assert "500MB" in ask(home, "SELECT 1", "--memory", none, code=2).err


def test_a_pipe_gets_more_than_a_screen(home: Path) -> None:
    ended = mynah("sql", "SELECT range AS n FROM range(1234)", home=home)
    assert len(ended.text.splitlines()) == 1236
    assert ended.err == ""
    many = mynah("sql", "SELECT range AS n FROM range(100001)", home=home)
    assert len(many.text.splitlines()) == 100_002
    assert "there are more" in many.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_the_first_thousand(home: Path) -> None:
    command = [*MYNAH, "sql", "SELECT range AS n FROM range(1234)"]
    code, seen = on_a_terminal(command, environment(home))
    text = seen.decode()
    assert code == 0
    assert "\r\n999\r\n" in text
    assert "1000\r\n" not in text
    assert "The first 1,000 rows; there are more." in text


def test_into_a_file(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.parquet"
    sql = "SELECT range AS n, '=' || range AS t FROM range(300000)"
    assert f"300,000 rows in {out}" in ask(home, sql, "-o", out).err
    assert pl.read_parquet(out)["n"].to_list()[::100_000] == [0, 100_000, 200_000]
    few = "SELECT '=1' AS t"
    ask(home, few, "-o", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "t\n'=1\n"
    ask(home, few, "-o", tmp_path / "a.csv", "--raw-cells", "--force")
    assert (tmp_path / "a.csv").read_text() == "t\n=1\n"
    table = ask(home, few, "-o", tmp_path / "a.csv", "--format", "table", code=2)
    assert "for reading" in table.err
