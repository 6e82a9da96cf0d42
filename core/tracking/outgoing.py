"""What a tracker is told of a run: names, settings, artifacts, examples; nothing else leaves.

No tweet, no path, no host name and no message of an error is in any of it. The texts of the frozen
dataset and the weights only come along where they were asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.files import sha256_of
from core.runs.folder import Run, stale_note
from core.runs.history import TrainingSample
from core.runs.record import Result, RunRecord, read_fields, short_name
from core.runs.tracked import card_file

_COUNTS: Final = (
    "downloaded", "retweets", "short", "kept", "kept_chars", "train", "valid", "joined",
)  # fmt: skip
_OF_THE_DATASET: Final[tuple[str, ...]] = (
    "seed",
    "split",
    "what",
    "weights",
    "mynah",
    "polars",
    "manifest_sha256",
)
_OF_THE_START: Final = (
    "steps", "steps_an_epoch", "epoch_tokens", "train_tweets", "valid_tweets", "valid_tokens",
    "batch_tokens", "parameters", "trained_parameters", "device", "arithmetic",
    "four_bit",
)  # fmt: skip


@dataclass(frozen=True)
class Artifact:
    """A thing with a version: ``texts`` and ``files`` (on this machine) by their names in it."""

    name: str
    type: str
    metadata: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Examples:
    """Texts of the model that may be shown, and how many may not."""

    shown: list[TrainingSample]
    withheld: int


class Outgoing:
    """What of ``run`` goes out; the names are those that huggingtweets gave."""

    def __init__(self, run: Run, *, tweets: bool = False, model: bool = False) -> None:
        """``tweets``, ``model``: whether texts and weights were asked for too. They stay here once
        something of what the run was made from was forgotten, also while it is tracked.
        """
        self.run = run
        self.record: RunRecord = run.record()
        self._asked_tweets, self._asked_model = tweets, model
        self._start: dict[str, Any] = {}
        self._end: Result | None = None

    @property
    def _tweets(self) -> bool:
        return self._asked_tweets and stale_note(self.run.folder) is None

    @property
    def _model(self) -> bool:
        return self._asked_model and stale_note(self.run.folder) is None

    def take(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Learns from new lines of metrics.jsonl what the run is made of, and how it ended."""
        for record in records:
            if record.get("kind") == "start":
                self._start = {name: record[name] for name in _OF_THE_START if name in record}
                self._end = None
            elif record.get("kind") == "end":
                self._end = read_fields(Result, dict(record))

    def run_name(self, job: str) -> str:
        """``@a-b-train``: the accounts in the order they were named in."""
        return f"@{short_name('-'.join(self.record.handles))}-{job}"

    def preprocess_config(self) -> dict[str, Any]:
        recipe = self.record.recipe
        return {
            **self._of_both(),
            "seed data": self.record.settings.get("seed"),
            "recipe": recipe.in_words,
            "recipe hash": recipe.hash,
            "dataset": self.record.dataset,
        }

    def train_config(self) -> dict[str, Any]:
        """The settings by name, then what the training process found at its start."""
        return {
            **self._of_both(),
            **self.record.settings,
            "base": self.record.base_name,
            "weights": dict(self.record.weights),
            "dataset": self.record.dataset,
            **self._start,
        }

    def _of_both(self) -> dict[str, Any]:
        versions = {f"{name} version": found for name, found in self.record.versions.items()}
        return {"handle": ", ".join(self.record.handles), "run": self.run.id, **versions}

    def outcome(self, state: str) -> dict[str, Any]:
        """How the run ended, in numbers; why it did may name files of this machine."""
        result = self._end or Result()
        numbers: dict[str, Any] = {
            name: value
            for name in Result.__struct_fields__
            if isinstance(value := getattr(result, name), (int, float))
        }
        return {"state": state, **numbers}

    def raw_dataset(self) -> Artifact:
        """How many tweets each account had, and why some were left out. Never a tweet."""
        counts = self._counts()
        return Artifact(
            f"tweets-{self.record.slug}",
            "raw-dataset",
            {"handle": ", ".join(self.record.handles), "version": self._version},
            {"counts.json": _json(counts)},
        )

    def train_dataset(self) -> Artifact:
        """Sizes and sha256 of the frozen files; the files themselves where they were asked for."""
        manifest = self._manifest()
        shown: dict[str, Any] = {
            name: manifest[name] for name in _OF_THE_DATASET if name in manifest
        }
        entries = manifest.get("files") or {}
        shown |= {"files": entries, "handles": self._counts()}
        recipe = self.record.recipe
        shown["recipe"] = {"name": recipe.in_words, "hash": recipe.hash}
        return Artifact(
            f"dataset-{self.record.slug}",
            "train-dataset",
            {
                "handle": ", ".join(self.record.handles),
                "seed data": self.record.settings.get("seed"),
                "epochs": self.record.settings.get("epochs"),
                "version": self._version,
            },
            {"manifest.json": _json(shown)},
            {name: self.run.dataset / name for name in entries} if self._tweets else {},
        )

    def pretrained_model(self) -> Artifact:
        """What the run began with, by name."""
        base = {
            "name": self.record.base_name,
            "source": self.record.base_source,
            "licence": self.record.base_licence,
            "parameters": self._start.get("parameters"),
        }
        name = self.record.base_name.replace("/", "-") or "unknown"
        return Artifact(
            name, "pretrained-model", {"version": self._version}, {"base.json": _json(base)}
        )

    def finetuned_model(self, state: str) -> Artifact | None:
        """Names, sizes and sha256 of the model's files; the files where they were asked for.

        None as long as there is no model.
        """
        if not (self.run.model / "config.json").is_file():
            return None
        paths = {
            path.relative_to(self.run.model).as_posix(): path
            for path in sorted(self.run.model.rglob("*"))
            if path.is_file()
        }
        entries = {
            name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
            for name, path in paths.items()
        }
        if card_file(self.run).is_file():
            paths["README.md"] = card_file(self.run)
        return Artifact(
            self.record.slug,
            "finetuned-model",
            {"run": self.run.id, "version": self._version, **self.outcome(state)},
            {"files.json": _json(entries)},
            paths if self._model else {},
        )

    def examples(self, samples: Sequence[TrainingSample]) -> Examples:
        """``samples`` without those that give a training tweet back, or come close to one.

        Where the dataset is not there to compare with, none may be shown. Asking for the tweets to
        go out lets them all pass.
        """
        if self._tweets or not samples:
            return Examples(list(samples), 0)
        from core.sampling.copies import CopyIndex

        try:
            parts = [
                CopyIndex.from_parquet(path) for path in sorted(self.run.dataset.glob("*.parquet"))
                if path.name in ("train.parquet", "valid.parquet")
            ]  # fmt: skip
        except Exception:  # Polars has an error for each way a file can be damaged
            parts = []
        new = [
            sample
            for sample in samples
            if parts and all(index.check(sample.text).verdict == "new" for index in parts)
        ]
        return Examples(new, len(samples) - len(new))

    @property
    def _version(self) -> str:
        return self.record.versions.get("mynah") or "unknown"

    def _manifest(self) -> dict[str, Any]:
        from core.dataset.manifest import RUN_NAME, BadManifest, read_manifest

        try:
            return read_manifest(self.run.dataset / RUN_NAME)[0]
        except BadManifest:
            return {}

    def _counts(self) -> dict[str, dict[str, Any]]:
        handles = self._manifest().get("handles")
        return {
            handle: {name: counts[name] for name in (*_COUNTS, "dropped") if name in counts}
            for handle, counts in (handles if isinstance(handles, dict) else {}).items()
            if handle in self.record.handles and isinstance(counts, dict)
        }


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
