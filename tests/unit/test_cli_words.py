"""Words, exit codes, streams: what every command has in common."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len

from core import __version__
from core.errors import MynahError
from core.numbers import size_in_words
from tests.unit.cli import (
    HANDLES,
    KEEPER,
    MYNAH,
    environment,
    home_with_samples,
    mynah,
    mynah_alone,
    mynah_on_a_terminal,
)
from tests.unit.cli import on_a_terminal as terminal
from tui.__main__ import COMMANDS
from tui.cli.output import ProgressNote

NEED_NOTHING = [["accounts"], ["runs"], ["doctor"], ["sql", "FROM accounts"]]


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with_samples(tmp_path_factory)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command(flag: str) -> None:
    shown = mynah(flag).text
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\S", shown, re.MULTILINE), name


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    ended = mynah(name, "-h")
    assert ended.text.startswith(f"Usage: mynah {name} ")
    assert "--home" in ended.text
    assert not ended.err


def test_the_version() -> None:
    assert mynah_alone("--version").text == f"mynah {__version__}\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["acounts"], "Did you mean `mynah accounts`?"),
        (["Train"], "Did you mean `mynah train`?"),
        (["frobnicate"], "There is no command 'frobnicate'. `mynah --help`"),
        (["runs", "rm", "x"], "There is no command 'runs rm'. Did you mean `mynah runs delete`?"),
        (["runs", "delte", "x"], "Did you mean `mynah runs delete`?"),
        (["trash", "ls"], "Did you mean `mynah trash list`?"),
        (["trash", "rm"], "Did you mean `mynah trash empty`?"),
        (["config", "sett", "a", "b"], "Did you mean `mynah config set`?"),
        (
            ["config", "frobnicate"],
            "There is no command 'config frobnicate'. `mynah config --help`",
        ),
        (["rm", "nasa"], "Did you mean `mynah forget`?"),
        (["stats", "--recip", "x"], "`mynah stats --help`"),
        (["import"], "PATH"),
        (["train"], "HANDLE"),
        (["sample"], "RUN"),
        (["export", "a", "--format", "xls", "-o", "x"], "parquet"),
        (["sample", "latest", "-n", "0"], "-n"),
        (["sql"], "FROM accounts"),
        (["sql", "FROM tweets", "--json", "--format", "csv"], "do not go together"),
        (["sql", "FROM tweets", "--format", "parquet"], "-o"),
        (["sql", "FROM tweets", "-o", "result.doc"], "--format"),
        (["demo", "--json"], "--headless"),
        (["demo", "--headless", "--handle", "nobody"], "sample author"),
        (["import", "x.zip", "--include", "likes"], "deleted,circle"),
        (["train", "a", "--tracker", "mlflow"], "tensorboard"),
        (["train", "a", "--mode", "online"], "--tracker wandb"),
        (["train", "a", "--tracker", "tensorboard", "--upload-tweets"], "stays on this machine"),
        (["track", "latest"], "--to"),
        (["export", "a", "--format", "csv", "-o", "x.csv", "--weights", "a"], "--weights"),
        (["export", "a", "--format", "csv", "-o", "x.csv", "--weights", "a=1,@A=2"], "once"),
        (["forget", "nasa", "--tweet", "", "--dry-run"], "Name accounts, or one tweet"),
        (["forget", "--tweet", "", "--dry-run"], "Name accounts, or one tweet"),
        (["fetch", "--save-token", "--forget-token"], "do not go together"),
        (["runs", "--filter", "tag:old", "note", "latest", "x"], "--filter is for the list"),
        (["publish"], "RUN"),
        (["publish", "latest", "--to", "mars"], "hub"),
        (["convert", "latest", "-o", "x"], "--to"),
        (["card", "latest", "--layout", "round"], "several"),
        (["fetch", "nasa", "--budget", "nan"], "--budget"),
        (["sql", "SELECT 1", "--timeout", "nan"], "--timeout"),
        (["sql", "SELECT 1", "--memory", "much"], "mynah: 'much' is no limit"),
    ],
)
def test_wrong_usage_is_2_and_says_what_would_be_right(
    given: list[str], said: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    ended = mynah("--home", home, *given, code=2)
    assert not ended.out
    assert ended.err.startswith("mynah: ")
    assert ended.err.count("\n") == 1
    assert said in ended.err
    assert not home.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["stats"], "corpus is empty"),
        (["stats", "nobody"], "@nobody"),
        (["stats", "no body"], "not a handle"),
        (["stats", "nobody", "--recipe", "nope"], "nobody"),
        (["train", "nobody"], "@nobody"),
        (["export", "nobody", "--format", "csv", "-o", "x.csv"], "@nobody"),
        (["watch", "latest"], "no runs"),
        (["stop", "latest"], "no runs"),
        (["resume", "latest"], "no runs"),
        (["sample", "latest"], "no runs"),
        (["track", "latest", "--to", "wandb"], "no runs"),
        (["sql", "DROP TABLE tweets"], "not a query"),
        (["sql", "FROM nowhere"], "nowhere"),
        (["sql", ""], "no query"),
        (["sql", "-f", "/no/such/file.sql"], "cannot be read"),
        (["sql", "SELECT 1", "-o", "/no/such/folder/x.csv"], "cannot be written"),
    ],
)
def test_what_is_refused_is_3_and_leaves_no_trace(
    given: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    ended = mynah("--home", home, *given, code=3)
    assert not ended.out
    assert said in ended.err
    assert not home.exists()


def test_a_line_of_progress_stays_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    with os.fdopen(terminal, "w", encoding="utf-8") as stderr:
        monkeypatch.setattr("sys.stderr", stderr)
        note = ProgressNote(every=0, after=0)
        note("reading 日本語のとても長い名前のファイル.csv: 1,000 of 2,000 · ctrl+c stops")
        shown = os.read(screen, 1000).decode().rpartition("\x1b[2K")[2]
    os.close(screen)
    assert "日本語" in shown
    assert cell_len(shown) < 40


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_streams_that_were_closed_before_the_start_are_no_bug(tmp_path: Path) -> None:
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *MYNAH, "sql", "-f", "-"]
    home = tmp_path / "home"
    assert subprocess.run(closed, env=environment(home), check=False).returncode == 3
    assert not home.exists()


@pytest.mark.parametrize("command", [["accounts"], ["runs"], ["sql", "FROM tweets"]])
def test_looking_leaves_no_trace(command: list[str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert mynah(*command, "--json", home=home).json() == []
    mynah(*command, home=home)
    assert not home.exists()


def test_home_before_and_after_the_command_and_from_the_environment(
    home: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    there = mynah("accounts", "--json", home=home).out
    assert mynah("accounts", "--json", "--home", home, home=elsewhere).out == there
    assert mynah("--home", home, "accounts", "--json", home=elsewhere).out == there
    assert mynah("--home", elsewhere, "accounts", "--json", "--home", home).out == there
    assert mynah("accounts", "--json", home=elsewhere).json() == []


def test_a_home_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    for command in (["accounts"], ["import", str(KEEPER)], ["doctor"]):
        assert "not a folder" in mynah(*command, "--home", file, code=3).err
    assert "cannot be" in mynah("import", KEEPER, "--home", file / "below", code=3).err


def test_a_damaged_corpus_is_refused_and_doctor_says_so(tmp_path: Path) -> None:
    (tmp_path / "tweets.duckdb").write_text("not a database")
    assert "cannot be opened" in mynah("accounts", home=tmp_path, code=3).err
    checks = {
        check["name"]: check for check in mynah("doctor", "--json", home=tmp_path, code=1).json()
    }
    assert not checks["corpus"]["ok"]
    assert "cannot be opened" in checks["corpus"]["detail"]


def test_doctor_says_what_takes_disk_and_where(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, cache, hub = tmp_path / "home", tmp_path / "cache", tmp_path / "hub"
    shutil.copytree(home, own)
    for place, size in (
        (own / "runs" / "some" / "model" / "weights", 3_000_000),
        (own / "runs" / "other" / "log", 400_000),
        (cache / "models" / "one" / "weights", 270_000_000),
        (hub / "models--a--b" / "blobs" / "x", 5_200_000_000),
    ):
        place.parent.mkdir(parents=True)
        with place.open("wb") as file:
            file.truncate(size)  # a hole, which takes no room on the disk of a test

    def details() -> dict[str, str]:
        checks = mynah("doctor", "--json", home=own, MYNAH_CACHE=str(cache), HF_HUB_CACHE=str(hub))
        return {check["name"]: check["detail"] for check in checks.json()}

    said = details()
    corpus = own / "tweets.duckdb"
    assert said["corpus"].endswith(f", {size_in_words(corpus.stat().st_size)} in {corpus}")
    assert said["runs"].endswith(f", 3.4 MB in {own / 'runs'}")
    assert said["trash"] == "empty"
    assert said["converted bases"] == f"270 MB in {cache / 'models'}"
    assert said["hugging face cache"] == f"5.2 GB in {hub}"
    shutil.rmtree(cache)
    monkeypatch.setattr("core.doctor.DISK_SECONDS", -1)  # a folder without an end
    said = details()
    assert said["converted bases"] == f"nothing in {cache / 'models'}"
    assert said["hugging face cache"] == f"more than 0 B in {hub}"


@pytest.mark.parametrize(
    "handle", ["@Keeper_Of_The_Light", "KEEPER_OF_THE_LIGHT", " keeper_of_the_light"]
)
def test_handles_in_any_case_with_or_without_at(home: Path, handle: str) -> None:
    assert mynah("stats", handle, "--json", home=home).json()[0]["handle"] == HANDLES[0]


def test_several_handles_once_each_by_comma_or_space(home: Path) -> None:
    given = "@keeper_of_the_light,ORBIT_GRANDMOTHER", "keeper_of_the_light"
    found = mynah("stats", *given, "--json", home=home).json()
    assert [one["handle"] for one in found] == HANDLES[:2]


@pytest.mark.parametrize(
    "command",
    [
        ["accounts", "--json"],
        ["stats", "--json"],
        ["runs", "--json"],
        ["sql", "FROM tweets ORDER BY tweet_id LIMIT 40", "--json"],
        ["sql", "FROM tweets ORDER BY tweet_id LIMIT 40", "--format", "jsonl"],
        ["sql", "FROM tweets ORDER BY tweet_id LIMIT 40", "--format", "csv"],
        ["sql", "FROM tweets ORDER BY tweet_id LIMIT 40", "--format", "table"],
    ],
)
def test_the_same_bytes_on_a_terminal_and_in_a_pipe(
    home: Path, command: list[str], tmp_path: Path
) -> None:
    """The terminal makes \\r\\n of \\n; nothing else may differ, and nothing else be there."""
    piped = mynah(*command, home=home)
    with Path(os.devnull).open("wb") as nowhere:
        code, seen = mynah_on_a_terminal(*command, home=home, stderr=nowhere)
    assert code == 0
    assert seen.replace(b"\r\n", b"\n") == piped.out
    with (tmp_path / "file").open("wb") as file:
        code, narrated = mynah_on_a_terminal(*command, home=home, stdout=file)
    assert (tmp_path / "file").read_bytes() == piped.out
    # on a slow day there may be a line of progress, which takes itself away again
    assert re.sub(rb"\r\x1b\[2K[^\r]*", b"", narrated) == b""


def test_a_process_writes_them_too(home: Path, tmp_path: Path) -> None:
    command = "sql", "FROM tweets ORDER BY tweet_id LIMIT 40", "--json"
    piped, env = mynah(*command, home=home), environment(home)
    code, seen = terminal([*MYNAH, *command], env, stderr=subprocess.DEVNULL)
    assert code == 0
    assert seen.replace(b"\r\n", b"\n") == piped.out
    with (tmp_path / "file").open("wb") as file:
        terminal([*MYNAH, *command], env, stdout=file)
    assert (tmp_path / "file").read_bytes() == piped.out


def test_the_locale_changes_nothing(home: Path) -> None:
    command = "sql", "SELECT '¶ → 今日 😀' AS text", "--json"
    plain = mynah_alone(*command, home=home, LC_ALL="C", PYTHONIOENCODING="ascii")
    assert plain.json() == [{"text": "¶ → 今日 😀"}]
    assert plain.out == mynah(*command, home=home).out


@pytest.mark.parametrize(("kind", "unbuffered"), [("jsonl", "1"), ("csv", "")])
def test_a_reader_that_leaves_is_no_error(home: Path, kind: str, unbuffered: str) -> None:
    # more than a pipe holds, or nobody would notice that the reader has left
    query = "SELECT range AS n, 'abcdefgh' AS text FROM range(30000)"
    script = f'set -o pipefail; "$0" -m tui sql "{query}" --format {kind} | head -n 1'
    done = subprocess.run(
        ["bash", "-c", script, MYNAH[0]], env=environment(home, PYTHONUNBUFFERED=unbuffered),
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")  # noqa: PTH110
def test_a_full_disk_is_said(home: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [*MYNAH, "accounts", "--json"], env=environment(home), stdout=full,
            stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"cannot be written" in done.stderr


def test_the_app_says_that_it_needs_a_terminal(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for command in ([], ["demo"]):
        ended = mynah(*command, home=home, code=2)
        assert "needs a terminal" in ended.err
        assert not ended.out
    assert not home.exists()


def test_a_bug_is_logged_in_the_chosen_home_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a planted bug")

    monkeypatch.setattr("core.corpus.reading.accounts", broken)
    home = tmp_path / "home"
    ended = mynah("accounts", "--home", home, home=tmp_path / "other", code=1)
    assert "report it" in ended.err
    log = (home / "mynah.log").read_text()
    assert "a planted bug" in log
    assert __version__ in log


def test_doctor(tmp_path: Path) -> None:
    home = tmp_path / "home"
    checks = mynah("doctor", "--json", home=home).json()
    assert all(set(check) == {"name", "ok", "detail"} for check in checks)
    by_name = {check["name"]: check for check in checks}
    assert {"mynah", "python", "torch", "device", "base models", "hugging face hub", "home",
            "corpus", "runs"} <= set(by_name)  # fmt: skip
    assert by_name["mynah"]["detail"] == __version__
    assert "HF_HUB_OFFLINE" in by_name["hugging face hub"]["detail"]
    shown = mynah("doctor", home=home).text
    assert all(check["name"] in shown for check in checks)
    assert not home.exists()


def test_a_hub_that_cannot_be_reached_is_no_failure(tmp_path: Path) -> None:
    ended = mynah(
        "doctor", "--json", home=tmp_path, HF_HUB_OFFLINE="0", HF_ENDPOINT="http://127.0.0.1:9"
    )
    (hub,) = [check for check in ended.json() if check["name"] == "hugging face hub"]
    assert not hub["ok"]
    assert "127.0.0.1:9" in hub["detail"]


def test_one_refusal_of_each_kind_as_a_process(tmp_path: Path) -> None:
    """The others above share the entry point; these prove that a process ends the same way."""
    home = tmp_path / "home"
    assert "acounts" in mynah_alone("acounts", home=home, code=2).err
    assert "does not exist" in mynah_alone("import", "/no/such/file.zip", home=home, code=3).err
    assert "x-archive" in mynah_alone("import", KEEPER, "--format", "foo", home=home, code=2).err
    assert not home.exists() or not list(home.iterdir())


def test_two_sentences_have_a_stop_between_them() -> None:
    assert str(MynahError("It failed", "errno 2", "Try again")) == "It failed. errno 2. Try again"
    assert str(MynahError("Gone.", "(It was `x`.)", "Why?")) == "Gone. (It was `x`.) Why?"
