"""What became of every tweet, per account: the one counter of what is kept, and why not.

``Counts`` adds up curated tweets batch by batch and gives the filter's table (``stats``) or what a
manifest says (``to_json``); ``TokenEstimate`` counts the tokens of the same batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl

from core.curation.reasons import REASONS, RETWEET, SHORT
from core.curation.words import NO_SPACES
from core.numbers import plural

CountTokens = Callable[[list[str]], list[int]]

SEPARATOR: Final = "<|endoftext|>"
# The two size gates of huggingtweets, in its own measure (see AccountStats.seed_chars).
FEWEST_CHARS: Final = 6_000
FEW_CHARS: Final = 40_000
# A run of a script that puts no spaces between words, as a pattern.
UNSPACED: Final = f"[{NO_SPACES}]{{4}}"

# Tweets whose tokens are counted one and all; of the rest one in ONE_IN.
EXACT: Final = 300_000
ONE_IN: Final = 20
_FEWEST: Final = 20  # of an account that are counted whatever the others have
_AT_ONCE: Final = 5_000  # texts; a tokenizer holds much more than their numbers
_SEED: Final = 0x74616C6C79


@dataclass(frozen=True)
class AccountStats:
    """One column of the table; downloaded = retweets + short + the sum of dropped + kept.

    dropped     the reasons other than retweet and short, only those that occur
    kept_chars  characters of the cleaned kept tweets, nothing between them
    tokens      of the kept tweets, with one end mark each; None when nothing counts tokens
    blocks      whole blocks of ``block`` tokens (huggingtweets trained on blocks of 1,024)
    seed_chars  the kept tweets joined with ``<|endoftext|>``: what huggingtweets measured
    warnings    sentences for the person, may be empty
    tokens_about  the tokens were not counted but estimated from a part of the tweets
    """

    handle: str
    name: str
    downloaded: int
    retweets: int
    short: int
    kept: int
    dropped: dict[str, int]
    kept_chars: int
    tokens: int | None
    blocks: int | None
    seed_chars: int
    warnings: list[str] = field(default_factory=list)
    tokens_about: bool = False

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah stats --json``, the warnings, and whether tokens are estimated."""
        names = "handle name downloaded retweets short kept dropped kept_chars tokens blocks"
        return {key: getattr(self, key) for key in [*names.split(), "warnings", "tokens_about"]}


@dataclass
class AccountCounts:
    """Of one account; ``downloaded`` is the sum of ``reasons`` and ``kept``.

    reasons      dropped tweets by reason, retweets and short ones included
    kept_chars   characters of the cleaned kept tweets
    unspaced     dropped as short, and in a script without spaces
    first, last  of what is kept; sources: of all tweets; only with ``origins``
    """

    reasons: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    kept_chars: int = 0
    unspaced: int = 0
    first: datetime | None = None
    last: datetime | None = None
    sources: set[str] = field(default_factory=set)

    @property
    def downloaded(self) -> int:
        return self.reasons.total() + self.kept

    def add(self, other: AccountCounts) -> None:
        self.reasons += other.reasons
        self.kept += other.kept
        self.kept_chars += other.kept_chars
        self.unspaced += other.unspaced
        self.first = min((one for one in (self.first, other.first) if one), default=None)
        self.last = max((one for one in (self.last, other.last) if one), default=None)
        self.sources |= other.sources

    def to_json(self) -> dict[str, Any]:
        """Counts, dates as ISO 8601 in UTC, sources: what a manifest holds of an account."""
        reasons = self.reasons
        return {
            "downloaded": self.downloaded,
            "retweets": reasons[RETWEET],
            "short": reasons[SHORT],
            "dropped": _others(reasons),
            "kept": self.kept,
            "kept_chars": self.kept_chars,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "sources": sorted(self.sources),
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> AccountCounts:
        """What ``to_json`` gave; ``unspaced`` is not in it."""
        first, last = (
            datetime.fromisoformat(given[key]) if given[key] else None for key in ("first", "last")
        )
        reasons = Counter({RETWEET: given["retweets"], SHORT: given["short"]}) + Counter(
            given["dropped"]
        )
        return cls(
            reasons, given["kept"], given["kept_chars"], 0, first, last, set(given["sources"])
        )


class Counts:
    """Counts per handle; downloaded = retweets + short + the other reasons + kept, always.

    Batches may come in any order and of any size; ``merge`` puts two counts together. ``accounts``
    has an AccountCounts for each handle: those given at first, in their order, then those that
    only the tweets named. With ``origins`` the dates, sources and source files are taken too.
    """

    def __init__(self, handles: Iterable[str] = (), *, origins: bool = False) -> None:
        self.accounts = {handle: AccountCounts() for handle in handles}
        self._origins = origins
        self._files: set[str] = set()

    @property
    def downloaded(self) -> dict[str, int]:
        """Tweets per handle."""
        return {handle: one.downloaded for handle, one in self.accounts.items()}

    @property
    def kept(self) -> dict[str, int]:
        """Kept tweets per handle."""
        return {handle: one.kept for handle, one in self.accounts.items()}

    @property
    def source_files(self) -> list[str]:
        """The names of the files that the tweets came from; empty without ``origins``."""
        return sorted(self._files)

    def add(self, curated: pl.DataFrame) -> None:
        """Counts curated tweets: columns handle, clean_text and reason (null where kept).

        With ``origins`` also created_at, source and source_file.
        """
        created = pl.col("created_at")
        dates = {"first": created.min(), "last": created.max()} if self._origins else {}
        self.add_groups(
            curated.group_by("handle", "reason").agg(
                tweets=pl.len(), chars=pl.col("clean_text").str.len_chars().sum(), **dates
            )
        )
        short = curated.filter(pl.col("reason") == SHORT)
        unspaced = short.filter(pl.col("clean_text").str.contains(UNSPACED))
        for handle, tweets in unspaced.group_by("handle").len().iter_rows():
            self._account(handle).unspaced += tweets
        if self._origins:
            origins = curated.select("handle", "source", "source_file").unique()
            for handle, source in origins.select("handle", "source").drop_nulls().iter_rows():
                self._account(handle).sources.add(source)
            self._files.update(origins["source_file"].drop_nulls())

    def add_groups(self, groups: pl.DataFrame) -> None:
        """Counts tweets that were added up: one row for each handle and reason (null: kept).

        Columns tweets, chars (of the clean texts); unspaced, first and last where there are any.
        """
        for row in groups.iter_rows(named=True):
            account = self._account(row["handle"])
            account.unspaced += row.get("unspaced", 0)
            if row["reason"] is not None:
                account.reasons[row["reason"]] += row["tweets"]
                continue
            kept = AccountCounts(first=row.get("first"), last=row.get("last"))
            kept.kept, kept.kept_chars = row["tweets"], row["chars"]
            account.add(kept)

    def merge(self, other: Counts) -> None:
        """Adds the counts of other tweets."""
        for handle, account in other.accounts.items():
            self._account(handle).add(account)
        self._files |= other._files

    def stats(
        self,
        names: Mapping[str, str] | None = None,
        *,
        tokens: TokenEstimate | None = None,
        block: int = 1024,
    ) -> list[AccountStats]:
        """The columns of the filter's table, in the order of ``accounts``.

        ``names`` has display names by handle; ``tokens`` has counted the same tweets.
        """
        return [
            _column(handle, (names or {}).get(handle), account, tokens, block)
            for handle, account in self.accounts.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """``handles``, as AccountCounts gives them, and ``source_files``."""
        handles = {handle: account.to_json() for handle, account in self.accounts.items()}
        return {"handles": handles, "source_files": self.source_files}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Counts:
        """What ``to_json`` gave."""
        counts = cls()
        for handle, account in given["handles"].items():
            counts.accounts[handle] = AccountCounts.from_json(account)
        counts._files.update(given["source_files"])
        return counts

    def _account(self, handle: str) -> AccountCounts:
        return self.accounts.setdefault(handle, AccountCounts())


class TokenEstimate:
    """The tokens of kept tweets, one end mark each, batch by batch.

    Counting tokens takes longer than everything else together. Beyond ``exact`` tweets a share of
    each account is counted one and all, and of the rest one tweet in ONE_IN, chosen by a number
    made of its id; what these have for a character, the rest has too. Batches may be of any size;
    their order within an account decides what is counted.
    """

    def __init__(
        self, sizes: Mapping[str, int], count_tokens: CountTokens, *, exact: int = EXACT
    ) -> None:
        """``sizes`` has the number of tweets, kept or not, of each account that will come."""
        total = sum(sizes.values())
        self._limits = {
            handle: size if total <= exact else max(_FEWEST, exact * size // total)
            for handle, size in sizes.items()
        }
        self._count_tokens = count_tokens
        self._accounts = {handle: _Tokens() for handle in sizes}

    def of(self, handle: str) -> tuple[int, bool]:
        """The tokens of an account, and whether they are estimated."""
        account = self._accounts.get(handle, _Tokens())
        known = account.counted + account.kept
        if not account.sample_chars:
            return known, False
        return known + round(account.sample * account.rest_chars / account.sample_chars), True

    def add(self, curated: pl.DataFrame) -> None:
        """Columns handle, tweet_id, clean_text and reason."""
        kept = curated.filter(pl.col("reason").is_null()).select(
            "handle",
            "tweet_id",
            "clean_text",
            chars=pl.col("clean_text").str.len_chars().cast(pl.Int64),
            number=pl.int_range(pl.len()).over("handle"),
        )
        if kept.is_empty():
            return
        sizes = kept.group_by("handle").len().rows()
        # how many of the account's kept tweets came before this one, and how many are counted
        before = {handle: self._accounts[handle].kept for handle, _ in sizes}
        limits = {handle: self._limits[handle] for handle, _ in sizes}
        handle = pl.col("handle")
        number = pl.col("number") + handle.replace_strict(before, return_dtype=pl.Int64)
        limit = handle.replace_strict(limits, return_dtype=pl.Int64)
        chosen = (number == limit) | (pl.col("tweet_id").hash(_SEED) % ONE_IN == 0)
        kept = kept.with_columns(rest=number >= limit, asked=(number < limit) | chosen)
        asked = kept.filter("asked")
        numbers: list[int] = []
        for start in range(0, asked.height, _AT_ONCE):
            numbers += self._count_tokens(asked["clean_text"][start : start + _AT_ONCE].to_list())
        asked = asked.with_columns(tokens=pl.Series(numbers, dtype=pl.Int64))
        for who, beyond, tokens, chars in (
            asked.group_by("handle", "rest").agg(pl.col("tokens", "chars").sum()).iter_rows()
        ):
            account = self._accounts[who]
            if beyond:
                account.sample += tokens
                account.sample_chars += chars
            else:
                account.counted += tokens
        rest = kept.filter("rest").group_by("handle").agg(pl.col("chars").sum())
        for who, chars in rest.iter_rows():
            self._accounts[who].rest_chars += chars
        for who, tweets in sizes:
            self._accounts[who].kept += tweets


@dataclass
class _Tokens:
    kept: int = 0
    counted: int = 0  # tokens of tweets within the account's share
    sample: int = 0  # tokens of the chosen ones beyond it
    sample_chars: int = 0
    rest_chars: int = 0


def total_stats(stats: Sequence[AccountStats], *, block: int = 1024) -> AccountStats:
    """All accounts as one column called "all"; tokens are None if any account's are."""
    dropped = {
        reason: count
        for reason in REASONS
        if (count := sum(one.dropped.get(reason, 0) for one in stats))
    }
    counts = [one.tokens for one in stats]
    tokens = None if not counts or None in counts else sum(count or 0 for count in counts)
    with_tweets = sum(one.kept > 0 for one in stats)
    return AccountStats(
        handle="all",
        name="all",
        downloaded=sum(one.downloaded for one in stats),
        retweets=sum(one.retweets for one in stats),
        short=sum(one.short for one in stats),
        kept=sum(one.kept for one in stats),
        dropped=dropped,
        kept_chars=sum(one.kept_chars for one in stats),
        tokens=tokens,
        blocks=None if tokens is None else tokens // block,
        # One more gap between each two accounts that have something to join.
        seed_chars=sum(one.seed_chars for one in stats) + len(SEPARATOR) * max(with_tweets - 1, 0),
        tokens_about=any(one.tokens_about for one in stats),
    )


def _others(reasons: Counter[str]) -> dict[str, int]:
    """The reasons that have no name of their own in the table, in order, those that occur."""
    return {
        reason: reasons[reason]
        for reason in REASONS
        if reason not in (RETWEET, SHORT) and reasons[reason]
    }


def _column(
    handle: str, name: str | None, counts: AccountCounts, tokens: TokenEstimate | None, block: int
) -> AccountStats:
    number, about = (None, False) if tokens is None else tokens.of(handle)
    seed_chars = counts.kept_chars + len(SEPARATOR) * max(counts.kept - 1, 0)
    return AccountStats(
        handle=handle,
        name=name or handle,
        downloaded=counts.downloaded,
        retweets=counts.reasons[RETWEET],
        short=counts.reasons[SHORT],
        kept=counts.kept,
        dropped=_others(counts.reasons),
        kept_chars=counts.kept_chars,
        tokens=number,
        blocks=None if number is None else number // block,
        seed_chars=seed_chars,
        warnings=_warnings(handle, counts, seed_chars),
        tokens_about=about,
    )


def _warnings(handle: str, counts: AccountCounts, seed_chars: int) -> list[str]:
    found = []
    kept, short, unspaced = counts.kept, counts.reasons[SHORT], counts.unspaced
    if kept == 0:
        found.append(f"Nothing of @{handle} is kept: there is nothing to learn from.")
    elif seed_chars < FEWEST_CHARS:
        found.append(
            f"@{handle} keeps only {plural(kept, 'tweet')} ({seed_chars:,} characters). "
            f"huggingtweets refused fewer than {FEWEST_CHARS:,}: expect copies and odd sentences."
        )
    elif seed_chars < FEW_CHARS:
        found.append(
            f"@{handle} keeps {kept:,} tweets ({seed_chars:,} characters). Under {FEW_CHARS:,} "
            "a model learns the words better than the voice."
        )
    own = counts.downloaded - counts.reasons[RETWEET]
    if own >= 20 and short * 2 > own:
        if unspaced * 2 > short:
            found.append(
                f"{round(100 * short / own)} % of what @{handle} wrote counts as short, mostly in "
                "a script without spaces. The standard cleaning counts words in such scripts."
            )
        else:
            found.append(
                f"{round(100 * short / own)} % of what @{handle} wrote counts as short: "
                "a smaller least number of words would keep more."
            )
    return found
