"""Many samples at once from one prompt: a decoding loop with a key-value cache.

Rows that have ended leave the batch, cache and all. Every row has random numbers of its own, and
the number of rows in a product is always a multiple of a fixed size, because the last digits of a
row depend on how many rows are left over: so a sample depends on the seed and its index, to the
bit, and not on how many were asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from transformers import DynamicCache

from core.errors import InputRefused, MynahError
from core.sampling.banned import BannedWords
from core.sampling.draw import draw, penalised, standing
from core.sampling.language import Language
from core.sampling.loading import Loaded, load
from core.sampling.request import (
    Copy,
    Deltas,
    Done,
    Restarted,
    Sample,
    SampleRequest,
    Stopped,
    TokenProbability,
)
from core.sampling.text_stream import TextStream

MOST_REDRAWS = 5
_MOST_ROWS = 64
_CACHE_BYTES = 2**30
# Products on a processor treat rows in fours, and the rows left over in another order of sums.
_ROW_GROUP = 4

CheckCopy = Callable[[str, str], Copy]
EngineEvent = Deltas | Restarted | Done


def _padded(rows: int, group: int) -> int:
    """The number of slots for ``rows``: the next multiple of ``group``."""
    return -(-rows // group) * group


def unchecked(text: str, prompt: str) -> Copy:
    """The copy check of a model whose training tweets are not at hand."""
    return Copy("unchecked", 0, None)


def _drawn(logits: torch.Tensor, uniforms: torch.Tensor, request: SampleRequest) -> torch.Tensor:
    """Token ids (rows,) by the knobs of ``request``."""
    return draw(
        logits,
        uniforms,
        temperature=request.temperature,
        top_k=request.top_k,
        top_p=request.top_p,
        min_p=request.min_p,
    )


@dataclass
class _Row:
    index: int
    redrawn: int
    uniforms: np.ndarray[Any, np.dtype[np.float64]]
    stream: TextStream
    ids: list[int]  # of the prompt and of what was generated
    tokens: int = 0
    probabilities: list[TokenProbability] = field(default_factory=list)


@dataclass
class _Batch:
    """What is decoded at once: ``slots`` of the cache, some without a row that still grows, and the
    logits (slots, vocabulary) to draw from."""

    slots: list[_Row | None]
    cache: Any
    logits: torch.Tensor
    group: int
    banned: BannedWords
    ended: list[tuple[_Row, Stopped]] = field(default_factory=list)

    @property
    def rows(self) -> list[_Row]:
        """The rows that still grow, in the order of their slots."""
        return [row for row in self.slots if row is not None]


class Engine:
    """A loaded model that writes samples. Not thread-safe: one request at a time.

    ``tokens_drawn`` counts every token since the engine was made, kept or thrown away.
    """

    def __init__(self, loaded: Loaded, language: Language, *, lines: bool = False) -> None:
        self._model = loaded.model
        self._device = loaded.device
        self.loaded = loaded
        self.language = language
        self.tokens_drawn = 0
        self._lines = lines
        vocabulary = loaded.model.get_output_embeddings().weight.shape[0]
        self._banned = torch.tensor(
            language.banned(vocabulary), dtype=torch.long, device=loaded.device
        )

    @classmethod
    def of(
        cls, model_dir: Path, device: str = "auto", dtype: str = "auto", *, lines: bool = False
    ) -> Engine:
        """Loads a model folder; raises InputRefused as ``load`` does.

        ``lines``: the model learned tweets with their line breaks, so a text does not end at one.
        """
        return cls(load(model_dir, device, dtype), Language(model_dir), lines=lines)

    def generate(
        self,
        request: SampleRequest,
        *,
        check: CheckCopy = unchecked,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[EngineEvent]:
        """Samples as they grow; every sample ends with one Done, in the order they end.

        ``check(text, prompt)`` judges a finished text. A verbatim copy (unless allowed) and a text
        that adds nothing to the prompt are drawn again, at most MOST_REDRAWS times; what is still
        so then is given as it is. When ``stopping()`` turns true, samples that have begun are
        given with what they have, and the others not at all.
        Raises InputRefused for a prompt that fills the model's context.
        """
        request = request.seeded()
        prompt_ids = self.language.prompt_ids(request.prompt)
        room = self._room(prompt_ids, request)
        rows_at_once = self._rows_at_once(len(prompt_ids) + room)
        waiting = deque((index, 0) for index in range(request.n))
        while waiting and not stopping():
            count = min(rows_at_once, len(waiting))
            rows = [self._row(request, prompt_ids, *waiting.popleft()) for _ in range(count)]
            if request.prompt:
                yield Deltas([(row.index, request.prompt) for row in rows])
            batch = self._begin(rows, prompt_ids, rows_at_once, BannedWords(request.banned))
            while batch.rows:
                if stopping():
                    batch.ended = [(row, "stopped") for row in batch.rows]
                    batch.slots = []
                    deltas = []
                else:
                    deltas = self._step(batch, request, room)
                deltas += [(r.index, rest) for r, _ in batch.ended if (rest := r.stream.flush())]
                if deltas:
                    yield Deltas(deltas)
                for row, stopped in batch.ended:
                    event = self._close(row, stopped, request, check)
                    if isinstance(event, Restarted):
                        waiting.append((row.index, row.redrawn + 1))
                    if event is not None:
                        yield event
                batch.ended = []

    # ── one row ──────────────────────────────────────────────────────────────────────────

    def _row(self, request: SampleRequest, prompt_ids: list[int], index: int, redrawn: int) -> _Row:
        random = np.random.default_rng([request.seed or 0, index, redrawn])
        ends = request.stops if self._lines else ("\n", *request.stops)
        stream = TextStream(self.language.decode, prompt_ids, ends=ends)
        return _Row(index, redrawn, random.random(request.max_tokens), stream, [*prompt_ids])

    def _close(
        self, row: _Row, stopped: Stopped, request: SampleRequest, check: CheckCopy
    ) -> Done | Restarted | None:
        """What becomes of a row that has ended; None for one stopped before it said anything."""
        empty = not row.stream.text.strip()
        if empty and stopped == "stopped":
            return None
        text = (request.prompt + row.stream.text).strip()
        copy = check(text, request.prompt)
        again = stopped != "stopped" and request.temperature > 0 and row.redrawn < MOST_REDRAWS
        reason: Literal["empty", "copy"] | None = None
        if empty:
            reason = "empty"
        elif copy.verdict == "verbatim" and not request.allow_copies:
            reason = "copy"
        if again and reason:
            return Restarted(row.index, reason)
        return Done(
            Sample(
                index=row.index,
                seed=request.seed or 0,
                prompt=request.prompt,
                text=text,
                tokens=row.tokens,
                stopped=stopped,
                copy=copy,
                redrawn=row.redrawn,
                probabilities=tuple(row.probabilities),
            )
        )

    # ── the batch ────────────────────────────────────────────────────────────────────────

    @torch.inference_mode()
    def _begin(
        self, rows: list[_Row], prompt_ids: list[int], rows_at_once: int, banned: BannedWords
    ) -> _Batch:
        """Reads the prompt once, then gives every row a copy of what it left in the cache."""
        cache = DynamicCache(config=self._model.config)
        logits = self._forward(torch.tensor([prompt_ids]), cache)
        # Which product a GPU chooses depends on the number of rows, so there it never changes;
        # decoding there waits for memory and launches, and not for rows.
        group = _ROW_GROUP if self._device.type == "cpu" else rows_at_once
        slots = _padded(len(rows), group)
        cache.batch_repeat_interleave(slots)
        spare: list[_Row | None] = [None] * (slots - len(rows))
        return _Batch([*rows, *spare], cache, logits.expand(slots, -1), group, banned)

    @torch.inference_mode()
    def _step(self, batch: _Batch, request: SampleRequest, room: int) -> list[tuple[int, str]]:
        """One token for every row; rows that end with it move to ``ended``."""
        drawn = self._draw(batch, request)
        if request.probabilities:
            probabilities, ranks = standing(batch.logits, torch.tensor(drawn, device=self._device))
        deltas: list[tuple[int, str]] = []
        for slot, row in enumerate(batch.slots):
            if row is None:
                continue
            token = drawn[slot]
            self.tokens_drawn += 1
            if token in self.language.stops:
                batch.ended.append((row, "eos"))
                batch.slots[slot] = None
                continue
            row.tokens += 1
            row.ids.append(token)
            text = row.stream.push(token)
            if text:
                deltas.append((row.index, text))
            if request.probabilities:
                row.probabilities.append(
                    TokenProbability(text, round(probabilities[slot], 6), ranks[slot])
                )
            end = row.stream.ended_by
            if end is not None or row.tokens == room:
                how: Stopped = "length" if end is None else "newline"
                batch.ended.append((row, "stop_word" if end in request.stops else how))
                batch.slots[slot] = None
        if batch.rows:
            drawn = self._without_spare_slots(batch, drawn)
            batch.logits = self._forward(torch.tensor(drawn)[:, None], batch.cache)
        return deltas

    def _without_spare_slots(self, batch: _Batch, drawn: list[int]) -> list[int]:
        """Gives up slots without a row, a group at a time; the tokens of those that stay."""
        taken = [slot for slot, row in enumerate(batch.slots) if row is not None]
        wanted = _padded(len(taken), batch.group)
        if wanted == len(batch.slots):
            return drawn
        spare = [slot for slot, row in enumerate(batch.slots) if row is None]
        kept = sorted(taken + spare[: wanted - len(taken)])
        batch.slots = [batch.slots[slot] for slot in kept]
        batch.cache.batch_select_indices(torch.tensor(kept, device=self._device))
        return [drawn[slot] for slot in kept]

    def _draw(self, batch: _Batch, request: SampleRequest) -> list[int]:
        uniforms = torch.tensor(
            [0.0 if row is None else row.uniforms[row.tokens] for row in batch.slots],
            dtype=torch.float64,
            device=self._device,
        )
        logits = batch.logits.float().index_fill(-1, self._banned, -torch.inf)
        if not bool(torch.isfinite(logits.amax(-1)).all()):
            raise MynahError(
                "The model gives no numbers to choose a word by.",
                "Its weights have run out of range, most likely because training diverged.",
                "Train again with a lower learning rate, or sample an earlier run.",
            )
        if request.repetition_penalty != 1:
            seen = [[self.language.separator] if row is None else row.ids for row in batch.slots]
            logits = penalised(logits, seen, request.repetition_penalty)
        drawn = [int(token) for token in _drawn(logits, uniforms, request).tolist()]
        if batch.banned:
            for slot, row in enumerate(batch.slots):
                if row is not None:
                    drawn[slot] = self._allowed(row, drawn[slot], logits[slot], batch, request)
        return drawn

    def _allowed(
        self, row: _Row, token: int, logits: torch.Tensor, batch: _Batch, request: SampleRequest
    ) -> int:
        """``token``, or another of ``logits`` (vocabulary,) when it completes a banned word.

        Drawn with fresh numbers from all tokens but those refused, which is the distribution given
        that the token is allowed. The fresh numbers depend on seed, index and place alone.
        """
        fresh: np.random.Generator | None = None
        while token not in self.language.stops:
            before, piece = row.stream.peek(token)
            if not batch.banned.completed_by(request.prompt + before, piece):
                break
            if fresh is None:
                fresh = np.random.default_rng(
                    [request.seed or 0, row.index, row.redrawn, row.tokens]
                )
                logits = logits.clone()
            logits[token] = -torch.inf
            uniform = torch.tensor([fresh.random()], dtype=torch.float64, device=logits.device)
            token = int(_drawn(logits[None], uniform, request)[0])
        return token

    def _forward(self, ids: torch.Tensor, cache: Any) -> torch.Tensor:
        """Logits (rows, vocabulary) after the last of ``ids`` (rows, new tokens)."""
        output = self._model(
            input_ids=ids.to(self._device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    # ── limits ───────────────────────────────────────────────────────────────────────────

    def _room(self, prompt_ids: list[int], request: SampleRequest) -> int:
        """How many tokens a sample may have: what was asked for, within the model's context."""
        config = self._model.config.get_text_config()
        context = int(getattr(config, "max_position_embeddings", 2**31))
        if len(prompt_ids) >= context:
            raise InputRefused(
                f"The prompt is {len(prompt_ids) - 1:,} tokens long.",
                f"The model reads {context:,} at most.",
                "Give the first words of a tweet.",
            )
        return min(request.max_tokens, context - len(prompt_ids))

    def _rows_at_once(self, length: int) -> int:
        """As many rows as a gigabyte of cache holds, within reason."""
        config = self._model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or (
            config.hidden_size // config.num_attention_heads
        )
        size = torch.finfo(self.loaded.dtype).bits // 8
        row = int(2 * config.num_hidden_layers * heads * width * size * length)
        return max(1, min(_MOST_ROWS, _CACHE_BYTES // row) // _ROW_GROUP * _ROW_GROUP)
