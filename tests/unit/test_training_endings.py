"""How a run ends, and how it goes on after whatever ended it: in this process, a model from nothing
and a few steps."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from toy_runs import (
    StopAfter,
    create_toy,
    edit_record,
    in_short,
    lines_of,
    toy_tweets,
    train_here,
)

from core.errors import InputRefused
from core.models.load import load_model
from core.processes import this_machine, usable_cores
from core.runs.events import Journal
from core.runs.folder import Run, checkpoint_folders
from core.runs.launch import resume_run, stop_run
from core.runs.summary import run_summary
from core.training.best import PATIENCE
from core.training.child import work
from core.training.finish import finish
from core.training.fit import fit
from core.training.setup import Diverged, set_up
from core.training.signals import StopRequest

EVERY_TIME = 1e-9
SMALL: dict[str, Any] = {"max_steps": 8, "batch_tokens": 128, "eval_tokens": 64}


def of_kind(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


def train_losses(lines: list[dict[str, Any]]) -> dict[int, float]:
    return {line["step"]: line["loss"] for line in of_kind(lines, "train")}


def held_out(lines: list[dict[str, Any]], phase: str) -> dict[int, float]:
    return {
        line["step"]: line["valid_loss"]
        for line in of_kind(lines, "eval")
        if line["phase"] == phase
    }


class Poison(StopRequest):
    """After so many steps ``spoil`` is done to the first weight, and perhaps a step later a stop is
    asked for."""

    def __init__(self, run: Run, steps: int, spoil: Any, *, then_stop: bool = False) -> None:
        super().__init__(run)
        self._after, self._spoil, self._then_stop = steps, spoil, then_stop
        self._spoiled = False
        self.training: Any = None

    @property
    def asked(self) -> bool:
        step = self.training.at.step
        if step >= self._after and not self._spoiled:
            self._spoiled = True
            self._spoil(self.training.weights[0])
        return self._then_stop and step > self._after


@contextmanager
def in_hand(run: Run) -> Iterator[Journal]:
    """The journal of a run that is trained here piece by piece."""
    journal = Journal(run)
    try:
        with in_short():
            yield journal
    finally:
        journal.close()


def make_worse(weight: torch.Tensor) -> None:
    with torch.no_grad():
        weight += torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))


# ── stopping and going on ────────────────────────────────────────────────────────────────


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    unbroken, broken = (create_toy(tmp_path / name, **SMALL) for name in ("one", "two"))
    whole = train_here(unbroken)[-1]
    first = train_here(broken, StopAfter(broken, 3))[-1]
    assert (first["state"], first["steps"]) == ("stopped", 3)
    rest = train_here(broken, resume=True)
    assert of_kind(rest, "start")[0]["resumed_from"] == 3
    assert rest[-1]["state"] == "finished"
    assert rest[-1]["valid_loss_after"] == pytest.approx(whole["valid_loss_after"], rel=1e-4)
    assert rest[-1]["tokens_by_author"] == whole["tokens_by_author"]
    assert rest[-1]["tokens"] == whole["tokens"]


def test_a_run_that_ends_before_its_first_checkpoint_starts_again_alike(tmp_path: Path) -> None:
    unbroken, killed = (create_toy(tmp_path / name, **SMALL) for name in ("one", "two"))
    whole = train_here(unbroken)
    first = train_here(killed, StopAfter(killed, at_once=4))[-1]
    assert (first["state"], checkpoint_folders(killed.checkpoints)) == ("stopped", [])
    again = train_here(killed, resume=True)
    assert of_kind(again, "start")[0]["resumed_from"] == 0
    assert again[-1]["state"] == "finished"
    for phase in ("before", "after"):
        assert held_out(again, phase) == pytest.approx(held_out(whole, phase), rel=1e-4)
    assert again[-1]["train_loss"] == pytest.approx(whole[-1]["train_loss"], rel=1e-4)


def test_what_was_decided_at_the_start_is_used_again(tmp_path: Path) -> None:
    run = create_toy(tmp_path, max_steps=6)
    train_here(run, StopAfter(run, 2))
    decided = run.record().decisions
    assert decided is not None
    assert (decided.device, decided.steps) == ("cpu", 6)
    edited = {"batch_tokens": 96, "eval_tokens": 50, "steps": 5}
    kept = {name: getattr(decided, name) for name in decided.__struct_fields__}
    edit_record(run, decisions={**kept, **edited, "arithmetic": "bfloat16"})
    lines = train_here(run, resume=True)
    (start,) = of_kind(lines, "start")
    assert (start["batch_tokens"], start["steps"]) == (96, 5)
    assert start["arithmetic"] == "bfloat16", "measured anew it might be another"
    assert lines[-1]["steps"] == 5
    assert lines[-1]["valid_tokens"] < 80


def test_adapters_do_not_go_on_with_other_weights_than_they_were_learned_on(tmp_path: Path) -> None:
    run = create_toy(tmp_path, method="lora", max_steps=4)
    train_here(run, StopAfter(run, 2))
    settings = run.record().settings
    run.update_record(settings=settings | {"seed": 2})  # of the weights of scratch
    end = train_here(run, resume=True)[-1]
    assert (end["state"], "are others now" in end["reason"]) == ("failed", True)
    run.update_record(settings=settings)
    assert train_here(run, resume=True)[-1]["state"] == "finished"


def test_a_device_that_is_gone_is_said_and_replaced(tmp_path: Path) -> None:
    run = create_toy(tmp_path, max_steps=3)
    train_here(run, StopAfter(run, 1))
    decided = run.record().decisions
    assert decided is not None
    gone = "mps" if sys.platform != "darwin" else "cuda"
    kept = {name: getattr(decided, name) for name in decided.__struct_fields__}
    edit_record(run, decisions={**kept, "device": gone, "threads": 4096})
    lines = train_here(run, resume=True)
    assert any(gone in line["text"] for line in of_kind(lines, "warning"))
    assert lines[-1]["state"] == "finished"
    now = run.record().decisions
    assert now is not None
    assert now.device != gone
    assert now.threads is None or now.threads <= usable_cores()


def test_a_stopped_run_has_its_best_weights_and_so_has_the_resumed_one(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **{**SMALL, "max_steps": 20}, eval_seconds=EVERY_TIME)
    stop = Poison(run, 3, make_worse, then_stop=True)
    with in_hand(run) as journal:
        training = stop.training = set_up(run, journal, stop, resume=False)
        fit(training)
        end = finish(training)
        journal.end(end)
    losses = held_out(lines_of(run), "during")
    best_step = min(losses, key=lambda step: losses[step])
    assert losses[end.steps or 0] > losses[best_step] + 0.1, "the newest weights are worse"
    assert (end.state, end.best_step) == ("stopped", best_step)
    assert end.valid_loss_after == pytest.approx(losses[best_step], abs=0.02)
    lines = train_here(run, StopAfter(run, 0), resume=True)
    assert of_kind(lines, "start")[0]["resumed_from"] == end.steps, "it goes on from the newest"
    assert lines[-1]["best_step"] == best_step
    assert lines[-1]["valid_loss_after"] == pytest.approx(losses[best_step], abs=0.02)


def test_a_run_that_learns_by_heart_ends_and_goes_back(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **{**SMALL, "max_steps": 40}, eval_seconds=EVERY_TIME)
    stop = Poison(run, 3, make_worse)
    with in_hand(run) as journal:
        training = stop.training = set_up(run, journal, stop, resume=False)
        fit(training)
        end = finish(training)
    losses = held_out(lines_of(run), "during")
    assert end.state == "finished"
    assert "by heart" in end.reason
    assert end.steps == 3 + PATIENCE
    assert end.best_step == min(losses, key=lambda step: losses[step])
    assert end.valid_loss_after == pytest.approx(min(losses.values()), abs=0.02)


def test_the_same_seed_gives_the_same_losses(tmp_path: Path) -> None:
    runs = [create_toy(tmp_path / folder, **SMALL, seed=5) for folder in ("one", "two")]
    losses = [[line["valid_loss"] for line in of_kind(train_here(run), "eval")] for run in runs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.slow
def test_two_that_resume_at_once_start_one_process(tmp_path: Path) -> None:
    run = create_toy(tmp_path, epochs=500)
    edit_record(run, state="stopped", pid=os.getpid(), pid_start=1.0)
    together, refused = threading.Barrier(2), []

    def resume() -> None:
        together.wait()
        try:
            resume_run(run)
        except InputRefused as error:
            refused.append(str(error))

    threads = [threading.Thread(target=resume) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop_run(run, wait=0.0)
    assert len(refused) == 1
    assert "still going" in refused[0]


def test_a_second_process_in_a_folder_leaves_it_alone(tmp_path: Path, monkeypatch: Any) -> None:
    from core.locks import held_lock

    run = create_toy(tmp_path, **SMALL)
    monkeypatch.setattr("core.training.child.LOCK_SECONDS", 0.0)
    with held_lock(run.lock):
        assert work(run, StopRequest(run), resume=False) != 0
    assert not run.metrics.exists()


# ── the time of a run ────────────────────────────────────────────────────────────────────


def test_the_age_of_the_process_that_trains_is_not_the_run_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 1.0)  # in 1970
    run = create_toy(tmp_path, **SMALL)
    lines = train_here(run)
    assert of_kind(lines, "start")[0]["seconds"] < 1e6
    assert (lines[-1]["state"], lines[-1]["steps"]) == ("finished", SMALL["max_steps"])


def test_what_has_gone_by_when_it_starts_counts(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **{**SMALL, "max_steps": 100_000}, epochs=100_000, minutes=0.01)
    lines = train_here(run, began=time.monotonic() - 3600)
    assert of_kind(lines, "start")[0]["seconds"] >= 3600
    assert lines[-1]["state"] == "finished"
    assert 0 < lines[-1]["steps"] < 100_000


def test_what_an_earlier_process_took_counts(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **{**SMALL, "max_steps": 1_000}, epochs=100_000, minutes=1)
    train_here(run, StopAfter(run, 2))
    (checkpoint,) = checkpoint_folders(run.checkpoints)
    position = checkpoint / "position.json"
    held = json.loads(position.read_text())
    position.write_text(json.dumps(held | {"seconds": 60.0, "done": 0.999}))
    lines = train_here(run, resume=True)
    assert of_kind(lines, "start")[-1]["seconds"] >= 60
    assert (lines[-1]["state"], lines[-1]["steps"] < 1_000) == ("finished", True)


# ── checkpoints ──────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_that_cannot_be_written_is_only_a_warning(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **SMALL, checkpoint_seconds=EVERY_TIME)
    run.checkpoints.write_text("a file where the folder should be")
    lines = train_here(run)
    assert lines[-1]["state"] == "finished"
    assert "could not be written" in of_kind(lines, "warning")[0]["text"]
    assert (run.model / "model.safetensors").is_file()
    assert run_summary(run).state == "finished"


def test_a_damaged_checkpoint_is_passed_over_for_the_older_one(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **SMALL, checkpoint_seconds=EVERY_TIME)
    train_here(run, StopAfter(run, 4))
    older, newest = checkpoint_folders(run.checkpoints)
    weights = newest / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    lines = train_here(run, StopAfter(run, 1), resume=True)
    assert of_kind(lines, "start")[0]["resumed_from"] == int(older.name.removeprefix("step-"))
    assert newest.name in of_kind(lines, "warning")[0]["text"]
    for path in checkpoint_folders(run.checkpoints):
        (path / "optimizer.pt").write_bytes(b"")
    lines = train_here(run, resume=True)
    assert of_kind(lines, "start")[0]["resumed_from"] == 0
    assert lines[-1]["state"] == "finished"


@pytest.mark.parametrize("minutes", [None, 5.0])
def test_all_that_is_held_out_is_measured_where_time_is_not_short(
    tmp_path: Path, minutes: float | None
) -> None:
    run = create_toy(tmp_path, **SMALL, minutes=minutes)
    with in_short():
        assert work(run, StopRequest(run), resume=False) == 0
    lines = lines_of(run)
    assert lines[-1]["state"] == "finished"
    (some,), every = (
        [line["tokens"] for line in of_kind(lines, "eval") if line["phase"] == phase]
        for phase in ("after", "all")
    )
    assert every == [] if minutes else every[0] > some


def test_a_finished_run_keeps_its_model_and_no_checkpoint(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **SMALL, checkpoint_seconds=EVERY_TIME)
    lines = train_here(run)
    assert of_kind(lines, "checkpoint")
    assert checkpoint_folders(run.checkpoints) == []
    assert load_model(run.model)
    with pytest.raises(InputRefused, match="has finished"):
        resume_run(run)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="sees what is forced to the disk")
def test_what_must_survive_a_power_cut_is_forced_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: set[str] = set()
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        forced.add(Path(f"/proc/self/fd/{descriptor}").readlink().name.strip("."))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    run = create_toy(tmp_path, **SMALL)
    assert any(name.startswith("run.json") for name in forced)
    train_here(run, StopAfter(run, 2))
    assert forced >= {"weights.safetensors", "optimizer.pt", "position.json", "checkpoints"}
    assert forced >= {"model.safetensors", "config.json", "tokenizer.json", run.id}


# ── numbers that are none ────────────────────────────────────────────────────────────────


def test_a_model_that_is_no_use_any_more_is_not_saved(tmp_path: Path) -> None:
    """One step: its loss and its gradient are fine, the weights after it are not."""
    run = create_toy(tmp_path, **{**SMALL, "max_steps": 1}, lr=1e38, warmup=0.0)
    end = train_here(run)[-1]
    assert end["state"] == "failed"
    assert "not a number" in end["reason"]
    assert not run.model.exists()


def make_nan(weight: torch.Tensor) -> None:
    with torch.no_grad():
        weight.fill_(float("nan"))


def make_gradients_infinite(weight: torch.Tensor) -> None:
    weight.register_hook(lambda gradient: gradient * float("inf"))


@pytest.mark.parametrize("spoil", [make_nan, make_gradients_infinite])
def test_a_run_that_goes_wrong_keeps_its_last_good_weights(tmp_path: Path, spoil: Any) -> None:
    run = create_toy(tmp_path, **SMALL, eval_seconds=EVERY_TIME)
    stop = Poison(run, 4, spoil)
    with in_hand(run) as journal:
        training = stop.training = set_up(run, journal, stop, resume=False)
        with pytest.raises(Diverged) as error:
            fit(training)
        result = finish(training, error.value)
    assert result.state == "failed"
    assert "not a number" in result.reason
    losses = held_out(lines_of(run), "during")
    assert result.best_step == min(losses, key=lambda step: losses[step])
    model, _ = load_model(run.model)
    assert all(bool(torch.isfinite(weight).all()) for weight in model.parameters())
    assert result.valid_loss_after == pytest.approx(min(losses.values()), abs=0.02)


def test_a_loss_that_is_not_a_number_fails_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = create_toy(tmp_path, **SMALL, lr=1e30, clip=1e30, warmup=0.0)
    end = train_here(run)[-1]
    assert end["state"] == "failed"
    assert "not a number" in end["reason"]
    assert "Traceback" not in capsys.readouterr().err


# ── rows longer than the base reads ──────────────────────────────────────────────────────


@pytest.mark.parametrize("preset", ["fast", "classic"])
def test_rows_are_cut_to_what_the_base_can_read(tmp_path: Path, preset: str) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    from core.models.scratch import train_tokenizer

    tokenizer = train_tokenizer(["the lamp is lit and the fog came in again"])
    shape = GPT2Config(vocab_size=len(tokenizer), n_positions=20, n_embd=16, n_layer=1, n_head=2)
    base = tmp_path / "base"
    GPT2LMHeadModel(shape).save_pretrained(base)
    tokenizer.save_pretrained(base)
    run = create_toy(
        tmp_path / "home", base=str(base), preset=preset, max_steps=2, tweets=toy_tweets(30)
    )
    end = train_here(run)[-1]
    assert end["state"] == "finished", end["reason"]
    decided = run.record().decisions
    assert decided is not None
    assert decided.row_tokens == 16, "whole multiples of eight, as rows are padded"


# ── the last word ────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_during_the_last_word_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_toy(tmp_path, **SMALL)
    stop = StopRequest(run)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    write = Journal.write

    def write_and_be_told(self: Journal, kind: str, **fields: Any) -> None:
        write(self, kind, **fields)
        if kind == "end":
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Journal, "write", write_and_be_told)
    try:
        stop.listen()
        lines = train_here(run, stop)
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert [line["state"] for line in of_kind(lines, "end")] == ["finished"]
    assert run.record().state == "finished"
    assert run.record().machine == this_machine()
