"""Deferred imports defer: proved in a fresh process, since a static graph cannot tell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


# what runs inside the training and the sampling process alone
INSIDE = {
    f"core.sampling.{name}"
    for name in ("decoder", "draw", "engine", "loading", "modules", "products", "rows")
} | {"core.models.light_peft"}
ROOMS = sorted(
    f"core.{path.parent.name}"
    for path in (Path(__file__).parents[2] / "core").glob("*/__init__.py")
)
MODULES = [
    f"{room}.{path.stem}"
    for room in ROOMS
    if room != "core.training"
    for path in (Path(__file__).parents[2] / room.replace(".", "/")).glob("*.py")
    if path.stem != "__init__" and f"{room}.{path.stem}" not in INSIDE
]


def test_core_reaches_neither_the_app_nor_torch() -> None:
    """Importing any module of core but the training process loads no torch and no Textual."""
    loaded = loaded_by("\n".join(f"import {module}" for module in MODULES))
    assert not loaded & {"textual", "rich", "click", "tui"}
    assert not loaded & {"torch", "transformers", "peft"}


def test_the_training_process_needs_no_frames_but_to_read_the_frozen_tweets() -> None:
    """A bare machine with a GPU has torch and transformers, and neither Polars nor DuckDB."""
    folder = Path(__file__).parents[2] / "core" / "training"
    modules = [f"core.training.{path.stem}" for path in folder.glob("*.py")]
    loaded = loaded_by("\n".join(f"import {module}" for module in modules))
    assert "torch" in loaded
    assert not loaded & {"polars", "duckdb", "textual", "wandb", "tweepy", "optuna"}
