"""The README keeps its word: each command in it runs, in order, in a home of its own."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.curation.recipe import Recipe, load_recipe
from core.doctor import WEIGHTS
from core.home import Home
from core.query.history import history_file
from core.runs.folder import Run
from core.runs.tracked import FOLDER
from tests.unit.cli import ROOT, environment, mynah, on_a_terminal

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUIT = b"\x11"  # ctrl+q
# what makes the commands that train smaller
LESS = {"train": ("--base", "scratch", "--max-steps", "5"), "sweep": ("--trials", "1")}


def commands() -> list[str]:
    """The lines of all ```sh blocks; a line that ends in a backslash goes on in the next."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_every_command_is_of_a_kind_that_is_tried() -> None:
    kinds = {shlex.split(line)[0] for line in commands()}
    assert kinds == {"make", "pip", "mynah", "python"}


def test_the_playground_starts_and_says_what_to_type() -> None:
    (line,) = [line for line in commands() if line.startswith("python")]
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "tests.fakes.x_api"]
    words[words.index("--port") + 1] = "0"  # whichever is free
    with subprocess.Popen(
        [sys.executable, "-u", *words[1:]], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as playground:
        assert playground.stdout is not None
        said = [playground.stdout.readline() for _ in range(9)]
        playground.terminate()
    assert "http://127.0.0.1:" in said[0]
    assert any("mynah fetch" in one for one in said)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not here")
@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("make")])
def test_make_has_it(line: str) -> None:
    _, *targets = shlex.split(line)
    done = subprocess.run(
        ["make", "-n", *targets], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_pip_lines_are_those_that_the_makefile_and_doctor_use() -> None:
    lines = [line for line in commands() if line.startswith("pip")]
    assert lines == ["pip install .", WEIGHTS]
    wanted = shlex.split(WEIGHTS)[-1]
    assert f"WEIGHTS := {wanted}\n" in (ROOT / "Makefile").read_text()


def test_pictures_and_links_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).is_file(), target
    headings = {
        re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


def test_pictures_ask_for_nothing_from_the_web() -> None:
    for picture in (ROOT / "datasets" / "pictures").glob("*.svg"):
        text = picture.read_text(encoding="utf-8")
        links = set(re.findall(r"https?://[^\s\"'<)]+", text)) - {"http://www.w3.org/2000/svg"}
        loaded = re.findall(r"url\((?!#)[^)]*\)|<image|<script|href=", text)
        assert not loaded, (picture.name, loaded)
        assert not [link for link in links if "textual" not in link and "t.co" not in link]


def toml_blocks() -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_sweep_in_it_is_the_bundled_one() -> None:
    bundled = (ROOT / "datasets" / "sweeps" / "learning_rate.toml").read_text(encoding="utf-8")
    (block,) = [block for block in toml_blocks() if "[space]" in block]
    assert bundled.endswith(block)


def test_the_recipe_in_it_is_one(tmp_path: Path) -> None:
    (block,) = [block for block in toml_blocks() if "[rules]" in block]
    file = tmp_path / "own.toml"
    file.write_text(block)
    recipe = load_recipe(file)
    assert isinstance(recipe, Recipe)
    assert recipe.rules["min_words"] == 5


def test_the_folder_it_describes_is_the_folder() -> None:
    (tree,) = re.findall(r"((?:^    \S.*\n|^        \S.*\n)+)", README, re.MULTILINE)
    named = {line.split()[0].rstrip("/") for line in tree.splitlines()}
    home, run = Home.at("/h"), Run(Path("/h/runs/RUN"))
    paths = [home.corpus, home.recipes, home.settings, home.log, run.record_file, run.dataset,
             run.metrics, run.samples, run.generated, run.log, run.checkpoints,
             run.model]  # fmt: skip
    others = {
        "runs/RUN",
        FOLDER,
        f"{home.sweeps.name}/NAME",
        "favourites.jsonl",
        "prompts.jsonl",
        "recent_paths.jsonl",
        "config.toml",
        "exports.jsonl",
        "speeds.json",
        home.trash.name,
        home.themes.name,
        home.session.name,
        "queries",
        history_file(home).name,
    }
    assert {path.name for path in paths} | others == named


@pytest.mark.slow
def test_its_mynah_commands_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that holds nothing but the sample archives. The app is opened and left.

    A shell runs the first command and opens the app; the others run in this process. Only what is
    trained is smaller: how long that learns, and what from, is not what is looked at here.
    """
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "mynah"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tui "$@"\n')
    shim.chmod(0o755)
    home = tmp_path / "home"
    env = environment(home)
    env["PATH"] = f"{shim.parent}:{env['PATH']}"
    monkeypatch.chdir(tmp_path)
    by_shell = True
    for line in (line for line in commands() if line.startswith("mynah")):
        _, *words = shlex.split(line)
        if words in ([], ["demo"]):
            code, seen = on_a_terminal(["sh", "-c", line], env, keys=QUIT, after="Sample")
            assert code == 0, seen[-2000:]
            if words:  # what it started goes on without it, and would slow the rest
                mynah("stop", "latest", home=home)
        elif by_shell:
            done = subprocess.run(
                ["sh", "-c", line], env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{line}: {done.stderr}"
            assert done.stdout.strip(), line
            assert "Traceback" not in done.stderr
            by_shell = False
        else:
            unquoted = re.sub(r'"[^"$`]*"', "", line)
            assert not re.search(r"[$`|<>&;*?~]", unquoted), "a shell would make more of it"
            less = LESS.get(words[0], ())
            assert mynah(*words, *less, home=home).text.strip(), line
    assert (tmp_path / "keeper.jsonl").stat().st_size > 10_000
