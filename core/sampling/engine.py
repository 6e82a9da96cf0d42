"""Many samples at once from one prompt: rows join and leave a batch that is decoded together.

A row that has ended leaves, and its slot is given to the next sample, or to one that is drawn
again. Every row has random numbers of its own, and the number of rows in a product is always a
multiple of a fixed size, because the last digits of a row depend on how many rows are left over: so
a sample depends on the seed and its index, to the bit, and not on how many were asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from core.errors import InputRefused, MynahError
from core.models.answering import Answering, not_learned
from core.sampling.decoding.banned import BannedWords
from core.sampling.decoding.decoder import Batch, Prompt
from core.sampling.decoding.draw import penalised, standing
from core.sampling.decoding.loading import Loaded, load
from core.sampling.language import Language
from core.sampling.request import (
    Copy,
    Deltas,
    Done,
    Restarted,
    SampleRequest,
    Stopped,
    TokenProbability,
)
from core.sampling.rows import CheckCopy, Row, drawn
from core.sampling.text_stream import TextStream

_MOST_ROWS: Final = 64
_CACHE_BYTES: Final = 2**30
# Products on a processor treat rows in fours, and the rows left over in another order of sums.
_ROW_GROUP: Final = 4

EngineEvent = Deltas | Restarted | Done


def unchecked(text: str, prompt: str) -> Copy:
    """The copy check of a model whose training tweets are not at hand."""
    return Copy("unchecked", 0, None)


class Engine:
    """A loaded model that writes samples. Not thread-safe: one request at a time.

    ``tokens_drawn`` counts every token since the engine was made, kept or thrown away.
    """

    def __init__(
        self,
        loaded: Loaded,
        language: Language,
        *,
        lines: bool,
        unescape: bool,
        answering: Answering | None,
    ) -> None:
        self._answering = answering
        self.unescape = unescape
        self.loaded = loaded
        self.language = language
        self.tokens_drawn = 0
        self.lines = lines
        self.never = torch.tensor(
            language.banned(loaded.vocabulary), dtype=torch.long, device=loaded.device
        )

    @classmethod
    def of(
        cls,
        model_dir: Path,
        device: str = "auto",
        arithmetic: str = "auto",
        *,
        lines: bool = False,
        unescape: bool = False,
        answering: Answering | None = None,
    ) -> Engine:
        """Loads a model folder; raises InputRefused as ``load`` does.

        ``lines``: the model learned tweets with their line breaks, so a text does not end at one.
        ``unescape``: it learned from no tweet with ``&amp;`` and the like, so these are not kept.
        ``answering``: how it learned answers; None: it did not.
        """
        loaded, language = load(model_dir, device, arithmetic), Language(model_dir)
        return cls(loaded, language, lines=lines, unescape=unescape, answering=answering)

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
        Raises InputRefused for a prompt that fills the model's context, and for a tweet to answer
        where answers were not learned.
        """
        request = request.seeded()
        if not self.lines:
            request = replace(request, prompt=request.prompt.replace("\n", " "))
        prompt_ids = self.language.prompt_ids(request.prompt)
        mark, *typed = prompt_ids
        read_ids = [mark, *self._answered_ids(request), *typed]
        room = self._room(read_ids, request)
        if stopping():
            return
        running = _Running(self, request, prompt_ids, read_ids, room)
        while running.join():
            if request.prompt and running.joined:
                yield Deltas([(row.index, request.prompt) for row in running.joined])
            if stopping():
                running.stop()
                deltas = []
            else:
                deltas = running.draw()
            ended = running.ended
            deltas += [(row.index, rest) for row, _ in ended if (rest := row.stream.flush())]
            if deltas:
                yield Deltas(deltas)
            for row, stopped in ended:
                event = row.close(stopped, check)
                if isinstance(event, Restarted):
                    running.waiting.appendleft((row.index, row.redrawn + 1))
                if event is not None:
                    yield event
            running.forward()

    def _answered_ids(self, request: SampleRequest) -> list[int]:
        """What stands between the mark and the prompt, as it was learned."""
        if not request.reply_to:
            return []
        if self._answering is None:
            raise not_learned("This model")
        return self._answering.ids(request.reply_to, self.language.encode)

    # ── limits ───────────────────────────────────────────────────────────────────────────

    def _room(self, prompt_ids: list[int], request: SampleRequest) -> int:
        """How many tokens a sample may have: what was asked for, within the model's context."""
        context = self.loaded.context
        if len(prompt_ids) >= context:
            raise InputRefused(
                f"The prompt is {len(prompt_ids) - 1:,} tokens long.",
                f"The model reads {context:,} at most.",
                "Give the first words of a tweet.",
            )
        return min(request.max_tokens, context - len(prompt_ids))

    def rows_at_once(self, length: int) -> int:
        """As many rows of ``length`` tokens as a gigabyte of cache holds, within reason."""
        row = self.loaded.cache_bytes * length
        return max(1, min(_MOST_ROWS, _CACHE_BYTES // row) // _ROW_GROUP) * _ROW_GROUP


class _Running:
    """A request while it is served: the slots of the batch, and who waits for one.

    ``joined`` and ``ended`` are the rows that began and ended in this step. ``prompt_ids`` begin
    the text of each; ``read_ids`` are what the model reads first, which is those and perhaps a
    tweet that is answered.
    """

    def __init__(
        self,
        engine: Engine,
        request: SampleRequest,
        prompt_ids: list[int],
        read_ids: list[int],
        room: int,
    ) -> None:
        self._engine = engine
        self._request = request
        self._prompt_ids = prompt_ids
        self._read_ids = read_ids
        self._room = room
        self._most = engine.rows_at_once(len(read_ids) + room)
        # Which product a GPU chooses depends on the number of rows, so there it never changes;
        # decoding there waits for memory and launches, and not for rows.
        self._group = _ROW_GROUP if engine.loaded.device.type == "cpu" else self._most
        self._banned = BannedWords(request.banned)
        self._prompt: Prompt = engine.loaded.decoder.prompt(read_ids)
        self._batch: Batch | None = None
        self._slots: list[Row | None] = []
        self._logits = self._prompt.logits
        self._drawn: list[int] = []
        self.waiting = deque((index, 0) for index in range(request.n))
        self.joined: list[Row] = []
        self.ended: list[tuple[Row, Stopped]] = []

    @torch.inference_mode()
    def join(self) -> bool:
        """Gives free slots to those who wait; whether any row is there to go on."""
        self.joined, self.ended = [], []
        if self.waiting and not any(self._slots):
            slots = min(self._most, self._padded(len(self.waiting)))
            length = len(self._read_ids) + self._room
            self._batch = self._engine.loaded.decoder.batch(self._prompt, slots, length)
            self._slots = [self._next() if self.waiting else None for _ in range(slots)]
            self._logits = self._prompt.logits.repeat(slots, 1)
        elif self.waiting and self._batch is not None and self._batch.joins:
            for slot, row in enumerate(self._slots):
                if row is None and self.waiting:
                    self._slots[slot] = self._next()
                    self._batch.restart(slot)
                    self._logits[slot] = self._prompt.logits
        return any(self._slots)

    def _next(self) -> Row:
        index, redrawn = self.waiting.popleft()
        ends = self._request.stops if self._engine.lines else ("\n", *self._request.stops)
        engine = self._engine
        stream = TextStream(
            engine.language.decode, self._prompt_ids, ends=ends, unescape=engine.unescape
        )
        row = Row(self._request, index, redrawn, stream, [*self._read_ids])
        self.joined.append(row)
        return row

    def stop(self) -> None:
        """Ends every row with what it has, and takes no more."""
        self.ended = [(row, "stopped") for row in self._slots if row is not None]
        self._slots = []
        self.waiting.clear()

    @torch.inference_mode()
    def draw(self) -> list[tuple[int, str]]:
        """One token for every row, (index, text) of those whose text grew; some rows end."""
        engine, request = self._engine, self._request
        self._drawn = self._tokens()
        if request.probabilities:
            ids = torch.tensor(self._drawn, device=self._logits.device)
            probabilities, ranks = standing(self._logits, ids)
        deltas: list[tuple[int, str]] = []
        for slot, row in enumerate(self._slots):
            if row is None:
                continue
            token = self._drawn[slot]
            engine.tokens_drawn += 1
            end: Stopped | None = "eos"
            if token not in engine.language.stops:
                text = row.push(token)
                if text:
                    deltas.append((row.index, text))
                if request.probabilities:
                    row.probabilities.append(
                        TokenProbability(text, round(probabilities[slot], 6), ranks[slot])
                    )
                end = row.ended(self._room)
            if end is not None:
                self.ended.append((row, end))
                self._slots[slot] = None
        return deltas

    def _tokens(self) -> list[int]:
        """A token for each slot, those without a row included."""
        request, device = self._request, self._logits.device
        uniforms = torch.tensor(
            [0.0 if row is None else row.uniform for row in self._slots],
            dtype=torch.float64,
            device=device,
        )
        logits = self._logits
        if request.probabilities:  # which are those before anything is forbidden
            logits = logits.clone()
        logits.index_fill_(-1, self._engine.never, -torch.inf)
        if not bool(torch.isfinite(logits.amax(-1)).all()):
            raise MynahError(
                "The model gives no numbers to choose a word by.",
                "Its weights have run out of range, most likely because training diverged.",
                "Train again with a lower learning rate, or sample an earlier run.",
            )
        if request.repetition_penalty != 1:
            spare = self._read_ids
            seen = [spare if row is None else row.ids for row in self._slots]
            logits = penalised(logits, seen, request.repetition_penalty)
        tokens = [int(token) for token in drawn(logits, uniforms, request).tolist()]
        if self._banned:
            stops = self._engine.language.stops
            for slot, row in enumerate(self._slots):
                if row is not None:
                    tokens[slot] = row.allowed(tokens[slot], logits[slot], self._banned, stops)
        return tokens

    def forward(self) -> None:
        """Reads the drawn tokens; gives up slots that nobody waits for, a group at a time."""
        taken = sum(row is not None for row in self._slots)
        if self._batch is None or not taken:
            return
        if not (self.waiting and self._batch.joins):
            self._shrink(self._padded(taken))
        self._logits = self._batch.step(self._drawn)

    def _shrink(self, wanted: int) -> None:
        if wanted >= len(self._slots) or self._batch is None:
            return
        order = list(range(wanted))
        free = [slot for slot in order if self._slots[slot] is None]
        for slot in range(wanted, len(self._slots)):
            if self._slots[slot] is not None:
                order[free.pop()] = slot
        self._batch.keep(order)
        self._slots = [self._slots[slot] for slot in order]
        self._drawn = [self._drawn[slot] for slot in order]

    def _padded(self, rows: int) -> int:
        """The number of slots for ``rows``: the next multiple of the group."""
        return -(-rows // self._group) * self._group
