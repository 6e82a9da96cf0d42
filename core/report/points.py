"""What a run's model is compared with: its base, unseen tweets, a parrot, and impostors."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from core.dataset.frozen import load_frozen
from core.home import Home
from core.report.impostors import find_impostors
from core.runs.folder import Run


@dataclass(frozen=True)
class RealTexts:
    """The real texts of a report; all of them as the run's recipe cleaned them.

    train, train_ids   what the model learned from, and the ids of these tweets
    held_out           the authors' own tweets that it never saw, in a seeded order
    parrot             training tweets drawn at random: a model that only copies
    to_learn           the rest of ``train``, for a classifier, in a seeded order
    impostors          tweets by others
    impostors_to_learn more of them, for a classifier
    """

    authors: list[str]
    train: list[str]
    train_ids: list[str]
    held_out: list[str]
    parrot: list[str]
    to_learn: list[str]
    impostors: list[str]
    impostors_to_learn: list[str]
    impostor_handles: list[str]
    bundled_impostors: bool


def real_texts(home: Home, run: Run, n: int, seed: int) -> RealTexts:
    """Raises InputRefused where the run's frozen tweets are gone or changed; CorpusBusy."""
    frozen = load_frozen(run.dataset)
    train, held_out = frozen.train["text"].to_list(), frozen.valid["text"].to_list()
    authors = sorted({*frozen.train["handle"].to_list(), *run.record().handles})
    order = _shuffled(range(len(train)), seed, "parrot")
    given_back = min(n, len(train) // 4)  # a classifier learns from the rest
    own = [*train, *held_out]
    others = find_impostors(home, frozen.manifest.recipe, authors, own, seed)
    scored = min(n, len(others.texts) // 3)
    return RealTexts(
        authors=authors,
        train=train,
        train_ids=[str(tweet) for tweet in frozen.train["tweet_id"].to_list()],
        held_out=[held_out[at] for at in _shuffled(range(len(held_out)), seed, "held out")],
        parrot=[train[at] for at in order[:given_back]],
        to_learn=[train[at] for at in order[given_back:]],
        impostors=others.texts[:scored],
        impostors_to_learn=others.texts[scored:],
        impostor_handles=others.handles,
        bundled_impostors=others.bundled,
    )


def _shuffled(places: Sequence[int], seed: int, purpose: str) -> list[int]:
    rng = random.Random(f"{seed}/{purpose}")  # noqa: S311 - repeatable on purpose
    return rng.sample(places, len(places))
