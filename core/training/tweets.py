"""The frozen tweets of a run, as a model reads them."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Any

from core.dataset.blend import epoch_order
from core.dataset.classic import classic_order
from core.dataset.freeze import load_frozen
from core.errors import InputRefused
from core.models import scratch
from core.models.load import load_tokenizer, separator_of
from core.runs.folder import Run
from core.runs.settings import TrainSettings
from core.runs.shares import frozen_shares
from core.training.rows import EpochPlan, prepare


class RunTweets:
    """The frozen tweets of a run as token ids, and the order in which each round shows them.

    A round is an epoch; under the classic blend it is the whole training text, ``epochs_a_round``
    epochs in one. ``handles`` are the authors by number, and ``shares`` what an epoch is expected
    to show of each.
    """

    def __init__(self, run: Run, settings: TrainSettings, folder: Path | None) -> None:
        frozen = load_frozen(run.dataset)
        texts = frozen.train["text"].to_list()
        if not texts:
            raise InputRefused("There is nothing to learn from.", "No tweet was left to train on.")
        self.tokenizer = (
            load_tokenizer(folder) if folder is not None else scratch.train_tokenizer(texts)
        )
        self.separator = separator_of(self.tokenizer)
        self.train, self.valid = (
            prepare(
                part,
                self.tokenizer,
                separator=self.separator,
                row_tokens=settings.row_tokens,
            )
            for part in (texts, frozen.valid["text"].to_list())
        )
        self._frozen = frozen
        self._settings = settings
        self._named = [str(handle) for handle in run.record().get("handles") or []]
        self.handles: list[str] = frozen.train["handle"].unique().sort().to_list()
        self.shares = frozen_shares(
            frozen.train,
            settings,
            weights=frozen.manifest.weights,
            token_counts=self.train.tokens,
        )
        classic = settings.blend == "classic"
        self.epochs_a_round = math.ceil(settings.epochs) if classic else 1
        self.epoch_tokens = (
            sum(self.train.tokens[tweet] for tweet in self.order(0)) // self.epochs_a_round
        )

    def plan(self, batch_tokens: int) -> EpochPlan:
        """How a round becomes batches."""
        number = {handle: author for author, handle in enumerate(self.handles)}
        settings = self._settings
        return EpochPlan(
            self.train,
            settings.seed,
            batch_tokens,
            settings.row_tokens,
            settings.packing,
            authors=[number[handle] for handle in self._frozen.train["handle"]],
            whole_blocks=settings.blend == "classic",
        )

    def order(self, turn: int) -> list[int]:
        """Numbers of tweets, in the order of round number ``turn``."""
        if self._settings.blend == "classic":
            return self._classic_order
        order: list[int] = epoch_order(
            self._frozen.train,
            seed=self._settings.seed,
            epoch=turn,
            weights=self._frozen.manifest.weights,
            token_counts=self.train.tokens,
        ).tolist()
        return order

    @cached_property
    def _classic_order(self) -> list[int]:
        """All epochs, as huggingtweets had them: accounts as they were named, each newest first
        before it is shuffled, which is how X's timeline gave them.
        """
        rows: dict[str, list[int]] = {handle: [] for handle in self._named}
        for row, handle in enumerate(self._frozen.train["handle"]):
            rows.setdefault(handle, []).append(row)
        accounts = [list(reversed(own)) for own in rows.values()]
        chars = self._frozen.train["text"].str.len_chars().to_list()
        order = classic_order(
            [[chars[row] for row in own] for own in accounts],
            self._settings.seed,
            self.epochs_a_round,
        )
        flat = [row for own in accounts for row in own]
        return [flat[tweet] for tweet in order]

    def new_model(self) -> Any:
        return scratch.new_model(len(self.tokenizer), self.separator)
