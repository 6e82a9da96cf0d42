"""The plain mode's questions: help, back, leaving, the end of the input, ctrl+c, the terminal."""

from __future__ import annotations

import _thread
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.home import Home
from tests.unit.cli import (
    LIMIT,
    MYNAH,
    ROOT,
    environment,
    home_with_samples,
    mynah,
    mynah_alone,
    on_a_terminal,
)
from tests.unit.conversation import check, say_all, sentence, talk
from tests.unit.test_import_hygiene import HEAVY, loaded_by
from tui.plain.console import Console, place_of, several, spoken
from tui.plain.session import Session, Tell


def test_the_first_menu_says_how_things_stand(tmp_path: Path) -> None:
    said = talk(tmp_path / "home")
    assert said.startswith(f"mynah {_version()}, plain mode. Type ? for help, b to go back, q")
    for number, line in enumerate(
        ("Data: no tweets yet.", "Filter: the recipe standard.", "Query: ", "Train: no runs yet.",
         "Sample: no model yet.", "Export: ", "Report: ", "Settings."), 1
    ):  # fmt: skip
        assert f"\n{number}. {line}" in said
    assert said.endswith("> q\nYou have left mynah.\n")
    assert not (tmp_path / "home").exists()


def _version() -> str:
    from core import __version__

    return __version__


def test_help_anywhere_and_an_empty_line_repeats(tmp_path: Path) -> None:
    said = talk(tmp_path / "home", "?", "", "1", "?", "b", "b", "9", "nine")
    assert said.count("Wherever mynah asks: type ? for help") == 2
    assert said.count("1. Data: no tweets yet.") == 3
    assert "This is the first menu already. q leaves mynah." in said
    assert "9 is not a number from 1 to 8." in said
    assert "nine is not a number from 1 to 8." in said


def test_the_end_of_the_input_leaves_as_q_does(tmp_path: Path) -> None:
    ended = mynah("--plain", home=tmp_path / "home", stdin=b"1\n")
    check(ended.text)
    assert ended.text.endswith("You have left mynah.\n")


def test_refused_sections_say_the_next_step(tmp_path: Path) -> None:
    said = sentence(
        talk(
            tmp_path / "home", "2", "5", "6", "7", "4", "1", "7", "8", "9", "3", "3", "10", "", "b"
        )
    )
    assert said.count("There are no tweets yet. Choose Data, then Add tweets") == 3
    assert said.count("There is no model yet. Choose Train, then Start a run") == 2
    assert "There are not two runs to compare yet." in said
    assert "No deleted run is kept." in said
    assert "The preset classic cannot learn answers." in said
    assert "10. Learn answers: no" in said
    assert "it is started in a terminal: mynah sweep FILE. An example: " in said


def test_a_command_beside_it_is_refused() -> None:
    assert "--plain stands alone." in mynah("--plain", "accounts", code=2).err


def test_ctrl_c_leaves_with_a_word(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [*MYNAH, "--plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path / "home"),
        cwd=ROOT,
        start_new_session=True,
    )
    assert child.stdout is not None
    seen = b""
    while not seen.endswith(b"\n> "):
        read = os.read(child.stdout.fileno(), 4096)
        assert read, seen
        seen += read
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=LIMIT)
    assert child.returncode == 130
    assert out.decode().split() == "You have left mynah.".split()
    assert b"Traceback" not in err


@pytest.mark.parametrize("term", ["dumb", "", "teletype"])
def test_a_terminal_that_cannot_move_its_cursor_gets_sentences(tmp_path: Path, term: str) -> None:
    env = environment(tmp_path / "home", TERM_WANTED=term)
    if term == "teletype":
        if shutil.which("tic") is None:
            pytest.skip("nothing here compiles the description of a terminal")
        described = tmp_path / "teletype.src"
        described.write_text("teletype|paper, am, cols#72, bel=^G, cr=\\r, ind=\\n,\n")
        subprocess.run(["tic", "-x", "-o", str(tmp_path), str(described)], check=True)
        env["TERMINFO"] = str(tmp_path)
    command = [sys.executable, "-c", _WITH_TERM]
    code, seen = on_a_terminal(command, env, keys=b"q\n", after="> ")
    assert code == 0
    assert b"plain mode" in seen
    assert b"\x1b" not in seen
    check(seen.decode().replace("\r\n", "\n"))


def test_a_command_that_opens_the_app_says_what_to_use_there(tmp_path: Path) -> None:
    env = environment(tmp_path / "home", TERM_WANTED="dumb")
    code, seen = on_a_terminal([sys.executable, "-c", _WITH_TERM, "demo"], env)
    assert code == 2
    assert b"`mynah --plain`" in seen
    assert not (tmp_path / "home").exists()


def test_answers_of_any_kind_bring_no_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("any") / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    rng = random.Random(7)
    numbers = [str(number) for number in range(1, 12)]
    others = ["n", "p", "b", "b", "b", "?", "", "no", "keep 1", "back 1", "file", "save", "fog",
              "@nasa", "nowhere", "[b]x[/b]", "\x1b[2J\u202e", "x" * 300, "-1", "1e9", "nan", "\\b",
              "SELECT 1;", "all", "drop 1", "\x00", "日本語", "²"]  # fmt: skip
    said = talk(home, *rng.choices(numbers + others, k=150))
    assert said.endswith("You have left mynah.\n")


_WITH_TERM = """
import os, sys
os.environ["TERM"] = os.environ["TERM_WANTED"]
sys.argv[0] = "mynah"
from tui.__main__ import main
main()
"""


def test_no_terminal_is_still_refused_without_the_option() -> None:
    ended = mynah_alone(code=2)
    assert "The app needs a terminal." in ended.err


def test_it_begins_without_the_app_or_anything_heavy() -> None:
    loaded = loaded_by(
        "import io, sys, tempfile\n"
        "from core.home import Home\n"
        "from tui.plain.loop import converse\n"
        "sys.stdin = open('/dev/null')\n"
        "converse(Home.at(tempfile.mkdtemp()))"
    )
    assert not loaded & {*HEAVY, "textual"}


def test_work_that_is_being_stopped_offers_no_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    say_all(monkeypatch)

    def work(tell: Tell, stopped: Callable[[], bool]) -> None:
        tell("The first of two.")
        _thread.interrupt_main()
        while not stopped():
            time.sleep(0.01)
        tell("The second of two.")

    Session(Home.at(tmp_path), Console()).work(work)
    said = capfd.readouterr().out
    assert "The first of two. ctrl+c stops." in said
    assert "stopping…" in said
    assert "The second" not in said


def test_signs_become_words() -> None:
    assert spoken("▲ full · 3 kept") == "Warning: full, 3 kept"
    assert spoken("4 Mar 2016 – 31 Oct 2023") == "4 Mar 2016 to 31 Oct 2023"
    assert spoken("loss –, ≈215k, −12, ×1.8, 5.2 → 3.6") == (
        "loss unknown, about 215k, minus 12, 1.8 times, 5.2 to 3.6"
    )
    assert spoken("an in-between word – and") == "an in-between word to and"
    assert spoken("minutes: – and 0.2") == "minutes: unknown and 0.2"
    for theirs in ("Generated after step 20: 2 × 3 · ●", "  generated: a → b", "It says “≈5 ✦”."):
        assert spoken(theirs) == theirs
    assert spoken("dropped: blocked “a · b” · 3 kept") == "dropped: blocked “a · b”, 3 kept"


def test_numbers_that_are_meant() -> None:
    assert [place_of(typed, 1200) for typed in ("1", "1.", "1,200", "12")] == [0, 0, 1199, 11]
    assert [place_of(typed, 9) for typed in ("0", "10", "-1", "", "²", "1e1", "x")] == [None] * 7
    assert place_of("1,2", 1200) is None, "it may mean one and a fifth, or both"


def test_a_number_with_thousands_is_one_answer_of_several() -> None:
    assert several("1,200 3") == ["1,200", "3"]
    assert several("1,2, 3,@gull,") == ["1", "2", "3", "@gull"]
