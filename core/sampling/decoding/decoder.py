"""The forward pass that samples are drawn with: Llama's and GPT-2's shapes over a cache made once.

The same logits as transformers' modules (to rounding), without what these do beside the products:
weights that meet the same input are one product, rotary positions are one complex product over
heads whose halves were interleaved beforehand, and no step copies the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import torch
from torch.nn import functional

from core.sampling.decoding.products import Product, head_product, product

Norm = Callable[[torch.Tensor], torch.Tensor]

# Attention covers a multiple of this many positions, so that its sums over a row's own positions
# have the same order however long the other rows are.
_POSITIONS: Final = 32
# Their angles do not depend on how long a text is.
_ROTARY: Final = ("default", "linear", "llama3", "yarn")


class Batch(Protocol):
    """Rows that continue one prompt, a token at a time; ``joins``: a row may begin at any time."""

    joins: bool

    def restart(self, slot: int) -> None:
        """Put the prompt alone in ``slot``; its logits are those of the prompt."""

    def keep(self, order: Sequence[int]) -> None:
        """From now on slot i is what was slot ``order[i]``, at least i; there are no others."""

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Logits (slots, vocabulary) in float32 after one more token for each slot."""


@dataclass(frozen=True)
class Prompt:
    """``logits`` (vocabulary,) in float32 after a prompt of so many tokens, and what it left."""

    tokens: int
    logits: torch.Tensor
    cache: Any


class Decoder(Protocol):
    """What an engine asks of a model."""

    def prompt(self, ids: Sequence[int]) -> Prompt: ...

    def batch(self, prompt: Prompt, slots: int, length: int) -> Batch:
        """``slots`` rows of at most ``length`` tokens, the prompt counted, all begun."""

    def score(self, ids: Sequence[int]) -> torch.Tensor:
        """Logits (tokens, vocabulary) in float32 after each of ``ids``."""


@dataclass(frozen=True)
class _Layer:
    attention_norm: Norm
    mix: Product  # to queries, keys and values, one after the other
    out: Product
    inner_norm: Norm
    up: Product
    act: Callable[[torch.Tensor], torch.Tensor]
    down: Product


class LeanDecoder:
    """A Llama or GPT-2 of transformers; ``fits`` tells which."""

    def __init__(self, model: Any, arithmetic: str, *, consume: bool = False) -> None:
        """``arithmetic`` as in ``core.sampling.decoding.products``; it computes where ``model`` is.

        ``consume``: the layers of ``model`` are given up, one after the other.
        """
        config = model.config
        self.heads = int(config.num_attention_heads)
        self.key_heads = int(getattr(config, "num_key_value_heads", None) or self.heads)
        self.width = int(
            getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        )
        self._positions: torch.Tensor | None = None
        self._angles: torch.Tensor | None = None
        self._scaling: float  # of the angles
        if config.model_type == "llama":
            self._embedding = model.model.embed_tokens.weight
            layers = _each(model.model.layers, consume)
            self._layers = [self._llama(layer, arithmetic) for layer in layers]
            self._norm = _rms(model.model.norm)
            self._angles = model.model.rotary_emb.inv_freq.float()
            self._scaling = float(model.model.rotary_emb.attention_scaling)
        else:
            self._embedding = model.transformer.wte.weight
            self._positions = model.transformer.wpe.weight
            layers = _each(model.transformer.h, consume)
            self._layers = [_gpt2(layer, arithmetic) for layer in layers]
            self._norm = _layer_norm(model.transformer.ln_f)
        self._head = head_product(model.lm_head.weight, model.lm_head.bias, arithmetic)
        self.device = self._embedding.device
        self.vocabulary = len(model.lm_head.weight)

    @staticmethod
    def fits(model: Any) -> bool:
        """Whether this module computes what ``model`` does."""
        config = model.config
        if config.model_type == "llama":
            rotary = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
            return config.hidden_act == "silu" and rotary in _ROTARY
        return (
            config.model_type == "gpt2"
            and config.activation_function in ("gelu_new", "gelu_pytorch_tanh")
            and config.scale_attn_weights
            and not config.scale_attn_by_inverse_layer_idx
            and not config.reorder_and_upcast_attn
            and not config.add_cross_attention
        )

    @torch.inference_mode()
    def prompt(self, ids: Sequence[int]) -> Prompt:
        hidden, cache = self._read(ids)
        return Prompt(len(ids), self._head(self._norm(hidden[-1:]))[0], cache)

    @torch.inference_mode()
    def score(self, ids: Sequence[int]) -> torch.Tensor:
        return self._head(self._norm(self._read(ids)[0]))

    @torch.inference_mode()
    def batch(self, prompt: Prompt, slots: int, length: int) -> LeanBatch:
        return LeanBatch(self, prompt, slots, length)

    def _read(self, ids: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states (tokens, width) and the cache (layers, tokens, keys and values)."""
        at = torch.arange(len(ids), device=self.device)
        kept: list[torch.Tensor] = []
        group = self.heads // self.key_heads

        def attend(query: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
            kept.append(both)
            keys, values = both.view(len(ids), 2, self.key_heads, self.width).unbind(1)
            made = functional.scaled_dot_product_attention(
                query.view(len(ids), self.heads, self.width).transpose(0, 1)[None],
                keys.repeat_interleave(group, 1).transpose(0, 1)[None],
                values.repeat_interleave(group, 1).transpose(0, 1)[None],
                is_causal=True,
            )
            return made.transpose(1, 2).reshape(len(ids), -1)

        hidden = self.forward(torch.tensor(list(ids), device=self.device), at, attend)
        return hidden, torch.stack(kept)

    def forward(
        self,
        ids: torch.Tensor,
        at: torch.Tensor,
        attend: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    ) -> torch.Tensor:
        """Hidden states (tokens, width) of ``ids`` at positions ``at``, before the last norm.

        ``attend`` gets queries (tokens, heads x width), keys and values (tokens, 2 x key heads x
        width) of each layer in turn, and gives what the queries see (tokens, heads x width).
        """
        x = functional.embedding(ids, self._embedding).float()
        turns = None
        if self._angles is not None:
            angles = at[:, None].float() * self._angles
            turns = torch.polar(torch.full_like(angles, self._scaling), angles)[:, None]
        if self._positions is not None:
            x = x + self._positions[at].float()
        queries = self.heads * self.width
        turned = queries + self.key_heads * self.width
        for layer in self._layers:
            mixed = layer.mix(layer.attention_norm(x))
            if turns is not None:
                pairs = mixed[:, :turned].view(len(ids), -1, self.width // 2, 2)
                torch.view_as_complex(pairs).mul_(turns)
            x = x + layer.out(attend(mixed[:, :queries], mixed[:, queries:]))
            x = x + layer.down(layer.act(layer.up(layer.inner_norm(x))))
        return x

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(tokens, vocabulary) in float32 of what ``forward`` gives."""
        return self._head(self._norm(hidden))

    def _llama(self, layer: Any, arithmetic: str) -> _Layer:
        attention, inner = layer.self_attn, layer.mlp

        def fused(
            turned: Sequence[Any], straight: Sequence[Any]
        ) -> tuple[torch.Tensor, torch.Tensor | None]:
            weights = [self._interleaved(part.weight) for part in turned]
            weights += [part.weight for part in straight]
            if straight[0].bias is None:
                return torch.cat(weights), None
            biases = [self._interleaved(part.bias) for part in turned]
            return torch.cat(weights), torch.cat(biases + [part.bias for part in straight])

        mix = fused([attention.q_proj, attention.k_proj], [attention.v_proj])
        up = fused([], [inner.gate_proj, inner.up_proj])
        return _Layer(
            _rms(layer.input_layernorm),
            product(*mix, arithmetic),
            product(attention.o_proj.weight, attention.o_proj.bias, arithmetic),
            _rms(layer.post_attention_layernorm),
            product(*up, arithmetic),
            _gated,
            product(inner.down_proj.weight, inner.down_proj.bias, arithmetic),
        )

    def _interleaved(self, weight: torch.Tensor) -> torch.Tensor:
        """Outputs of each head in the order 0, h, 1, h + 1 … where h is half its width."""
        halves = weight.view(-1, 2, self.width // 2, *weight.shape[1:])
        return halves.transpose(1, 2).reshape(weight.shape)


class LeanBatch:
    """The cache (layers, slots, positions, keys and values) and how far each slot is."""

    joins = True

    def __init__(self, decoder: LeanDecoder, prompt: Prompt, slots: int, length: int) -> None:
        self._decoder = decoder
        self._prompt = prompt
        layers, tokens, both = prompt.cache.shape
        length = -(-length // _POSITIONS) * _POSITIONS
        # Zeros and no other memory: what is masked is multiplied by 0, and must be a number.
        self._cache = prompt.cache.new_zeros(layers, slots, length, both)
        self._cache[:, :, :tokens] = prompt.cache[:, None]
        self._at = [tokens] * slots

    @torch.inference_mode()
    def restart(self, slot: int) -> None:
        self._cache[:, slot, : self._prompt.tokens] = self._prompt.cache
        self._at[slot] = self._prompt.tokens

    @torch.inference_mode()
    def keep(self, order: Sequence[int]) -> None:
        for slot, old in enumerate(order):
            if slot != old:
                self._cache[:, slot] = self._cache[:, old]
        self._cache = self._cache[:, : len(order)]
        self._at = [self._at[old] for old in order]

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        decoder, slots = self._decoder, len(tokens)
        length = self._cache.shape[2]
        # A spare slot may have come to the end; nobody reads what it gives.
        at = torch.tensor([min(place, length - 1) for place in self._at], device=decoder.device)
        filled = min(length, -(-(max(self._at) + 1) // _POSITIONS) * _POSITIONS)
        unseen = torch.arange(filled, device=decoder.device) > at[:, None]
        mask = torch.zeros(slots, 1, 1, filled, device=decoder.device)
        mask.masked_fill_(unseen[:, None, None], -torch.inf)
        places = torch.arange(slots, device=decoder.device)
        layers = iter(self._cache)
        shape = (slots, filled, 2, decoder.key_heads, decoder.width)

        def attend(query: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
            cache = next(layers)
            cache[places, at] = both
            keys, values = cache[:, :filled].view(shape).unbind(2)
            # The queries of one group of heads stand beside each other as its keys' queries.
            seen = functional.scaled_dot_product_attention(
                query.view(slots, decoder.key_heads, -1, decoder.width),
                keys.transpose(1, 2),
                values.transpose(1, 2),
                attn_mask=mask,
            )
            return seen.reshape(slots, -1)

        ids = torch.tensor(list(tokens), device=decoder.device)
        hidden = decoder.forward(ids, at, attend)
        self._at = [place + 1 for place in self._at]
        return decoder.logits(hidden)


def _each(layers: Any, consume: bool) -> Iterator[Any]:
    for place in range(len(layers)):
        yield layers[place]
        if consume:
            layers[place] = torch.nn.Identity()


def _rms(norm: Any) -> Norm:
    weight, inputs = norm.weight.float(), norm.weight.shape[0]
    eps = weight.new_tensor(norm.variance_epsilon)

    def normal(x: torch.Tensor) -> torch.Tensor:
        # a third of the time of ``rms_norm``, which is eight operations on a processor
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return (x * torch.addcmul(eps, length, length, value=1 / inputs).rsqrt_()).mul_(weight)

    return normal


def _layer_norm(norm: Any) -> Norm:
    weight, bias = norm.weight.float(), norm.bias.float()
    return lambda x: functional.layer_norm(x, weight.shape, weight, bias, norm.eps)


def _gated(x: torch.Tensor) -> torch.Tensor:
    gate, up = x.chunk(2, -1)
    return functional.silu(gate).mul_(up)


def _gelu(x: torch.Tensor) -> torch.Tensor:
    return functional.gelu(x, approximate="tanh")


def _gpt2(layer: Any, arithmetic: str) -> _Layer:
    def of(part: Any) -> Product:  # Conv1D keeps (inputs, outputs)
        return product(part.weight.T, part.bias, arithmetic)

    return _Layer(
        _layer_norm(layer.ln_1),
        of(layer.attn.c_attn),
        of(layer.attn.c_proj),
        _layer_norm(layer.ln_2),
        of(layer.mlp.c_fc),
        _gelu,
        of(layer.mlp.c_proj),
    )
