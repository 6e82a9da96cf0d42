"""Every test has a home of its own, and nothing asks the network."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# how long an example takes says more about the machine than about the code
settings.register_profile("mynah", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mynah")

# What is compiled is kept for the next run, whatever the shell wants: to prepare the tests anew
# took each worker fifteen seconds. __pycache__ is no part of the checkout.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# before any import of Polars or torch: several processes that each use all cores are slower than
# on one core each
for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# before any import of huggingface_hub, which reads it once
os.environ["HF_HUB_OFFLINE"] = "1"

from core.children.warm import Warm  # noqa: E402
from core.workflow.training import warm_up  # noqa: E402

_warm: Warm | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Workers side by side fork their trainers and samplers from one warm process."""
    global _warm
    if getattr(session.config.option, "numprocesses", None):
        _warm = warm_up()
    os.environ.setdefault("MYNAH_WARM", "none")  # and the app does not start another


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long goes first: whoever has such a test last keeps the other workers waiting."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    gc.freeze()  # a million objects that live as long as the session need not be looked at


def pytest_sessionfinish() -> None:
    gc.freeze()  # nor what is left of it, which pytest looks through five times
    atexit.register(gc.unfreeze)  # or what extensions made stays to the end, and they complain
    if _warm is not None:
        _warm.end()


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache that is already filled may be named; the person's own is never touched."""
    if os.environ.get("MYNAH_CACHE"):
        yield
        return
    os.environ["MYNAH_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["MYNAH_CACHE"]


@pytest.fixture(autouse=True)
def _home_of_the_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MYNAH_HOME", str(tmp_path / "mynah-home"))
