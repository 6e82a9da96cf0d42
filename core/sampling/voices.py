"""Which models a run can be sampled with: its own, and the base that it began with."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import InputRefused, ServiceRefused
from core.files import write_text_whole
from core.json_lines import parse_json
from core.models.folder import hashed_files, model_hash
from core.models.prepare import prepare
from core.runs.folder import Run, base_of
from core.sampling.client import Sampler

Point = Literal["tuned", "base"]
# Keeps hashes with the size and time of the files that they are of.
_HASHES: Final = "model_hashes.json"


@dataclass(frozen=True)
class Voice:
    """``point``: the model that the run made (tuned), or the one that it began with (base)."""

    run: Run
    point: Point
    folder: Path

    def sampler(self, device: str = "auto", *, exact: bool = False) -> Sampler:
        """A process that samples it, not started yet; raises InputRefused without a model.

        ``exact``: in float32, also where another arithmetic is faster.
        """
        dtype = "float32" if exact else "auto"
        return Sampler.for_run(self.run.folder, device, dtype=dtype, model_dir=self.folder)

    def hash(self) -> str:
        """Of the model (``model_hash``): kept in the run's folder until a file of it changes."""
        files = [
            [path.name, stat.st_size, stat.st_mtime_ns]
            for path in hashed_files(self.folder)
            for stat in [path.stat()]
        ]
        known = self._known_hashes()
        kept = known.get(self.point)
        if isinstance(kept, dict) and kept.get("files") == files:
            return str(kept.get("hash"))
        made = model_hash(self.folder)
        known[self.point] = {"files": files, "hash": made}
        with suppress(OSError):  # a home that cannot be written is only slower
            if self.run.exists:
                write_text_whole(self.run.folder / _HASHES, json.dumps(known))
        return made

    def _known_hashes(self) -> dict[str, Any]:
        try:
            known = parse_json((self.run.folder / _HASHES).read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def tuned_voice(run: Run) -> Voice:
    """The run's own model."""
    return Voice(run, "tuned", run.model)


def base_voice(run: Run) -> Voice:
    """The model that the run began with. Raises InputRefused where it is not at hand."""
    folder, why = base_folder(run)
    if folder is None:
        raise InputRefused(
            "There is no base model to compare with.", why, "Compare with another run instead."
        )
    return Voice(run, "base", folder)


def voice_of(run: Run, point: Point) -> Voice:
    """Either of the two; raises as `base_voice` does."""
    return base_voice(run) if point == "base" else tuned_voice(run)


def base_folder(run: Run) -> tuple[Path | None, str]:
    """The folder of the model that the run began with; or None, and why there is none. Nothing is
    downloaded; the packaged model is unpacked at its first use, which takes half a minute.
    """
    try:
        base = base_of(run, run.record())
        if base.kind == "hub" and base.folder is None:
            return None, f"The base model {base.name} is not on this machine any more."
        folder = prepare(base)
    except (InputRefused, ServiceRefused) as error:
        return None, f"The base model is not at hand: {error.what}"
    if folder is None:
        return None, "The run began with random weights, which write no words."
    return folder, ""
