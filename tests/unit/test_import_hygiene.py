"""Deferred imports defer: proved in a fresh process, since a static graph cannot tell."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "peft", "polars", "duckdb", "pyarrow", "numpy", "wandb", "tweepy")


FIRST_FRAME = """
import asyncio, sys, tempfile
from core.home import Home
from tui.app import MynahApp
seen = set()
class Watched(MynahApp):
    def _after_first_frame(self):
        seen.update(name.split('.')[0] for name in sys.modules)
        self.exit()
asyncio.run(Watched(Home.at(tempfile.mkdtemp())).run_async(headless=True, size=(120, 40)))
heavy = seen & HEAVY
assert seen and not heavy, heavy
"""


def loaded_by(code: str) -> set[str]:
    """Top-level packages in sys.modules after running ``code`` in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split("\n")[-2].split())


def test_help_loads_nothing_heavy() -> None:
    code = (
        "from tui.__main__ import cli\n"
        "try: cli.main(['--help'], prog_name='mynah')\n"
        "except SystemExit: pass"
    )
    assert not loaded_by(code) & {*HEAVY, "textual", "rich"}


def test_importing_the_app_loads_nothing_heavy() -> None:
    assert not loaded_by("import tui.app") & set(HEAVY)


def test_the_first_frame_loads_nothing_heavy() -> None:
    code = FIRST_FRAME.replace("HEAVY", repr(set(HEAVY)))
    loaded_by(code)


DOORS = (
    "corpus curating curation doctor export fetching models profile query sampling sources "
    "training workbench workflow"
)


@pytest.mark.parametrize("module", [f"core.{name}" for name in DOORS.split()])
def test_core_reaches_neither_the_app_nor_torch(module: str) -> None:
    loaded = loaded_by(f"import {module}")
    assert not loaded & {"textual", "rich", "click", "tui"}
    assert not loaded & {"torch", "transformers", "peft"}
