"""The models, with random weights, the rows that stand for tweets, and what a GPU could do."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.gpu.report import Report, Skip
from core.training.data import Row

# Dense bfloat16, in TFLOP/s, without sparsity, by what the device calls itself. Source: NVIDIA's
# data sheets of each (H200, H100 PCIe and SXM, GH200, B200, A100, L40S, L4, A10, RTX 4090 and 3090,
# V100: its float16), which give twice these for most, with sparsity.
PEAKS = {
    "B200": 2250, "GH200": 989, "H200": 989, "H100 PCIe": 756, "H100 NVL": 835, "H100": 989,
    "A100": 312, "L40S": 362, "L40": 181, "L4": 121, "A10G": 70, "A10": 125, "A6000": 155,
    "RTX 5090": 209, "RTX 4090": 165, "RTX 3090": 71, "V100": 125,
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A model to measure: ``family`` is gpt2 or llama; the weights are random."""

    name: str
    family: str
    width: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    context: int

    def model(self, device: torch.device) -> Any:
        """In float32, in eval mode; made there, which for a large one is faster than moving it."""
        with torch.device(device):
            return self._model().eval()

    def _model(self) -> Any:
        if self.family == "gpt2":
            from transformers import GPT2Config, GPT2LMHeadModel

            config = GPT2Config(
                vocab_size=self.vocabulary,
                n_embd=self.width,
                n_layer=self.layers,
                n_head=self.heads,
                n_positions=self.context,
                # as core.models.load has it: the same function in one operation
                activation_function="gelu_pytorch_tanh",
                bos_token_id=0,
                eos_token_id=0,
            )
            return GPT2LMHeadModel(config)
        from transformers import LlamaConfig, LlamaForCausalLM

        llama = LlamaConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            intermediate_size=self.inner,
            max_position_embeddings=self.context,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
        )
        return LlamaForCausalLM(llama)


GPT2 = Shape("gpt2", "gpt2", 768, 12, 12, 12, 3072, 50257, 1024)
SMOLLM2 = Shape("smollm2", "llama", 576, 30, 9, 3, 1536, 49152, 2048)
SMALL = (
    Shape("small-gpt2", "gpt2", 48, 2, 3, 3, 192, 512, 128),
    Shape("small-llama", "llama", 48, 2, 3, 1, 128, 512, 128),
)


def shapes(report: Report) -> tuple[Shape, ...]:
    """What a GPU measures, or two small ones that any processor gets through."""
    return SMALL if report.small else (GPT2, SMOLLM2)


def tweets(count: int, vocabulary: int, seed: int = 1) -> list[Row]:
    """Random ids in rows as long as tweets are: 6 to 70 tokens, around 30."""
    rng = random.Random(seed)
    lengths = (min(70, max(6, round(rng.gauss(30, 14)))) for _ in range(count))
    return [[rng.randrange(1, vocabulary) for _ in range(length + 1)] for length in lengths]


def equal_rows(tokens: int, vocabulary: int, width: int = 64) -> list[Row]:
    """Rows of ``width`` predicted ids, without padding."""
    rng = random.Random(1)
    count = max(1, tokens // width)
    return [[rng.randrange(1, vocabulary) for _ in range(width + 1)] for _ in range(count)]


def listed_peak(name: str) -> float | None:
    """Operations a second of dense bfloat16 by the name of a device; None for one not in PEAKS."""
    for part, tera in PEAKS.items():
        if all(word in name.replace("-", " ").split() for word in part.split()):
            return tera * 1e12
    return None


def measured_peak(report: Report, dtype: torch.dtype) -> float:
    """Operations a second of the best of some large products."""
    best = 0.0
    for size in (128, 512) if report.small else (4096, 8192):
        left = torch.randn(size, size, device=report.device).to(dtype)
        right = torch.randn(size, size, device=report.device).to(dtype)
        took = report.seconds_each(lambda a=left, b=right: a @ b)  # type: ignore[misc]
        best = max(best, 2.0 * size**3 / took)
    return best


def only_cuda(report: Report, what: str) -> None:
    """Raises Skip elsewhere."""
    if not report.on_cuda:
        raise Skip(f"{what} is for CUDA devices")
