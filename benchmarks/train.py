"""Our training loop against a plain one, side by side: `python -m benchmarks.train`.

Each rung trains the same tweets on the same model for a few seconds; what is printed is the ratio
of tokens a second to the first rung, because ratios survive a busy machine and absolute figures do
not. The rungs take turns, several times, and the best turn of each counts. The plain loop is what
most people would write, and huggingtweets did: one stream cut into blocks of 1,024 tokens, one a
step, the model's own loss over all logits, dropout as the model declares it, float32.

    python -m benchmarks.train --base smollm2
    python -m benchmarks.train --base gpt2-shape --device cuda --compile

All rungs keep freed memory, as mynah's training does on Linux (`core.training.device.set_up`); a
plain loop by itself does not, and is a tenth slower or more.

"of the floor": the time that the bare matrix products of a step take here, each at its own shape,
of the time that the step takes. Nothing is faster that computes the same.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch

from benchmarks.gpu.shapes import tweets
from core.models.catalogue import resolve
from core.models.load import load_model
from core.models.prepare import prepare
from core.runs.settings import TrainSettings
from core.training.adapter import add_adapters, layers_of, trainable
from core.training.data import Row, batches, cut
from core.training.device import arithmetic, choose_device, device_name, in_arithmetic, set_up
from core.training.loss import Scorer
from core.training.step import BatchStep

Step = Callable[[Sequence[Row]], Any]
BLOCK = 1023  # and the id that is read before the first predicted one: 1,024


def model_for(base: str) -> Any:
    """The model of ``base`` in float32; ``gpt2-shape`` is GPT-2's with random weights."""
    if base == "gpt2-shape":
        from core.models.scratch import gpt2_shape

        return gpt2_shape(50257, 50256)
    folder = prepare(resolve(base), print)
    if folder is None:
        from core.models.scratch import VOCABULARY, new_model

        return new_model(VOCABULARY, 0)
    return load_model(folder)[0]


def plain_step(model: Any, device: torch.device) -> Step:
    """The model's own loss on whole blocks, with its dropout, in float32."""
    model.to(device).train()
    weights = list(trainable(model).values())
    optimizer = torch.optim.AdamW(weights, lr=1e-5)

    def step(batch: Sequence[Row]) -> None:
        ids = torch.tensor(batch, device=device)
        model(input_ids=ids, labels=ids).loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def our_step(
    model: Any,
    device: torch.device,
    dtype: torch.dtype,
    *,
    method: str,
    compiled: bool,
) -> Step:
    """The step of core.training, with ``method`` and in ``dtype``."""
    lora = method == "lora"
    model.to(device, dtype if lora else torch.float32).eval()
    if lora:
        shipped = TrainSettings(base="")
        add_adapters(
            model,
            rank=shipped.lora_rank,
            alpha=shipped.lora_alpha,
            layers=shipped.adapted_layers(len(layers_of(model))),
            autocast=dtype != torch.float32,
        )
    weights = list(trainable(model).values())
    optimizer = torch.optim.AdamW(weights, lr=1e-5, fused=True)
    with in_arithmetic(device, dtype):
        score = Scorer(model)
    if compiled:
        score = torch.compile(score)
    return BatchStep(score, optimizer, weights, clip=1.0, device=device, dtype=dtype)


def floor(model: Any, tokens: int, *, method: str, seconds: float) -> float:
    """Tokens a second of nothing but the float32 products of a step of ``tokens`` tokens.

    For a weight of ``out`` by ``in`` forward is one product, the gradient of its input another,
    and that of the weight, where it learns, a third. An adapter of rank r adds three pairs of
    products with r columns. The head is one of the weights, and has no adapter. It is the floor of
    adapters on every layer: the step that ships has them on the upper ones, and can be above it.
    """
    rank = TrainSettings(base="").lora_rank
    head = model.get_output_embeddings().weight.shape
    body = Counter(
        tuple(weight.shape)
        for name, weight in model.named_parameters()
        if weight.ndim == 2 and weight is not model.get_output_embeddings().weight
        and "wte" not in name and "wpe" not in name and "embed" not in name
    )  # fmt: skip
    products: Counter[tuple[int, int, int]] = Counter()
    for (rows, columns), count in [*body.items(), (tuple(head), 1)]:
        products[tokens, columns, rows] += count
        products[tokens, rows, columns] += count
        if method == "full":
            products[rows, tokens, columns] += count
        elif (rows, columns) != tuple(head):
            for one, other in ((rows, columns), (columns, rows)):
                products[tokens, one, rank] += count  # down: A of x, B' of the gradient
                products[tokens, rank, other] += count  # and up again
                products[one, tokens, rank] += count  # what A and B learn
    each = seconds / len(products)
    total = 0.0
    for (one, inner, other), count in products.items():
        left, right = torch.randn(one, inner), torch.randn(inner, other)
        left @ right
        times, began = 0, time.perf_counter()
        while times == 0 or time.perf_counter() - began < each:
            left @ right
            times += 1
        total += count * (time.perf_counter() - began) / times
    return tokens / total


def tokens_per_second(
    step: Step, work: list[list[Row]], device: torch.device, seconds: float
) -> float:
    """Real tokens (no padding) a second over about ``seconds``; at least one step."""
    tokens, began = 0, time.perf_counter()
    for batch in work:
        step(batch)
        tokens += sum(len(row) - 1 for row in batch)
        if time.perf_counter() - began > seconds:
            break
    if device.type == "cuda":
        torch.cuda.synchronize()
    return tokens / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="scratch", help="scratch, smollm2, gpt2-shape, an id")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each rung and turn")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--batch-tokens", type=int, default=0, help="0: 256 on a CPU, 4096 else")
    parser.add_argument("--compile", action="store_true", help="one more rung; its start is long")
    given = parser.parse_args()

    device = choose_device(given.device)
    set_up(device)
    torch.manual_seed(1)
    rng = random.Random(1)
    dtype = arithmetic(device)
    batch_tokens = given.batch_tokens or (256 if device.type == "cpu" else 4096)
    vocabulary = model_for(given.base).config.vocab_size
    rows = tweets(4000, vocabulary)
    ours = batches(rows, batch_tokens, rng)
    stream = [token for row in rows for token in row]
    blocks = [[row] for row in cut(stream, BLOCK) if len(row) == BLOCK + 1]

    def rung(method: str, kind: torch.dtype, compiled: bool = False) -> Step:
        model = model_for(given.base)
        return our_step(model, device, kind, method=method, compiled=compiled)

    rungs: dict[str, tuple[Step, list[list[Row]]]] = {
        "plain loop, blocks, float32": (plain_step(model_for(given.base), device), blocks),
        "ours, every weight, float32": (rung("full", torch.float32), ours),
        "ours, LoRA, float32": (rung("lora", torch.float32), ours),
    }
    if dtype != torch.float32:
        rungs["ours, every weight, bfloat16"] = (rung("full", dtype), ours)
        rungs["ours, LoRA, bfloat16"] = (rung("lora", dtype), ours)
    if given.compile:
        rungs["ours, LoRA, compiled"] = (rung("lora", dtype, compiled=True), ours)

    best = dict.fromkeys(rungs, 0.0)
    for step, work in rungs.values():
        tokens_per_second(step, work[:2], device, given.seconds)  # warm up
    for _ in range(given.turns):
        for name, (step, work) in rungs.items():
            best[name] = max(best[name], tokens_per_second(step, work, device, given.seconds))
    first = next(iter(best.values()))
    print(f"{given.base} on {device_name(device)}, chosen here: {str(dtype).split('.')[1]}")
    floors = {}
    if device.type == "cpu":
        model = model_for(given.base)
        mean = round(sum(sum(len(row) - 1 for row in batch) for batch in ours) / len(ours))
        for method, name in (("full", "every weight"), ("lora", "LoRA")):
            floors[f"ours, {name}, float32"] = floor(
                model, mean, method=method, seconds=given.seconds
            )
    for name, rate in best.items():
        share = f", {rate / floors[name]:.2f} of the floor" if name in floors else ""
        print(f"  {name:32} {rate / first:6.2f} times  ({rate:,.0f} tokens/s in this run{share})")


if __name__ == "__main__":
    main()
