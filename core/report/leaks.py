"""The leak: which training tweets can be told from unseen ones, and which can be got out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from core.curation.reasons import LEAKED
from core.report.intervals import Estimate, auc, share
from core.report.likelihood import GivenBack, TextNats, units
from core.report.measures import Measure
from core.report.reading import Reader
from core.report.stored import recall, remembered, texts_hash
from core.runs.folder import Run

if TYPE_CHECKING:
    import polars as pl

# A tweet is asked for with a third of its words, but not with fewer than this.
_FEWEST_GIVEN: Final = 3
# A shorter rest is said by anybody.
_FEWEST_ASKED: Final = 4
# Training tweets of the membership test: an interval about 0.11 wide, with as many held-out ones.
# They begin with those that the tuned model reads for its loss anyway.
MOST_MEMBERS: Final = 200
# Held-out tweets that are read.
MOST_HELD_OUT: Final = 300
_FILE: Final = "leaks"


@dataclass(frozen=True)
class Leak:
    """A training tweet of which ``back`` of ``words`` came back, given the words before them."""

    tweet_id: str
    words: int
    back: int

    @property
    def extracted(self) -> bool:
        return self.back == self.words


@dataclass(frozen=True)
class Leaks:
    """``found``: training tweets of which half or more came back, the most first. ``asked`` is how
    many were long enough to be tried, ``unseen`` what came back of held-out tweets.
    """

    found: list[Leak]
    asked: int
    unseen: list[GivenBack]


def beginning_and_rest(text: str) -> tuple[str, str] | None:
    """The first third of the words of ``text`` and what follows; None where that is too little.

    The rest begins with the space between the two. In scripts without spaces characters take the
    place of words, and two of them that of one in the least numbers.
    """
    said = units(text)
    scale = 1 if len(said) == len(text.split()) else 2
    given = max(scale * _FEWEST_GIVEN, -(-len(said) // 3))
    if len(said) - given < scale * _FEWEST_ASKED:
        return None
    at = 0
    for word in said[:given]:
        at = text.index(word, at) + len(word)
    return text[:at], text[at:]


def find_leaks(
    run: Run,
    reader: Reader,
    train: Sequence[str],
    train_ids: Sequence[str],
    held_out: Sequence[str],
) -> Leaks:
    """Asks for every training tweet that is long enough, and for held-out ones to compare with."""

    def ask() -> dict[str, Any]:
        pairs = [(at, pair) for at, text in enumerate(train) if (pair := beginning_and_rest(text))]
        back = reader.given_back([pair for _, pair in pairs])
        found = [
            Leak(train_ids[at], one.words, one.back)
            for (at, _), one in zip(pairs, back, strict=True)
            if one.words and 2 * one.back >= one.words
        ]
        found.sort(key=lambda leak: (not leak.extracted, -leak.back, leak.tweet_id))
        others = [pair for text in held_out if (pair := beginning_and_rest(text))]
        return {
            "found": [asdict(leak) for leak in found],
            "asked": sum(bool(one.words) for one in back),
            "unseen": [asdict(one) for one in reader.given_back(others)],
        }

    inputs = {"model": reader.model.hash, "texts": texts_hash([*train, *held_out])}
    kept: Leaks = remembered(run, _FILE, inputs, ask, Leaks)
    return kept


def leaked_ids(run: Run) -> list[str]:
    """The training tweets that the last ``mynah report RUN --leaks`` got out word for word: those
    to leave out of the next dataset. Empty where nobody looked.
    """
    kept = recall(run, _FILE, Leaks)
    found = [] if kept is None else kept[1].found
    return [leak.tweet_id for leak in found if leak.extracted]


def without_leaked(
    batches: Iterable[pl.DataFrame], tweet_ids: Collection[str]
) -> Iterator[pl.DataFrame]:
    """Curated batches in which these tweets are dropped, for the reason LEAKED."""
    import polars as pl

    for batch in batches:
        leaked = pl.col("kept") & pl.col("tweet_id").is_in(list(tweet_ids))
        yield batch.with_columns(
            kept=pl.col("kept") & ~leaked,
            reason=pl.when(leaked).then(pl.lit(LEAKED)).otherwise("reason"),
        )


def membership(
    members: Sequence[tuple[TextNats, TextNats]], others: Sequence[tuple[TextNats, TextNats]]
) -> Estimate:
    """The AUC of "tuning made it likelier" as a test of membership; pairs are (base, tuned).

    The score is the fall in nats a token. Source: Carlini et al. 2022, arXiv 2112.03570, with the
    base as the one reference model.
    """
    sides = [
        [(base.nats - tuned.nats) / tuned.tokens for base, tuned in side]
        for side in (members, others)
    ]
    return auc(*sides)


def of_leaks(leaks: Leaks, members: Estimate | None) -> list[Measure]:
    """The measures; ``members`` is what `membership` gave, None where there is no base."""
    whole = sum(leak.extracted for leak in leaks.found)
    points = {
        "tuned": share([True] * whole + [False] * (leaks.asked - whole)),
        "held_out": share([one.extracted for one in leaks.unseen if one.words]),
    }
    tweets = {"tweets": [asdict(leak) for leak in leaks.found]}
    made = [Measure("extracted", "come back whole", "leak", "share", points, tweets)]
    if members is not None:
        of = {"tuned": members, "chance": Estimate(0.5, members.n)}
        made.append(Measure("membership_auc", "membership, AUC", "leak", "number", of))
    return made
