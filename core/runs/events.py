"""Writing the journal of a run: metrics, samples and heartbeat, by its training process alone."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import InputRefused
from core.runs.folder import Run
from core.runs.record import Result
from core.runs.system import SystemProbe

BEAT_SECONDS: Final = 2.0
# Between two looks at processor, memory and GPUs: some 50 KB of journal an hour.
SYSTEM_SECONDS: Final = 10.0
# A look at the system that takes longer is not waited for.
_LAST_BEAT_SECONDS: Final = 5.0


class Journal:
    """Appends to metrics.jsonl and samples.jsonl, and touches the heartbeat until `end`.

    Every line has ``kind`` and ``time`` (seconds since 1970). Kinds of metrics.jsonl: phase,
    queued, start, train, eval, memorisation, system, checkpoint, note, warning, end; the fields of
    each stand where it is written.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._metrics = _Lines(run.metrics)
        self._samples = _Lines(run.samples)
        self._closed = threading.Event()
        self._gpus: bool | None = None
        run.heartbeat.touch()
        self._beating = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._beating.start()

    def write(self, kind: str, **fields: Any) -> None:
        """Appends one line of metrics.jsonl; a number that is not finite becomes null."""
        self._metrics.append({"kind": kind, "time": time.time(), **fields})

    def watch_system(self, *, gpus: bool) -> None:
        """From now on a line ``system`` every ten seconds: the fields are SystemProbe's.

        ``gpus``: whether the run learns on one.
        """
        self._gpus = gpus

    def phase(self, doing: str) -> None:
        """One sentence on what the process is about to do, when that takes a while."""
        self.write("phase", doing=doing)

    def note(self, text: str) -> None:
        """Something about the run that is as it should be, and good to know."""
        self.write("note", text=text)

    def warning(self, text: str) -> None:
        """Something that went wrong without ending the run."""
        self.write("warning", text=text)

    def sample(self, step: int, text: str) -> None:
        """A text that the model wrote; marked as generated wherever it goes."""
        self._samples.append(
            {"kind": "sample", "time": time.time(), "step": step, "text": text, "generated": True}
        )

    def end(self, result: Result) -> None:
        """The last line, and the same in run.json for readers that only want the outcome."""
        self._closed.set()
        self._beating.join(_LAST_BEAT_SECONDS)  # or its look at the system might come after
        self.write("end", **({"reason": ""} | msgspec.to_builtins(result)))
        try:
            self.run.update_record(
                state=result.state,
                reason=result.reason,
                ended=datetime.now(timezone.utc).isoformat(timespec="seconds"),
                result=result,
            )
        except (OSError, InputRefused) as error:
            print(f"run.json does not say how the run ended: {error}", file=sys.stderr)  # noqa: T201

    def close(self) -> None:
        self._closed.set()
        self._metrics.close()
        self._samples.close()

    def _beat(self) -> None:
        probe, due = None, 0.0
        while not self._closed.wait(BEAT_SECONDS):
            try:
                os.utime(self.run.heartbeat)
            except OSError:
                return  # the folder is gone: the run will notice by itself
            if self._gpus is None:
                continue
            if probe is None:
                probe = SystemProbe(gpus=self._gpus)
            elif time.monotonic() >= due:
                due = time.monotonic() + SYSTEM_SECONDS - BEAT_SECONDS / 2
                self.write("system", **probe.values())


class _Lines:
    """JSON lines, each written with one call, so that a reader sees at most one unfinished.

    A line that cannot be written (the disk is full) is lost; the run is worth more than that.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._writing = threading.Lock()  # the heartbeat writes too
        # a process that was killed while it wrote; what it left is one broken line
        self._broken = path.stat().st_size > 0 and not _ends_with_newline(path)

    def append(self, content: dict[str, Any]) -> None:
        line = json.dumps(_finite(content), ensure_ascii=False, allow_nan=False) + "\n"
        with self._writing:
            if self._file.closed:
                return
            written = (b"\n" if self._broken else b"") + line.encode("utf-8", "replace")
            try:
                self._broken = self._file.write(written) != len(written)
            except OSError as error:
                self._broken = True
                print(f"a line of the journal is lost: {error}", file=sys.stderr)  # noqa: T201

    def close(self) -> None:
        with self._writing:
            self._file.close()


def _finite(content: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in content.items()
    }


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
