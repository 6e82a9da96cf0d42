"""The frozen tweets of a run, as a model reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.dataset import epoch_order, load_frozen
from core.errors import InputRefused
from core.models import scratch
from core.models.load import load_tokenizer, separator_of
from core.training.rows import prepare
from core.training.run import Run
from core.training.settings import TrainSettings


class RunTweets:
    """The frozen tweets of a run as token ids, and the order in which each epoch shows them."""

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
        self._seed = settings.seed
        self.epoch_tokens = sum(self.train.tokens[tweet] for tweet in self.order(0))

    def order(self, epoch: int) -> list[int]:
        """Numbers of tweets, in the order of epoch number ``epoch``."""
        return epoch_order(
            self._frozen.train,
            seed=self._seed,
            epoch=epoch,
            weights=self._frozen.manifest.weights,
            token_counts=self.train.tokens,
        )

    def new_model(self) -> Any:
        return scratch.new_model(len(self.tokenizer), self.separator)
