"""What the tweets of an account are like: lengths, months, hours, words, kinds.

Everything is counted from curated tweets, a batch at a time, so that it takes as little memory for
millions of tweets as for a hundred. The words and hours are those of the tweets that are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import log
from typing import TYPE_CHECKING, Any, Final

from core.curation.reasons import NEAR_DUPLICATE
from core.curation.rules import ALIKE

if TYPE_CHECKING:
    import polars as pl

    from core.curation.recipe import Recipe
    from core.home import Home

LENGTH_STEP: Final = 20
LENGTH_BINS: Final = 15  # up to 280 characters, and one for all that is longer
MOST_WORDS: Final = 20
MOST_COMPARED: Final = 1_000_000
# Rare words are forgotten when there are more different ones than this, a common one never is.
_MOST_COUNTED: Final = 200_000
_FEWEST_APART: Final = 3
_BY_CHANCE: Final = 3.84  # of chi-squared with one degree of freedom: 1 word in 20 is above it
# Digits, and scripts that put no spaces between words, make no words here.
_WORD: Final = (
    r"[\p{L}\p{M}&&[^\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]"
)
_WORDS: Final = rf"{_WORD}+(?:['’\-]{_WORD}+)*"
_HASHTAG: Final = r"(?:^|[^\p{L}\p{N}_&/])([#＃][\p{L}\p{M}\p{N}_]*\p{L}[\p{L}\p{M}\p{N}_]*)"
_ADDRESSES: Final = r"(?i:https?://\S+)|[@#＠＃][\p{L}\p{M}\p{N}_.]+"


@dataclass
class Profile:
    """Counts of the tweets of one account, or of several together.

    tweets, kept  how many there are, and how many the recipe keeps
    kinds         of all tweets: original, reply, quote, retweet, manual_retweet
    languages     of the kept tweets, as their source gave them; "und" where it gave none
    lengths       kept tweets by characters of the cleaned text, LENGTH_STEP to a bin; the last bin
                  holds all that is longer
    months        "2019-03": (all, kept), months without tweets included; undated tweets nowhere
    hours         24 counts of the kept tweets, by the hour in UTC: no export tells the time zone
    words         how often each word of the kept tweets occurs, commonest first, at most
                  MOST_WORDS, without the words that everybody uses (lists of stopwords-iso for the
                  tweets' languages and English), links, @names and #tags
    apart         with several accounts: the words that set this one apart from the others, by
                  Dunning's log-likelihood (1993), strongest first
    hashtags      of the kept tweets as published, commonest first
    alike         kept tweets that say nearly the same as an earlier one: what the rule
                  near_duplicates would drop at ALIKE percent. None when nobody looked, because the
                  recipe drops them anyway or caps authors, or there are over MOST_COMPARED tweets
    together      whether it is of several accounts; an account may be called "all", too
    """

    handle: str
    tweets: int = 0
    kept: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=lambda: [0] * LENGTH_BINS)
    months: dict[str, tuple[int, int]] = field(default_factory=dict)
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    words: list[tuple[str, int]] = field(default_factory=list)
    apart: list[tuple[str, int]] = field(default_factory=list)
    hashtags: list[tuple[str, int]] = field(default_factory=list)
    alike: int | None = None
    together: bool = False

    @property
    def replies(self) -> float:
        """Share of replies among what the account wrote itself, from 0 to 1."""
        own = self.tweets - self.kinds["retweet"]
        return self.kinds["reply"] / own if own else 0.0

    def to_json(self) -> dict[str, Any]:
        """The fields, and ``replies``; pairs as lists."""
        return {
            "handle": self.handle,
            "tweets": self.tweets,
            "kept": self.kept,
            "replies": round(self.replies, 4),
            "alike": self.alike,
            "kinds": dict(sorted(self.kinds.items())),
            "languages": dict(self.languages.most_common()),
            "lengths": self.lengths,
            "months": {month: list(pair) for month, pair in self.months.items()},
            "hours": self.hours,
            "words": self.words,
            "apart": self.apart,
            "hashtags": self.hashtags,
        }


class Profiler:
    """Takes curated batches in any order; ``profiles`` may be asked at any time."""

    def __init__(self) -> None:
        self._profiles: dict[str, Profile] = {}
        self._words: dict[str, Counter[str]] = {}
        self._hashtags: dict[str, Counter[str]] = {}
        self._months: dict[str, dict[str, tuple[int, int]]] = {}

    def add(self, curated: pl.DataFrame) -> None:
        """Counts a frame with the columns of ``curate``."""
        for (handle,), rows in curated.group_by("handle", maintain_order=True):
            self._add(str(handle), rows)

    def _add(self, handle: str, rows: pl.DataFrame) -> None:
        import polars as pl

        profile = self._profiles.setdefault(handle, Profile(handle))
        kept = rows.filter("kept")
        profile.tweets += rows.height
        profile.kept += kept.height
        profile.kinds.update(_counts(rows["kind"]))
        profile.languages.update(_counts(kept["lang"].fill_null("und").str.to_lowercase()))
        bins = (kept["clean_text"].str.len_chars() // LENGTH_STEP).clip(upper_bound=LENGTH_BINS - 1)
        for place, number in _counts(bins).items():
            profile.lengths[place] += number
        for hour, number in _counts(kept["created_at"].drop_nulls().dt.hour()).items():
            profile.hours[hour] += number
        by_month = (
            rows.filter(pl.col("created_at").is_not_null())
            .group_by(pl.col("created_at").dt.strftime("%Y-%m").alias("month"))
            .agg(pl.len(), pl.col("kept").sum().alias("kept"))
        )
        months = self._months.setdefault(handle, {})
        for month, number, number_kept in by_month.iter_rows():
            before = months.get(month, (0, 0))
            months[month] = (before[0] + number, before[1] + number_kept)
        lower = kept["clean_text"].str.to_lowercase().str.replace_all(_ADDRESSES, " ")
        _count_more(
            self._words.setdefault(handle, Counter()),
            # an apostrophe is one word's letter, whichever of its two signs stands for it
            lower.str.replace_all("’", "'", literal=True).str.extract_all(_WORDS),
        )
        marked = kept.filter(pl.col("text").str.contains_any(["#", "＃"]))["text"]
        _count_more(
            self._hashtags.setdefault(handle, Counter()),
            marked.str.to_lowercase()
            .str.extract_all(_HASHTAG)
            .list.eval(pl.element().str.extract(_HASHTAG)),
        )

    def add_alike(self, curated: pl.DataFrame) -> None:
        """Counts ``curated`` as ``add`` does, from a recipe that drops near duplicates, as if it
        did not, and how many they are."""
        import polars as pl

        near = pl.col("reason").eq_missing(NEAR_DUPLICATE)
        self.add(curated.with_columns(pl.col("kept") | near))
        for handle, number in curated.group_by("handle").agg(near.sum()).iter_rows():
            profile = self._profiles[handle]
            profile.alike = (profile.alike or 0) + number

    def profiles(self, handles: Sequence[str] | None = None) -> list[Profile]:
        """One for each account, in the order of ``handles`` or else of what came first."""
        order = list(self._profiles) if handles is None else list(handles)
        found = []
        everything: Counter[str] = Counter()
        for words in self._words.values():
            everything.update(words)
        for handle in order:
            profile = self._profiles.get(handle) or Profile(handle)
            words = self._words.get(handle, Counter())
            profile.months = _whole(self._months.get(handle, {}))
            usual = _usual(profile.languages)
            profile.words = _common(words, usual)
            profile.apart = _apart(words, everything)
            profile.hashtags = _first(_ordered(self._hashtags.get(handle, Counter())))
            found.append(profile)
        return found

    def everybody(self) -> Profile:
        """All accounts together, called "all"."""
        total = Profile("all", together=True)
        words: Counter[str] = Counter()
        hashtags: Counter[str] = Counter()
        months: dict[str, tuple[int, int]] = {}
        for handle, one in self._profiles.items():
            total.tweets += one.tweets
            total.kept += one.kept
            if one.alike is not None:
                total.alike = (total.alike or 0) + one.alike
            total.kinds.update(one.kinds)
            total.languages.update(one.languages)
            total.lengths = [a + b for a, b in zip(total.lengths, one.lengths, strict=True)]
            total.hours = [a + b for a, b in zip(total.hours, one.hours, strict=True)]
            words.update(self._words[handle])
            hashtags.update(self._hashtags[handle])
            for month, (number, kept) in self._months[handle].items():
                before = months.get(month, (0, 0))
                months[month] = (before[0] + number, before[1] + kept)
        total.months = _whole(months)
        total.words = _common(words, _usual(total.languages))
        total.hashtags = _first(_ordered(hashtags))
        return total


def profile(
    home: Home,
    handles: Sequence[str],
    recipe: Recipe,
    *,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Profile]:
    """A profile for each of ``handles``; with more than one, also all of them together at the end.

    ``progress`` is called with the number of tweets judged so far. Raises InputRefused naming a
    handle without tweets, CorpusBusy, Interrupted when ``cancelled`` says so.
    """
    from core.corpus.reading import tweets_at_hand
    from core.corpus.store import Corpus
    from core.curation.stream import curated_batches

    corpus = Corpus(home.corpus)
    counts = tweets_at_hand(corpus, handles)
    profiler = Profiler()
    compare = (
        not recipe.near_duplicates
        and not recipe.most_per_author
        and sum(counts.values()) <= MOST_COMPARED
    )
    batches = curated_batches(
        corpus,
        handles,
        recipe.replace(near_duplicates=ALIKE) if compare else recipe,
        explain=False,
        progress=progress,
        cancelled=cancelled,
    )
    for batch in batches:
        if compare:
            profiler.add_alike(batch)
        else:
            profiler.add(batch)
    found = profiler.profiles(handles)
    return [*found, profiler.everybody()] if len(found) > 1 else found


def _counts(values: pl.Series) -> dict[Any, int]:
    return dict(values.value_counts().iter_rows())


def _count_more(counter: Counter[str], lists: pl.Series) -> None:
    counter.update(_counts(lists.explode().drop_nulls()))
    if len(counter) > _MOST_COUNTED:
        common = counter.most_common(_MOST_COUNTED // 2)
        counter.clear()
        counter.update(dict(common))


def _whole(months: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """``months`` in order, with the empty ones between the first and the last."""
    if not months:
        return {}
    first, last = (12 * int(name[:4]) + int(name[5:]) - 1 for name in (min(months), max(months)))
    names = [f"{at // 12:04}-{at % 12 + 1:02}" for at in range(first, last + 1)]
    return {name: months.get(name, (0, 0)) for name in names}


def _usual(languages: Mapping[str, int]) -> frozenset[str]:
    """The words that everybody uses, in the languages of the tweets and in English."""
    import stopwordsiso

    codes = {code.split("-")[0] for code in languages} | {"en"}
    known = sorted(code for code in codes if stopwordsiso.has_lang(code))
    return frozenset(stopwordsiso.stopwords(known))


def _ordered(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))


def _common(words: Counter[str], usual: frozenset[str]) -> list[tuple[str, int]]:
    return _first(pair for pair in _ordered(words) if len(pair[0]) > 1 and pair[0] not in usual)


def _apart(words: Counter[str], everything: Counter[str]) -> list[tuple[str, int]]:
    """Words that occur here more often than chance would have it, given all the accounts.

    Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence" (1993), in the form
    of Rayson and Garside (2000): 2 (a ln(a/E1) + b ln(b/E2)).
    """
    here, total = words.total(), everything.total()
    there = total - here
    if not there:
        return []
    scored = []
    for word, a in words.items():
        b = everything[word] - a
        expected = here * (a + b) / total
        if a < _FEWEST_APART or len(word) < 2 or a <= expected:
            continue
        elsewhere = b * log(b * total / (there * (a + b))) if b else 0.0
        score = 2 * (a * log(a / expected) + elsewhere)
        if score > _BY_CHANCE:
            scored.append((-score, word, a))
    return _first((word, a) for _, word, a in sorted(scored))


def _first(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return list(islice(pairs, MOST_WORDS))
