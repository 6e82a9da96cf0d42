"""The frozen tweets of a run as token ids, and in which order each round shows them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from core.dataset.blend import classic_order, epoch_order
from core.errors import InputRefused
from core.models import scratch
from core.models.load import context_of, load_tokenizer, separator_of
from core.runs.folder import Run
from core.runs.settings import TrainSettings
from core.runs.shares import shares_of
from core.training.data import EpochPlan, prepare, rows_within
from core.tweet import unescaped


class RunTweets:
    """The frozen tweets of a run as token ids, and the order in which each round shows them.

    A round is an epoch; under the classic blend it is the whole training text, ``epochs_a_round``
    epochs in one. ``handles`` are the authors by number, and ``shares`` what an epoch is expected
    to show of each. ``answering`` is the form of what is answered, where the run learns answers.
    ``answered`` and ``answered_valid`` have, for each training and held-out tweet, the ids of the
    tweet that it answers, in the run's form; empty lists where it answers none. Both are empty
    where the run does not learn answers. ``has_entities``: whether a training tweet holds ``&amp;``
    or the like as it is written.
    """

    def __init__(self, run: Run, settings: TrainSettings, folder: Path | None) -> None:
        # the only use that training makes of Polars
        from core.dataset.frozen import known_answered, load_frozen

        frozen = load_frozen(run.dataset)
        texts = frozen.train["text"].to_list()
        if not texts:
            raise InputRefused("There is nothing to learn from.", "No tweet was left to train on.")
        self.train_texts: list[str] = texts
        self.has_entities = any(unescaped(text) != text for text in texts)
        self.valid_texts: list[str] = frozen.valid["text"].to_list()
        written_by: list[str] = frozen.train["handle"].to_list()
        self.handles: list[str] = sorted(set(written_by))
        number = {handle: author for author, handle in enumerate(self.handles)}
        self._authors = [number[handle] for handle in written_by]
        self._weights = frozen.manifest.weights
        answered = [known_answered(part) for part in (frozen.train, frozen.valid)]
        self.tokenizer = (
            load_tokenizer(folder)
            if folder is not None
            else scratch.train_tokenizer([*texts, *filter(None, answered[0])])
        )
        self.separator = separator_of(self.tokenizer)
        self.context = context_of(folder) if folder is not None else scratch.CONTEXT
        self.row_tokens = rows_within(self.context, settings.row_tokens)
        record = run.record()
        self.answering = record.answering if settings.answers else None
        self.answered, self.answered_valid = (self._ids_of(part) for part in answered)
        self.train, self.valid = (
            prepare(
                part,
                self.tokenizer,
                separator=self.separator,
                row_tokens=self.row_tokens,
                answered=before,
            )
            for part, before in (
                (self.train_texts, self.answered),
                (self.valid_texts, self.answered_valid),
            )
        )
        self._settings = settings
        self._named = record.handles
        tokens: Counter[str] = Counter()
        chars: Counter[str] = Counter()
        for handle, text, count in zip(written_by, texts, self.train.tokens, strict=True):
            tokens[handle] += count
            chars[handle] += len(text)
        self.shares = shares_of(tokens, chars, settings, self._weights)
        classic = settings.blend == "classic"
        self.epochs_a_round = math.ceil(settings.epochs) if classic else 1
        self.epoch_tokens = (
            sum(self.train.tokens[tweet] for tweet in self.order(0)) // self.epochs_a_round
        )

    def _ids_of(self, answered: Sequence[str | None]) -> list[list[int]]:
        """In the form of the run; nothing where it learns no answers."""
        form = self.answering
        if form is None or not answered:
            return []
        encoded = self._encode([form.text(tweet) if tweet else "" for tweet in answered])
        return [
            ids if len(ids) <= form.most_tokens
            else form.ids(tweet or "", lambda text: self._encode([text])[0])
            for tweet, ids in zip(answered, encoded, strict=True)
        ]  # fmt: skip

    def _encode(self, texts: list[str]) -> list[list[int]]:
        encoded = self.tokenizer(texts, add_special_tokens=False, split_special_tokens=True)
        return list(encoded["input_ids"])

    def plan(self, batch_tokens: int) -> EpochPlan:
        """How a round becomes batches."""
        settings = self._settings
        return EpochPlan(
            self.train,
            settings.seed,
            batch_tokens,
            self.row_tokens,
            settings.packing,
            authors=self._authors,
            whole_blocks=settings.blend == "classic",
        )

    def order(self, turn: int) -> list[int]:
        """Numbers of tweets, in the order of round number ``turn``."""
        if self._settings.blend == "classic":
            return self._classic_order
        order: list[int] = epoch_order(
            self.handles,
            np.asarray(self._authors),
            np.asarray(self.train.tokens),
            seed=self._settings.seed,
            epoch=turn,
            weights=self._weights,
        ).tolist()
        return order

    @cached_property
    def _classic_order(self) -> list[int]:
        """All epochs, as huggingtweets had them: accounts as they were named, each newest first
        before it is shuffled, which is how X's timeline gave them.
        """
        rows: dict[str, list[int]] = {handle: [] for handle in self._named}
        for row, author in enumerate(self._authors):
            rows.setdefault(self.handles[author], []).append(row)
        accounts = [list(reversed(own)) for own in rows.values()]
        order = classic_order(
            [[len(self.train_texts[row]) for row in own] for own in accounts],
            self._settings.seed,
            self.epochs_a_round,
        )
        flat = [row for own in accounts for row in own]
        return [flat[tweet] for tweet in order]

    def new_model(self) -> Any:
        """For a base that has no weights: random ones, of torch's own seed."""
        return scratch.model_of(self._settings.base, len(self.tokenizer), self.separator)
