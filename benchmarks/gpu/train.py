"""Training: tokens a second of our step, eager, compiled and as CUDA graphs; memory; resume."""

from __future__ import annotations

import importlib.util
import random
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.gpu.report import Figures, Report, Skip, of_peak
from benchmarks.gpu.shapes import SMALL, Shape, equal_rows, only_cuda, shapes, tweets
from core.models.four_bit import count_parameters, load_four_bit
from core.models.load import cast_weights
from core.runs.settings import TrainSettings
from core.training.adapter import add_adapters, layers_of, trainable
from core.training.checkpoint import load_state, save_state
from core.training.data import Row, batches, tensors
from core.training.device import in_arithmetic
from core.training.loss import Scorer
from core.training.step import BatchStep

METHODS = ("full", "lora")
FOUR_BIT = "lora, 4 bits"
RANK = 64


class Learner:
    """A model as a run has it at its first step."""

    def __init__(self, report: Report, shape: Shape, method: str, *, batch_tokens: int = 0) -> None:
        torch.manual_seed(1)
        lora = method in ("lora", FOUR_BIT)
        self.report = report
        self.model = cast_weights(
            packed(report, shape) if method == FOUR_BIT else shape.model(report.device),
            report.dtype if lora else torch.float32,
        )
        self.parameters = count_parameters(self.model)
        below = 0
        if lora:
            layers = layers_of(self.model)
            upper = TrainSettings(base="").adapted_layers(len(layers))
            below = sum(count_parameters(layer) for layer in layers[: len(layers) - upper])
            add_adapters(
                self.model, rank=RANK, alpha=RANK, layers=upper,
                autocast=report.dtype != torch.float32,
            )  # fmt: skip
        self.weights = list(trainable(self.model).values())
        trained = sum(weight.numel() for weight in self.weights)
        # forward through every weight, and backward to the activations but in the layers below
        # the lowest adapter; backward to those that learn. Source: Kaplan et al. 2020, arXiv
        # 2001.08361, 2.1; attention is not counted
        passed = 4.0 * self.parameters - 2.0 * below
        self.operations_a_token = passed + (6.0 if lora else 2.0) * trained
        with in_arithmetic(report.device, report.dtype):
            self.score = Scorer(self.model)
        self.optimizer = torch.optim.AdamW(self.weights, lr=1e-4, fused=True)
        self.step = BatchStep(
            self.score,
            self.optimizer,
            self.weights,
            clip=1.0,
            device=report.device,
            dtype=report.dtype,
            batch_tokens=batch_tokens,
        )

    def figures(self, tokens_a_step: float, seconds_a_step: float) -> Figures:
        rate = tokens_a_step / seconds_a_step
        found: Figures = {
            "tokens_per_second": round(rate, 1),
            "seconds_a_step": round(seconds_a_step, 6),
            "share_of_peak": of_peak(rate * self.operations_a_token, self.report),
        }
        if self.report.on_cuda:
            found["peak_memory"] = torch.cuda.max_memory_allocated(self.report.device)
        return found


def packed(report: Report, shape: Shape) -> Any:
    """The model of that shape in 4 bits, as a run loads it from the files of a base."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise Skip("bitsandbytes is not installed")
    with TemporaryDirectory() as folder:
        shape.model(torch.device("cpu")).to(torch.bfloat16).save_pretrained(folder)
        return load_four_bit(Path(folder), device=report.device, dtype=report.dtype)[0].eval()


def _fresh(report: Report) -> None:
    if report.on_cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(report.device)


def eager(report: Report, shape: Shape, method: str, batch_tokens: int) -> Figures:
    """Rows as long as tweets are, in the batches of a run; its padding is not counted."""
    _fresh(report)
    learner = Learner(report, shape, method, batch_tokens=batch_tokens)
    rows = tweets(4 * batch_tokens // 30 + 1, shape.vocabulary)
    work = batches(rows, batch_tokens, random.Random(1))
    for batch in work:  # each shape once
        learner.step(batch)
    report.wait()
    tokens, steps, began = 0, 0, time.perf_counter()
    while time.perf_counter() - began < report.seconds or not steps:
        for batch in work:
            learner.step(batch)
            tokens += sum(len(row) - 1 for row in batch)
        steps += len(work)
        report.wait()
    took = time.perf_counter() - began
    full = batch_tokens if report.on_cuda else 0
    padded = sum(tensors(batch, "cpu", batch_tokens=full)[0].numel() for batch in work)
    real = sum(len(row) - 1 for row in rows)
    found = learner.figures(tokens / steps, took / steps)
    return found | {"padding": round(1 - real / padded, 4), "parts": learner.step.parts}


def compiled(report: Report, shape: Shape, method: str, batch_tokens: int) -> Figures:
    """The body of the model compiled, on rows of one shape. Off CUDA it is only traced."""
    _fresh(report)
    learner = Learner(report, shape, method)
    batch = equal_rows(batch_tokens, shape.vocabulary)
    backend = "inductor" if report.on_cuda else "eager"
    plain, _ = learner.step(batch)
    learner = Learner(report, shape, method)
    learner.model.base_model.compile(backend=backend, dynamic=False)
    began = time.perf_counter()
    loss, _ = learner.step(batch)
    report.wait()
    first = time.perf_counter() - began
    found = learner.figures(
        sum(len(row) - 1 for row in batch), report.seconds_each(lambda: learner.step(batch))
    )
    gap = abs(float(loss) / float(plain) - 1)
    return found | {"backend": backend, "first_step": round(first, 2), "loss_gap": gap}


def one_shape(report: Report, shape: Shape, method: str, batch_tokens: int) -> Figures:
    """Eager on the rows of `compiled` and `graph`, to compare them with."""
    _fresh(report)
    learner = Learner(report, shape, method)
    batch = equal_rows(batch_tokens, shape.vocabulary)
    took = report.seconds_each(lambda: learner.step(batch))
    return learner.figures(sum(len(row) - 1 for row in batch), took)


def graph(report: Report, shape: Shape, method: str, batch_tokens: int) -> Figures:
    """A whole step, update and all, in one CUDA graph.

    Source: PyTorch's notes on CUDA, "Whole-network capture": warm up on a side stream, then
    capture with gradients that are None, so that a replay writes them anew.
    """
    only_cuda(report, "a CUDA graph")
    _fresh(report)
    batch = equal_rows(batch_tokens, shape.vocabulary)
    plain, _ = Learner(report, shape, method).step(batch)
    learner = Learner(report, shape, method)
    rate = torch.tensor(1e-4, device=report.device)
    optimizer = torch.optim.AdamW(learner.weights, lr=rate, fused=True, capturable=True)
    inputs, targets = tensors(batch, report.device)
    tokens = sum(len(row) - 1 for row in batch)

    def step() -> torch.Tensor:
        with in_arithmetic(report.device, report.dtype):
            loss = learner.score(inputs, targets)
        (loss / tokens).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learner.weights, 1.0)
        optimizer.step()
        return loss.detach()

    side = torch.cuda.Stream(report.device)
    side.wait_stream(torch.cuda.current_stream(report.device))
    first = None
    with torch.cuda.stream(side):
        for _ in range(3):
            optimizer.zero_grad(set_to_none=True)
            loss = step()
            first = float(loss) if first is None else first
    torch.cuda.current_stream(report.device).wait_stream(side)
    began = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        loss = step()
    report.wait()
    capture = time.perf_counter() - began
    took = report.seconds_each(captured.replay)
    before = float(loss)
    for _ in range(5):
        captured.replay()
    found = learner.figures(tokens, took)
    return found | {
        "capture": round(capture, 3),
        "loss_gap": abs((first or 0.0) / float(plain) - 1),
        "learns": float(loss) <= before,
    }


def training(report: Report) -> None:
    """Every rung of training: first what a run does, by batch size, then what else there is."""
    small = report.small
    kinds: list[tuple[str, Callable[..., Figures], tuple[int, ...], float]] = [
        ("eager", eager, (256,) if small else (4096, 1024, 16384), 0.0),
        ("eager, one shape", one_shape, (256,) if small else (4096, 16384, 65536), 0.0),
        ("graph", graph, (256,) if small else (4096, 16384), 0.0),
        ("compiled", compiled, (256,) if small else (4096,), 90.0 if report.on_cuda else 0.0),
    ]
    for kind, work, tokens, needs in kinds:
        for batch_tokens in tokens:
            for shape in shapes(report):
                eager_llama = kind == "eager" and shape.family == "llama"
                for method in (*METHODS, FOUR_BIT) if eager_llama else METHODS:
                    if small and kind == "compiled" and (shape, method) != (SMALL[1], "lora"):
                        continue  # tracing takes most of the time there is
                    report.rung(
                        f"train/{shape.name}/{method}/{kind}/{batch_tokens}",
                        lambda w=work, s=shape, m=method, b=batch_tokens: w(report, s, m, b),  # type: ignore[misc]
                        needs=needs,
                    )


# ── memory ───────────────────────────────────────────────────────────────────────────────


class Cramped(Scorer):
    """A device on which only so many rows fit, for where memory cannot be limited."""

    room = 4

    def __call__(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if len(inputs) > self.room:
            raise torch.OutOfMemoryError("only so many rows fit")
        return super().__call__(inputs, targets)


def out_of_memory(report: Report) -> None:
    """A step in less and less memory: in how many parts it is made, and that it is the same."""
    shape = shapes(report)[0]
    batch = equal_rows(1024 if report.small else 16384, shape.vocabulary)

    def begun() -> Learner:
        """With the optimiser's state in memory."""
        learner = Learner(report, shape, "full")
        learner.step(batch[:1])
        return learner

    def whole() -> tuple[float, float, int]:
        _fresh(report)
        learner = begun()
        held = torch.cuda.memory_allocated(report.device) if report.on_cuda else 0
        loss, norm = learner.step(batch)
        peak = torch.cuda.max_memory_allocated(report.device) if report.on_cuda else 0
        return float(loss), float(norm), peak - held

    def cramped(share: float) -> Figures:
        *expected, wanted = whole()
        _fresh(report)
        learner = begun()
        if report.on_cuda:
            torch.cuda.empty_cache()
            total = torch.cuda.get_device_properties(report.device).total_memory
            room = torch.cuda.memory_reserved(report.device) + share * wanted
            torch.cuda.set_per_process_memory_fraction(min(1.0, room / total), report.device)
        else:
            learner.step._score = Cramped(learner.model)
            Cramped.room = max(1, int(len(batch) * share))
        try:
            loss, norm = learner.step(batch)
            found = float(loss), float(norm)
        finally:
            if report.on_cuda:
                torch.cuda.set_per_process_memory_fraction(1.0, report.device)
        return {
            "parts": learner.step.parts,
            "simulated": not report.on_cuda,
            "loss_gap": abs(found[0] / expected[0] - 1),
            "norm_gap": abs(found[1] / expected[1] - 1),
        }

    for share in (0.5, 0.2):
        report.rung(f"memory/{share:.0%} of what a batch wants", lambda s=share: cramped(s))  # type: ignore[misc]


# ── resume ───────────────────────────────────────────────────────────────────────────────


def resume(report: Report) -> None:
    """A run of eight steps beside one that is left after four and taken up by a new model."""
    for shape in shapes(report):
        for method in METHODS:
            name = f"resume/{shape.name}/{method}"
            report.rung(name, lambda s=shape, m=method: _resumed(report, s, m))  # type: ignore[misc]


def _resumed(report: Report, shape: Shape, method: str) -> Figures:
    tokens = 256 if report.small else 2048
    work = batches(tweets(tokens // 3, shape.vocabulary), tokens, random.Random(1))[:8]
    if len(work) < 8:
        work = (work * 8)[:8]

    def steps(learner: Learner, part: list[list[Row]]) -> list[float]:
        return [float(learner.step(batch)[0]) for batch in part]

    def learner() -> Learner:
        return Learner(report, shape, method, batch_tokens=tokens)

    undisturbed = learner()
    expected = steps(undisturbed, work)
    again = steps(learner(), work)
    left = learner()
    found = steps(left, work[:4])
    with TemporaryDirectory() as made:
        began = time.perf_counter()
        save_state(Path(made), left.model, left.optimizer)
        saving = time.perf_counter() - began
        taken_up = learner()
        began = time.perf_counter()
        load_state(Path(made), taken_up.model, taken_up.optimizer)
        loading = time.perf_counter() - began
    found += steps(taken_up, work[4:])
    pairs = list(zip(undisturbed.weights, taken_up.weights, strict=True))
    return {
        "equal": found == expected and all(torch.equal(a, b) for a, b in pairs),
        "repeats": again == expected,
        "largest_gap": max(float((a - b).detach().abs().max()) for a, b in pairs),
        "save_seconds": round(saving, 3),
        "load_seconds": round(loading, 3),
    }
