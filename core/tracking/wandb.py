"""A run in Weights & Biases, as huggingtweets showed it: two runs, four artifacts, the examples.

W&B gets its own folder inside the run's. Its console capture, git, code, host and machine
collection are off; what goes out is what `Outgoing` gives.

Offline, what was not synced yet is written anew each time: W&B cannot go on with a file that a
killed process left, and what it held back would be lost. Online, W&B says how many rows it has.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import ServiceRefused, first_line
from core.runs.history import TrainingSample
from core.runs.tracked import Tracked, tracking_folder
from core.tracking.follower import Tracker
from core.tracking.options import without_keys
from core.tracking.outgoing import Artifact, Outgoing
from core.tracking.rows import STEP, Row

if TYPE_CHECKING:
    import wandb

# What the server says of a key that it does not know, or that may not write there.
_NO_RIGHT: Final = re.compile(r"\berror 40[13]\b|permission denied", re.IGNORECASE)
# After so long without an answer W&B is taken to be out of reach.
_INIT_SECONDS: Final = 45.0
# Where W&B copies tweets and models to before it sends them, and what remembers where that is.
_STAGING: Final = "mynah-staging-"
_STAGED: Final = "wandb.staging"


class WandbTracker(Tracker):
    """Keeps one W&B run for the preparation of the tweets, and one for the training."""

    def __init__(self, outgoing: Outgoing, done: Tracked) -> None:
        super().__init__(outgoing, done)
        self._offline = done.mode != "online"
        self._folder = tracking_folder(outgoing.run)
        self._held = ExitStack()
        self._run: wandb.Run | None = None
        self._parts: dict[str, int] = {}
        self._first = self._rows = 0
        self._samples: list[TrainingSample] = []
        self._config: dict[str, Any] = {}

    def open(self) -> tuple[int, int]:
        """Raises ServiceRefused when W&B cannot be reached, or does not take the key."""
        files = self._folder / "wandb"
        # what W&B stages lies beside its runs, or a run that is copied would lack it
        staged = files / "data"
        if self._offline:
            self._tidy(files)
        else:
            # it tells the server where a file of an artifact lay: not in a person's folder, and
            # nothing of the machine in its name
            staged = self._held.enter_context(_staging(self._folder / _STAGED))
        os.environ |= {
            "WANDB_DIR": str(self._folder),
            "WANDB_DATA_DIR": str(staged),
            "WANDB_CACHE_DIR": str(files / "cache"),
            "WANDB_CONFIG_DIR": str(files / "config"),
            "WANDB_ERROR_REPORTING": "false",
        }
        out = self.outgoing
        preprocess = self._begin("preprocess", out.preprocess_config())
        self._use(preprocess, out.raw_dataset())
        preprocess.log_artifact(_made(out.train_dataset()))
        preprocess.finish()
        self._config = out.train_config()
        self._run = run = self._begin("train", self._config)
        for part in ("train", "eval", "eval_all", "memorised", "system"):
            run.define_metric(f"{part}/*", step_metric=STEP)
        self._use(run, out.train_dataset())
        self._use(run, out.pretrained_model())
        self.url = str(files) if self._offline else run.url or ""
        return (self._first if self._offline else run.starting_step), 0

    def write(self, rows: Sequence[Row], samples: Sequence[TrainingSample]) -> None:
        assert self._run is not None  # noqa: S101 - open comes first
        if (config := self.outgoing.train_config()) != self._config:
            self._config = config  # the training process has said what it found
            self._run.config.update(config, allow_val_change=True)  # type: ignore[no-untyped-call]
        for row in rows:
            values = {**row.values, "_timestamp": row.time}
            self._run.log(values, step=row.number - self._first, commit=True)
            self._rows = row.number + 1
        self._samples += samples

    def written(self) -> Mapping[str, int]:
        return self._parts

    def close(self, state: str) -> None:
        import wandb

        run, self._run = self._run, None
        if run is None:
            return
        if state != "running":
            examples = self.outgoing.examples(self._samples)
            # in the summary, not in a row: rows are numbered by the journal
            run.summary.update(self.outgoing.outcome(state))
            if examples.withheld:
                run.summary["examples_withheld"] = examples.withheld
            if examples.shown:
                run.summary["examples"] = wandb.Table(
                    columns=["Input", "Prediction", "Step", "Generated"],
                    data=[["", one.text, one.step, True] for one in examples.shown],
                )
            if model := self.outgoing.finetuned_model(state):
                run.log_artifact(_made(model))
        run.finish(exit_code=0 if state in ("finished", "stopped") else 1)
        self._held.close()
        if self._offline:
            self._parts[Path(run.dir).parent.name] = max(self._rows, self._first)
        else:  # all of it is at W&B
            shutil.rmtree(self._folder / "wandb", ignore_errors=True)

    def _tidy(self, files: Path) -> None:
        """Keeps the whole offline runs that were synced, and goes on after their rows.

        W&B adds what is synced to what it has, so that their rows must not be sent again.
        """
        self._parts = {
            name: rows
            for name, rows in self.done.files.items()
            if any(files.glob(f"{name}/*.synced"))
        }
        self._first = self._rows = max(self._parts.values(), default=0)
        for path in files.glob("*") if files.is_dir() else ():
            if path.name not in self._parts:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def _begin(self, job: str, config: dict[str, Any]) -> wandb.Run:
        import wandb
        from wandb.errors import AuthenticationError, Error, UsageError

        try:
            return wandb.init(
                id=f"{self.outgoing.run.id}-{job}",
                name=self.outgoing.run_name(job),
                job_type=job,
                project=self.done.project or None,
                entity=self.done.entity or None,
                mode="offline" if self._offline else "online",
                dir=str(self._folder),
                resume="allow",
                config=config,
                settings=_quiet_settings(),
            )
        except (Error, OSError) as error:
            if isinstance(error, (AuthenticationError, UsageError)) or _NO_RIGHT.search(str(error)):
                raise ServiceRefused(
                    "W&B does not take the key.",
                    _sentence(error),
                    "Get one at wandb.ai/authorize and set WANDB_API_KEY, or use --mode offline.",
                ) from None
            raise ServiceRefused(
                "W&B cannot be reached, or refuses the run.",
                _sentence(error),
                "Nothing is lost: the same command sends all of it later.",
            ) from None

    def _use(self, run: wandb.Run, artifact: Artifact) -> None:
        """Declares an artifact as an input of ``run``.

        `use_artifact` would do the same and wait for the server; offline it refuses. This way the
        wish is written into the offline run, and is fulfilled when that is synced.
        """
        run._log_artifact(_made(artifact), is_user_created=True, use_after_commit=True)


@contextmanager
def _staging(note: Path) -> Iterator[Path]:
    """A folder in the system's temporary one, whose name says nothing of this machine.

    ``note`` names it, beside the run's own: what a killed process left goes with the next tracker
    of the run, which holds its lock.
    """
    parent = Path(tempfile.gettempdir())
    with suppress(OSError, ValueError):
        left = Path(note.read_text(encoding="utf-8"))
        if left.parent == parent and left.name.startswith(_STAGING) and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=_STAGING, dir=parent))
    try:
        note.write_text(str(made), encoding="utf-8")
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        note.unlink(missing_ok=True)


def _quiet_settings() -> wandb.Settings:
    import wandb

    return wandb.Settings(
        console="off",
        disable_code=True,
        disable_git=True,
        save_code=False,
        silent=True,
        host="mynah",
        username="mynah",
        email="",
        program="mynah",
        init_timeout=_INIT_SECONDS,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
    )


def _made(artifact: Artifact) -> wandb.Artifact:
    import wandb

    made = wandb.Artifact(artifact.name, artifact.type, metadata=artifact.metadata)
    for name, text in artifact.texts.items():
        with made.new_file(name, encoding="utf-8") as file:
            file.write(text)
    for name, path in artifact.files.items():
        made.add_file(str(path), name)
    return made


def _sentence(error: Exception) -> str:
    return without_keys(first_line(error)) + "."
