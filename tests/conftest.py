"""Every test has a home of its own, and nothing asks the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# how long an example takes says more about the machine than about the code
settings.register_profile("mynah", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mynah")

# before any import of Polars: each of several workers has one core, and the threads of two pools
# would wait for each other
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

# before any import of huggingface_hub, which reads it once
os.environ["HF_HUB_OFFLINE"] = "1"


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
