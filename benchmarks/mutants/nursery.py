"""A process that has imported the heavy libraries, and runs tests in forks of itself.

    python -m benchmarks.mutants.nursery

In the folder of a copy of the tree. Each line of its input is a JSON list of tests with the seconds
that they may take; to each it answers with a JSON list of one of VERDICTS and the test that failed
first ("" where none did by name: the code could not be imported). Nothing of mynah is imported
before the fork, so that every fork reads the code as it is then.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

VERDICTS: Final = ("noticed", "not noticed", "hung")
# Polars starts threads when it is imported, which a fork would not have.
_LIBRARIES: Final = (
    "pytest", "pytest_asyncio", "hypothesis", "numpy", "duckdb", "torch", "transformers",
    "transformers.models.gpt2.modeling_gpt2", "transformers.models.llama.modeling_llama",
    "tokenizers", "safetensors.torch", "huggingface_hub", "requests", "jinja2", "yaml",
    "textual.app", "textual.widgets", "sklearn.linear_model", "optuna", "tweepy", "click", "rich",
    "PIL.Image",
)  # fmt: skip


class _Failures:
    """As a plugin of pytest: says which test failed first."""

    def __init__(self, out: int) -> None:
        self._out = out

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            os.write(self._out, report.nodeid.encode() + b"\n")


def _run(tests: list[str], out: int) -> int:
    os.setsid()
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    import pytest

    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests], [_Failures(out)]))


def verdict_of(tests: list[str], seconds: float) -> tuple[str, str]:
    failed, out = os.pipe()
    child = os.fork()
    if not child:
        code = 99
        try:
            code = _run(tests, out)
        finally:
            os._exit(code)
    os.close(out)
    said, names = _wait(child, seconds), b""
    # a process that a test left behind may hold the other end: no more than what is there
    os.set_blocking(failed, False)
    with suppress(BlockingIOError):
        names = os.read(failed, 1 << 16)
    os.close(failed)
    return said, names.decode().partition("\n")[0] if said == "noticed" else ""


def _wait(child: int, seconds: float) -> str:
    until = time.monotonic() + seconds
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return "noticed" if os.waitstatus_to_exitcode(status) else "not noticed"
        if time.monotonic() > until:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hung"
        time.sleep(0.05)


def main() -> None:
    sys.path.insert(0, str(Path.cwd()))
    for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = "1"  # as tests/conftest.py does, before the imports
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["MYNAH_WARM"] = "none"
    for library in _LIBRARIES:
        importlib.import_module(library)
    ours = [name for name in sys.modules if name.split(".")[0] in ("core", "tui", "tests")]
    threads = len(list(Path("/proc/self/task").iterdir()))
    assert not ours, f"the forks would share {ours[0]}"
    assert threads == 1, f"a fork of {threads} threads has one of them"
    for line in sys.stdin:
        tests, seconds = json.loads(line)
        print(json.dumps(verdict_of(tests, seconds)), flush=True)


if __name__ == "__main__":
    main()
