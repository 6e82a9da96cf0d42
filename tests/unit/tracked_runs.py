"""Runs written by hand for the tests of tracking: a process that we are, a journal line by line."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from core.processes import process_times, this_machine
from core.runs.folder import Run

BEGAN = 1_772_360_100.0
HANDLES = ["zoe", "adam"]
TWEETS = [f"the lamp on the far rock went out {n} times before breakfast today" for n in range(6)]
RIVAL = "unspeakable-rival"
NAME = "20260301-1015-adam-c0de"


def tracked_run(home: Path, *, base: str = "smollm2", base_source: str = "a package") -> Run:
    """A run of two accounts that this very process seems to work on, with nothing measured yet."""
    run = Run(home / "runs" / NAME)
    run.dataset.mkdir(parents=True)
    pl.DataFrame(
        {"handle": ["adam"] * 6, "tweet_id": [str(n) for n in range(6)], "text": TWEETS}
    ).write_parquet(run.dataset / "train.parquet")
    (run.dataset / "manifest.json").write_text(json.dumps(manifest()))
    record = {
        "id": NAME, "handles": HANDLES, "names": {}, "base": base, "base_source": base_source,
        "recipe": {"name": "standard", "hash": "8cec5fa47248"}, "dataset": "8a1b",
        "weights": {"zoe": 2.0}, "settings": {"base": base, "lr": 0.002, "seed": 7, "epochs": 4.0},
        "state": "queued", "created": "2026-03-01T10:15:00+00:00", "pid": os.getpid(),
        "pid_start": process_times(os.getpid()), "machine": this_machine(),
        "versions": {"mynah": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0"},
    }  # fmt: skip
    run.record_file.write_text(json.dumps(record))
    return run


def manifest() -> dict[str, Any]:
    counts = {"downloaded": 9, "retweets": 2, "short": 1, "dropped": {}, "kept": 6, "train": 6}
    return {
        "files": {"train.parquet": {"rows": 6, "bytes": 1, "sha256": "ab", "part": "train"}},
        "handles": {"adam": counts | {"sources": ["x archive"]}},
        "recipe": {"name": "standard", "rules": {"blocked_words": [RIVAL]}},
        "source_files": ["private-archive.zip"],
        "seed": 7,
    }


def append(run: Run, *lines: dict[str, Any]) -> None:
    """Lines of metrics.jsonl, a second apart."""
    before = len(run.metrics.read_bytes().splitlines()) if run.metrics.exists() else 0
    with run.metrics.open("a") as file:
        for number, line in enumerate(lines, before):
            file.write(json.dumps({"time": BEGAN + number, **line}) + "\n")


def say(run: Run, step: int, *texts: str) -> None:
    """Lines of samples.jsonl."""
    with run.samples.open("a") as file:
        for text in texts:
            file.write(json.dumps({"kind": "sample", "step": step, "text": text}) + "\n")


def start(**more: Any) -> dict[str, Any]:
    return {"kind": "start", "steps": 40, "parameters": 1000, "device": "cpu (2 threads)", **more}


def train(step: int, loss: float | None = None) -> dict[str, Any]:
    return {
        "kind": "train", "step": step, "steps": 40, "loss": 5 - step / 10 if loss is None else loss,
        "lr": 0.001 * step, "grad_norm": 1.5, "tokens": 256 * step, "done": step / 40,
        "seconds": 1.0 * step, "seconds_left": 9.0,
    }  # fmt: skip


def measure(step: int, phase: str = "during") -> dict[str, Any]:
    return {
        "kind": "eval", "step": step, "phase": phase, "valid_loss": 4 - step / 20, "tokens": 2210,
        "bits_per_byte": 1.5, "tokens_by_author": {"adam": 1},
    }  # fmt: skip


def end(run: Run, state: str = "finished", **more: Any) -> None:
    """The last line, and run.json says the same."""
    result = {"state": state, "steps": 8, "valid_loss_after": 3.5, **more}
    append(run, {"kind": "end", **result})
    record = json.loads(run.record_file.read_text())
    run.record_file.write_text(json.dumps(record | {"state": state, "result": result}))


def resume(run: Run) -> None:
    """As `resume_run` leaves the record behind; we are the process again."""
    record = json.loads(run.record_file.read_text())
    run.record_file.write_text(json.dumps(record | {"state": "queued", "resumed": BEGAN + 1e6}))


def add_model(run: Run) -> None:
    run.model.mkdir()
    (run.model / "config.json").write_text("{}")
    (run.model / "model.safetensors").write_bytes(b"weights of the model")


def measured(run: Run) -> list[tuple[str, int, float, float]]:
    """What trackers should have of a run that was never disturbed: kind, step, time, loss."""
    rows = []
    for line in map(json.loads, run.metrics.read_text().splitlines()):
        if line["kind"] in ("train", "eval"):
            loss = line["loss"] if line["kind"] == "train" else line["valid_loss"]
            rows.append((line["kind"], line["step"], line["time"], loss))
    return rows


def shown(row: dict[str, Any]) -> tuple[str, int, float, float]:
    """The same of a row in W&B's history."""
    kind = "train" if "train/loss" in row else "eval"
    return kind, int(row["train/global_step"]), row["_timestamp"], row[f"{kind}/loss"]


# ── what W&B writes offline ──────────────────────────────────────────────────────────────


def offline_parts(run: Run, job: str = "train") -> list[Path]:
    """The files of W&B's offline runs, oldest first."""
    return sorted((run.folder / "tracking" / "wandb").glob(f"offline-run-*-{job}/*.wandb"))


def records(path: Path) -> Iterator[Any]:
    """W&B's records in a file: LevelDB's log format behind a header of 7 bytes.

    Blocks of 32 KiB hold pieces (crc 4 bytes, length 2, kind 1); kinds are whole, first, middle and
    last.
    """
    from wandb.proto import wandb_internal_pb2

    data = path.read_bytes()
    assert data[:4] == b":W&B"
    at, content = 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        piece = data[at + 7 : at + 7 + length]
        at += 7 + length
        content = piece if kind in (1, 2) else content + piece
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(content)
            yield record


def history(path: Path) -> list[dict[str, Any]]:
    """The rows of an offline run."""
    return [
        {item.key or item.nested_key[0]: json.loads(item.value_json) for item in one.history.item}
        for one in records(path)
        if one.WhichOneof("record_type") == "history"
    ]


def summary(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in records(path):
        for item in one.summary.update:
            found[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
    return found


def config(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in records(path):
        items = [*one.run.config.update, *one.config.update]
        found |= {item.key or item.nested_key[0]: json.loads(item.value_json) for item in items}
    return found


def artifacts(path: Path) -> dict[str, Any]:
    """Type, whether it is an input, and the files' contents by name."""
    found = {}
    for one in records(path):
        if one.WhichOneof("record_type") == "artifact":
            files = {
                c.path: Path(c.local_path).read_bytes() for c in one.artifact.manifest.contents
            }
            found[one.artifact.name] = (one.artifact.type, one.artifact.use_after_commit, files)
    return found
