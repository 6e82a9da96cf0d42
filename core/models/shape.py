"""What a base is made of, as far as the memory to train it depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.models import smollm2
from core.models.catalogue import GPT2_SHAPE, SCRATCH, Base
from core.models.folder import parameters_in, read_config


@dataclass(frozen=True)
class Shape:
    """A transformer of ``layers`` alike, with a head of ``vocabulary`` by ``hidden``.

    ``queries``: width of the queries of a layer; ``keys`` of the keys, and of the values; ``inner``
    of its feed-forward part.
    ``gated``: whether that has three matrices, as Llama's, or two, as GPT-2's.
    """

    parameters: int
    hidden: int
    layers: int
    inner: int
    queries: int
    keys: int
    vocabulary: int
    gated: bool

    @property
    def matrix_parameters(self) -> int:
        """Of every linear layer but the head."""
        hidden, inner = self.hidden, self.inner
        attention = 2 * hidden * self.queries + 2 * hidden * self.keys
        return self.layers * (attention + (3 if self.gated else 2) * hidden * inner)

    def adapter_parameters(self, rank: int, layers: int) -> int:
        """Of adapters on every linear layer of so many transformer layers."""
        hidden, queries, keys, inner = self.hidden, self.queries, self.keys, self.inner
        if self.gated:
            sides = 2 * (hidden + queries) + 2 * (hidden + keys) + 3 * (hidden + inner)
        else:  # query, key and value are one matrix
            sides = (hidden + queries + 2 * keys) + (queries + hidden) + 2 * (hidden + inner)
        return layers * rank * sides


_SCRATCH = Shape(2_164_416, 192, 4, 512, 192, 192, 2048, gated=True)
_GPT2_SHAPE = Shape(87_415_296, 768, 12, 3072, 768, 768, 2048, gated=False)
_SMOLLM2 = Shape(smollm2.PARAMETERS, 576, smollm2.LAYERS, 1536, 576, 192, 49_152, gated=True)


def shape_of(base: Base) -> Shape | None:
    """The shape of ``base``, from its config.json; None where there is none yet, or it is unusual.

    Reads no weights, and needs no torch.
    """
    if base.folder is not None:
        return _of_folder(base.folder)
    if base.kind == "packaged":
        return _SMOLLM2
    return {SCRATCH: _SCRATCH, GPT2_SHAPE: _GPT2_SHAPE}.get(base.name)


def _of_folder(folder: Path) -> Shape | None:
    config, parameters = read_config(folder), parameters_in(folder)
    if config is None or parameters is None:
        return None
    hidden = _number(config, "hidden_size", "n_embd")
    layers = _number(config, "num_hidden_layers", "n_layer")
    heads = _number(config, "num_attention_heads", "n_head")
    vocabulary = _number(config, "vocab_size")
    if not (hidden and layers and heads and vocabulary):
        return None
    keys = _number(config, "num_key_value_heads") or heads
    width = _number(config, "head_dim") or hidden // heads
    inner = _number(config, "intermediate_size", "n_inner") or 4 * hidden
    gated = "silu" in str(config.get("hidden_act")) or "gelu_pytorch" in str(
        config.get("hidden_activation")
    )
    return Shape(parameters, hidden, layers, inner, heads * width, keys * width, vocabulary, gated)


def _number(config: dict[str, Any], *names: str) -> int | None:
    """The first of ``names`` that is a positive whole number."""
    found = (config.get(name) for name in names)
    return next((one for one in found if isinstance(one, int) and one > 0), None)
