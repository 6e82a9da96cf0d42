"""The memory of short runs on this CPU, estimated before they start and measured at their peak.

    python -m benchmarks.memory [--steps 4] [--only smollm2/lora]

Both are over that of an idle process, one that has only imported the libraries. The peak is that of
the steps and measurements of a run, in a process of its own; what it writes meanwhile is kept
short. See `core.runs.memory` for the estimate.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.home import Home
from core.models.catalogue import resolve
from core.models.shape import shape_of
from core.runs.folder import Run
from core.runs.memory import memory_needed
from core.runs.settings import TrainSettings
from core.workflow.data import DEMO_HANDLE, import_paths, sample_archives
from core.workflow.training import train

IMPORTS = (
    "import core.dataset.frozen, core.training.child, core.training.finish, core.training.fit, "
    "core.training.setup, core.models.light_peft, transformers.models.llama.modeling_llama, "
    "transformers.models.gpt2.modeling_gpt2, psutil; print(psutil.Process().memory_info().rss)"
)


@dataclass(frozen=True)
class Rung:
    base: str
    method: str
    preset: str = "fast"
    four_bit: bool = False

    @property
    def name(self) -> str:
        how = "" if self.preset == "fast" else f"/{self.preset}"
        return f"{self.base}/{self.method}{how}" + ("/4bit" if self.four_bit else "")


RUNGS = (
    Rung("scratch", "full"),
    Rung("smollm2", "lora"),
    Rung("smollm2", "lora", four_bit=True),
    Rung("gpt2-shape", "full"),
    Rung("smollm2", "full"),
    Rung("smollm2", "full", "classic"),
)


def idle() -> int:
    """Bytes of a process that has imported what a run imports."""
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, check=True)
    return int(done.stdout)


def steps_of(folder: Path) -> int:
    """Makes the steps of a run in this process; returns its peak in bytes."""
    from core.runs.events import Journal
    from core.training import setup
    from core.training.device import peak_memory
    from core.training.fit import fit
    from core.training.signals import StopRequest

    run = Run(folder)
    journal = Journal(run)
    setup.GLIMPSE_TOKENS = 2  # type: ignore[misc]
    training = setup.set_up(run, journal, StopRequest(run), resume=False)
    training.memorisation = None
    fit(training)
    journal.close()
    assert training.best is not None or not training.settings.keep_best
    return peak_memory(training.device) or 0


def measured(home: Home, rung: Rung, steps: int) -> tuple[TrainSettings, int]:
    """The settings of a run, and its peak in bytes."""
    run = train(
        home, [DEMO_HANDLE], base=rung.base, method=rung.method, preset=rung.preset, device="cpu",
        four_bit=rung.four_bit, max_steps=steps, eval_tokens=1100, eval_seconds=1.0, torchrun=True,
    )  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.memory", "--steps-of", str(run.folder)]
    done = subprocess.run(command, capture_output=True, check=True)
    settings = run.record().train_settings
    assert settings is not None
    return settings, int(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--only", default="", help="rungs whose names begin so")
    parser.add_argument("--steps-of", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.steps_of:
        print(steps_of(given.steps_of))
        return
    at_rest = idle()
    print(f"an idle process: {at_rest / 1e6:.0f} MB")
    print(f"{'MB over that':24} {'estimated':>10} {'measured':>10} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        home = Home.at(folder)
        import_paths(home, [path for path in sample_archives() if DEMO_HANDLE in path.name])
        for rung in RUNGS:
            if not rung.name.startswith(given.only):
                continue
            settings, peak = measured(home, rung, given.steps)
            shape = shape_of(resolve(rung.base))
            assert shape is not None
            expected, over = memory_needed(shape, settings).over_idle, peak - at_rest
            print(
                f"{rung.name:24} {expected / 1e6:10.0f} {over / 1e6:10.0f} {expected / over:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
