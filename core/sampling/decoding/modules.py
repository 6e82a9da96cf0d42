"""Decoding with a module of transformers, for the shapes that ``decoder`` does not know."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from core.sampling.decoding.decoder import Prompt


class ModuleDecoder:
    """Any causal language model. Its rows begin together, because their cache has one length."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.device = model.device

    @torch.inference_mode()
    def prompt(self, ids: Sequence[int]) -> Prompt:
        cache = DynamicCache(config=self._model.config)
        return Prompt(len(ids), self.logits(torch.tensor([list(ids)]), cache)[0], cache)

    @torch.inference_mode()
    def score(self, ids: Sequence[int]) -> torch.Tensor:
        asked = torch.tensor([list(ids)], device=self.device)
        logits: torch.Tensor = self._model(input_ids=asked).logits[0]
        return logits.float()

    @torch.inference_mode()
    def batch(self, prompt: Prompt, slots: int, length: int) -> ModuleBatch:
        cache = copy.deepcopy(prompt.cache)
        cache.batch_repeat_interleave(slots)
        return ModuleBatch(self, cache)

    @torch.inference_mode()
    def logits(self, ids: torch.Tensor, cache: Any) -> torch.Tensor:
        """Logits (rows, vocabulary) after the last of ``ids`` (rows, new tokens)."""
        output = self._model(
            input_ids=ids.to(self.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: torch.Tensor = output.logits[:, -1]
        return logits.float()


class ModuleBatch:
    joins = False

    def __init__(self, decoder: ModuleDecoder, cache: Any) -> None:
        self._decoder = decoder
        self._cache = cache

    def restart(self, slot: int) -> None:
        raise RuntimeError("the rows of this model begin together")

    @torch.inference_mode()
    def keep(self, order: Sequence[int]) -> None:
        self._cache.batch_select_indices(torch.tensor(order, device=self._decoder.device))

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        return self._decoder.logits(torch.tensor(list(tokens))[:, None], self._cache)
