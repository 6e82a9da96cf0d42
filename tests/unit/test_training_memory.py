"""Out of memory on a CPU, with the errors that PyTorch raises there: smaller parts where they help,
else a sentence, and the best model so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from toy_runs import StopAfter, create_toy, in_short, lines_of, train_here

from core.models.catalogue import resolve
from core.models.load import load_model
from core.models.scratch import new_model
from core.models.shape import shape_of
from core.processes import Memory
from core.runs.events import Journal
from core.runs.folder import Run, checkpoint_folders
from core.runs.memory import MemoryNeed, memory_needed
from core.runs.record import Result
from core.runs.settings import settings_for
from core.training.adapter import add_adapters, recompute_layers, trainable
from core.training.decide import Room
from core.training.finish import finish
from core.training.fit import fit
from core.training.loss import Scorer
from core.training.memory import (
    TooLittleMemory,
    dispensable,
    explained,
    more_parts,
    out_of_memory,
    too_little,
)
from core.training.setup import Training, set_up
from core.training.signals import StopRequest
from core.training.step import BatchStep

SMALL: dict[str, Any] = {"max_steps": 6, "batch_tokens": 128, "eval_tokens": 64}
EVERY_TIME = 1e-9


@pytest.fixture(autouse=True)
def a_line_for_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.fit.LOG_SECONDS", 0.0)


def absurd(*_: Any) -> None:
    """More than any machine has: PyTorch raises what it raises on a machine that is full."""
    torch.empty(1 << 50)


def of_kind(run: Run, kind: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(run) if line["kind"] == kind]


def losses(run: Run) -> list[float]:
    return [line["loss"] for line in of_kind(run, "train")]


@contextmanager
def in_hand(run: Run) -> Iterator[Training]:
    """A run that is trained here piece by piece."""
    journal = Journal(run)
    try:
        with in_short():
            yield set_up(run, journal, StopRequest(run), resume=False)
    finally:
        journal.close()


def cramp(training: Training, *, rows: int, learning: bool, from_step: int = 0) -> Any:
    """From a step on, the model has no room for more than so many rows; of a step or a measure."""

    def look(module: Any, args: Any, given: Any) -> None:
        read = given.get("input_ids")
        there = training.at.step >= from_step and torch.is_grad_enabled() == learning
        if there and read is not None and len(read) > rows:
            absurd()

    body = training.model.base_model
    return body.register_forward_pre_hook(look, with_kwargs=True)


def ended(training: Training) -> Result:
    """As the training process ends it."""
    trouble = None
    try:
        fit(training)
    except TooLittleMemory as error:
        trouble = error
    return finish(training, trouble)


def test_what_pytorch_raises_is_told_apart() -> None:
    with pytest.raises(RuntimeError) as raised:
        absurd()
    assert out_of_memory(raised.value)
    with pytest.raises(MemoryError) as of_python:
        bytearray(1 << 60)
    assert out_of_memory(of_python.value)
    with pytest.raises(RuntimeError) as other:
        torch.ones(2) @ torch.ones(3)
    assert not out_of_memory(other.value)


@pytest.mark.parametrize(
    "words",
    [
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes",
        "std::bad_alloc",
        "MPS backend out of memory",
        "[enforce fail] not enough memory: you tried",
        "CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "could not create a memory object",
    ],
)
def test_every_library_says_it_in_its_own_words(words: str) -> None:
    assert out_of_memory(RuntimeError(words))
    assert not out_of_memory(ValueError(words)), "what no allocator raises"
    wrapped = ValueError("it cannot be loaded")
    wrapped.__cause__ = RuntimeError(words)
    assert out_of_memory(wrapped)
    assert not out_of_memory(None)
    assert out_of_memory(torch.OutOfMemoryError())


def test_too_little_memory_is_said_with_what_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = too_little("cpu", "Why."), too_little("cuda", "Why.")
    assert here.what == "This machine has too little memory for this base."
    assert here.next_step.endswith("or end other programs.")
    assert there.what == "The device has too little memory for this base."
    assert there.next_step.endswith("or use --device cpu.")
    assert more_parts(MemoryError(), 2, [[0, 1]] * 3, torch.device("cpu")) == 4
    assert "batches are taken in 4 parts now" in capsys.readouterr().err
    for error, where in ((MemoryError(), "This machine"), (torch.OutOfMemoryError(), "The device")):
        with pytest.raises(TooLittleMemory, match=where) as raised, explained("making tea"):
            raise error
        assert raised.value.why == "It ran out while making tea."
    for error in (here, ValueError("another")):
        with pytest.raises(type(error)) as raised, explained("making tea"):
            raise error
        assert raised.value is error
    run = create_toy(tmp_path, **SMALL)
    journal = Journal(run)
    with dispensable(journal, "tea"):
        raise MemoryError
    with pytest.raises(ValueError, match="another"), dispensable(journal, "tea"):
        raise ValueError("another")
    journal.close()
    (line,) = lines_of(run)
    assert line["text"] == "There was too little memory for tea. The run goes on without."


def test_steps_and_measures_that_do_not_fit_are_made_in_parts(tmp_path: Path) -> None:
    plain, cramped = (create_toy(tmp_path / name, **SMALL) for name in ("plain", "cramped"))
    train_here(plain)
    with in_hand(cramped) as training:
        for learning in (True, False):
            cramp(training, rows=2, learning=learning)
        end = ended(training)
    assert (end.state, end.steps) == ("finished", 6)
    assert losses(cramped) == pytest.approx(losses(plain), rel=1e-5)
    assert training.held_out.parts > 1
    for one, other in zip(of_kind(cramped, "eval"), of_kind(plain, "eval"), strict=True):
        assert one["valid_loss"] == pytest.approx(other["valid_loss"], rel=1e-5)
        assert one["error"] == pytest.approx(other["error"], rel=1e-3)


def test_a_row_that_does_not_fit_is_said_with_what_it_predicts() -> None:
    error, batch, cpu = MemoryError(), [[0, 1, 2, 3, 4], [0, 1]], torch.device("cpu")
    assert more_parts(error, 1, batch, cpu) == 2
    with pytest.raises(TooLittleMemory, match="one row of 4 tokens fits"):
        more_parts(error, 2, batch, cpu)
    with pytest.raises(ValueError, match="another"):
        more_parts(ValueError("another"), 1, batch, cpu)


@pytest.mark.parametrize("learning", [True, False], ids=["step", "measure"])
def test_where_nothing_fits_the_best_model_is_kept(tmp_path: Path, learning: bool) -> None:
    run = create_toy(tmp_path, **SMALL, eval_seconds=EVERY_TIME)
    with in_hand(run) as training:
        cramp(training, rows=0, learning=learning, from_step=4)
        end = ended(training)
        training.journal.end(end)
    assert (end.state, end.steps) == ("failed", 4)
    assert "This machine has too little memory" in end.reason
    assert "Not even one row" in end.reason
    assert "smaller base" in end.reason
    measured = {
        line["step"]: line["valid_loss"]
        for line in of_kind(run, "eval")
        if line["phase"] == "during"
    }
    best = min(measured, key=lambda step: measured[step])
    assert f"Its model is that of step {best}." in end.reason
    model, _ = load_model(run.model)
    assert all(bool(torch.isfinite(weight).all()) for weight in model.parameters())
    if learning:
        assert end.valid_loss_after == pytest.approx(measured[best], abs=0.02)
    else:
        assert "too little memory for the last measurement" in of_kind(run, "warning")[-1]["text"]
    assert checkpoint_folders(run.checkpoints)[-1].name == "step-0000004"
    lines = train_here(run, resume=True)
    assert next(line for line in lines if line["kind"] == "start")["resumed_from"] == 4
    assert (lines[-1]["state"], lines[-1]["steps"]) == ("finished", 6)


def test_an_optimiser_that_does_not_fit_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_toy(tmp_path, **SMALL)
    monkeypatch.setattr(torch.optim.AdamW, "_init_group", absurd)
    end = train_here(run)[-1]
    assert end["state"] == "failed"
    assert "What the optimiser keeps" in end["reason"]
    assert not run.model.exists()


def test_best_weights_that_do_not_fit_end_the_run_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_toy(tmp_path, **SMALL, eval_seconds=EVERY_TIME)
    monkeypatch.setattr("core.training.best.Best.look", absurd)
    end = train_here(run)[-1]
    assert end["state"] == "failed"
    assert "It ran out while training." in end["reason"]
    assert "Its model is that of step 1." in end["reason"]
    assert (run.model / "model.safetensors").is_file()


def test_what_a_run_can_do_without_is_left_out(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **SMALL)
    with in_hand(run) as training:

        def look(module: Any, args: Any, given: Any) -> None:
            if given.get("use_cache"):  # it writes
                absurd()

        training.model.register_forward_pre_hook(look, with_kwargs=True)
        end = ended(training)
    assert end.state == "finished"
    assert end.valid_loss_after is not None
    assert "for samples" in of_kind(run, "warning")[0]["text"]


def test_a_model_that_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    from torch.nn.modules.module import register_module_parameter_registration_hook

    run = create_toy(tmp_path, **SMALL)
    hook = register_module_parameter_registration_hook(absurd)
    try:
        end = train_here(run)[-1]
    finally:
        hook.remove()
    assert end["state"] == "failed"
    assert "It ran out while making ready." in end["reason"]
    assert "RuntimeError" not in end["reason"]


# ── computing twice what does not fit ────────────────────────────────────────────────────


def find_memory(monkeypatch: pytest.MonkeyPatch, there: int) -> None:
    """The machine has so many bytes for the run, with those that this process has already."""

    def found() -> Memory:
        return Memory(there - psutil.Process().memory_info().rss, there)

    monkeypatch.setattr("core.training.decide.machine_memory", found)


def need_of(run: Run) -> MemoryNeed:
    shape, settings = shape_of(resolve("scratch")), run.record().train_settings
    assert shape is not None
    assert settings is not None
    return memory_needed(shape, settings)


@pytest.mark.parametrize("shape", ["llama", "gpt2"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_layers_that_are_computed_twice_learn_the_same(method: str, shape: str) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    def learned(again: bool) -> tuple[list[float], list[torch.Tensor]]:
        torch.manual_seed(0)
        config = GPT2Config(n_embd=32, n_head=2, n_layer=2, vocab_size=64)
        model = new_model(64, 0) if shape == "llama" else GPT2LMHeadModel(config)
        if method == "lora":
            add_adapters(model.eval(), rank=4, alpha=8)
        weights = list(trainable(model.eval()).values())
        step = BatchStep(
            Scorer(model), torch.optim.AdamW(weights, lr=1e-2), weights,
            clip=1.0, device=torch.device("cpu"), dtype=torch.float32,
        )  # fmt: skip
        if again:
            assert recompute_layers(model)
            assert recompute_layers(model), "twice is once"
        batch = [[0, 5, 9, 0], [0, 7, 3, 8, 2, 4, 0], [0, 1, 0], [0, 2, 2, 0]]
        return [float(step(batch)[0]) for _ in range(5)], weights

    (once, weights), (twice, others) = learned(again=False), learned(again=True)
    assert twice == pytest.approx(once, rel=1e-5)
    assert once[-1] < once[0]
    for one, other in zip(weights, others, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_where_only_activations_do_not_fit_they_are_computed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, short = (create_toy(tmp_path / name, **SMALL) for name in ("plain", "short"))
    train_here(plain)
    with monkeypatch.context() as cramped:
        find_memory(cramped, need_of(short).total() - 1)
        train_here(short, StopAfter(short, 3))
    decided = short.record().decisions
    assert decided is not None
    assert decided.recompute
    assert "Memory is short" in of_kind(short, "note")[0]["text"]
    end = train_here(short, resume=True)[-1]
    decided = short.record().decisions
    assert decided is not None
    assert decided.recompute, "as it was decided at the start"
    assert end["state"] == "finished"
    assert losses(short) == pytest.approx(losses(plain), rel=1e-5)


def test_a_run_that_does_not_fit_now_is_refused_unless_it_is_to_start_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_toy(tmp_path, **SMALL)
    find_memory(monkeypatch, need_of(run).total() // 2)
    end = train_here(run)[-1]
    assert end["state"] == "failed"
    assert "This run needs about 0." in end["reason"]
    assert "add --now" in end["reason"]
    run.update_record(now=True)
    assert train_here(run, resume=True)[-1]["state"] == "finished"


def test_a_step_that_does_not_fit_at_all_is_tried_with_layers_computed_twice(
    tmp_path: Path,
) -> None:
    plain, short = (create_toy(tmp_path / name, **SMALL) for name in ("plain", "short"))
    train_here(plain)
    with in_hand(short) as training:

        def look(*_: Any) -> None:
            late = training.at.step >= 2 and torch.is_grad_enabled()
            if late and not training.decisions.recompute:
                absurd()

        training.model.base_model.register_forward_pre_hook(look)
        end = ended(training)
    assert (end.state, end.steps) == ("finished", 6)
    decided = short.record().decisions
    assert decided is not None
    assert decided.recompute
    assert losses(short) == pytest.approx(losses(plain), rel=1e-5)


def test_processes_on_a_machine_share_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.decide.machine_memory", lambda: Memory(8 * 10**9, 8 * 10**9))
    settings, cpu = settings_for("fast", "smollm2"), torch.device("cpu")
    alone, among = (Room(settings, None, cpu, torch.float32, size) for size in (1, 4))
    assert among.free == pytest.approx(alone.free / 4, rel=0.01)
