"""What the archives of X and Twitter share: the account they are of, and tweets to frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl
from msgspec import UNSET, Raw, UnsetType
from msgspec.json import Decoder

from core.handles import normal_handle
from core.json_lines import parse_json
from core.sources.columns import Canonical
from core.sources.json_formats import Columns, Format, Gathering, Taken, TweetV1, Url, columns_v1
from core.sources.json_objects import text_of
from core.sources.source import Account, HandleMissing, SourceSummary, Tick
from core.sources.times import parse_times

_STATUS_LINK: Final = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/[^/]+/status(?:es)?/(\d+)(?!\d)(?!.*/(?:photo|video)/)",
    re.IGNORECASE,
)
# Tweets in a frame, about.
_ROWS: Final = 20_000
# An edit history of more than the tweet itself.
_EDITED: Final = re.compile(rb'initialTweetId|"editTweetIds"\s*:\s*\[[^\]]*,')


def archive_account(
    title: str,
    given: str | None,
    username: str | None,
    *,
    name: object,
    account_id: object,
    bio: object,
    created: object,
    missing: str = "",
) -> Account:
    """The account of an archive from what its files say, with the handle ``given`` if any.

    Raises HandleMissing when neither ``given`` nor ``username`` names it; ``missing`` says why.
    """
    if not given and not username:
        raise HandleMissing(
            f"{title} does not say whose tweets it holds.",
            missing,
            "Name the account with --handle.",
        )
    at = parse_times(pl.Series([text_of(created)], dtype=pl.String))[0]
    return Account(
        handle=given or normal_handle(username or ""),
        name=text_of(name),
        account_id=text_of(account_id),
        bio=text_of(bio),
        created=at if isinstance(at, datetime) else None,
    )


class ArchivedTweet(TweetV1, gc=False):
    edit_info: Raw = Raw(b"")


class Entry(ArchivedTweet, gc=False):
    """An element of a list of tweets; old archives have the tweet itself there."""

    tweet: ArchivedTweet | UnsetType | None = UNSET


def _tweets(entries: Sequence[Entry | None], numbers: Sequence[int]) -> Taken:
    tweets: list[ArchivedTweet] = []
    kept: list[int] = []
    lost: list[tuple[int, str]] = []
    for entry, number in zip(entries, numbers, strict=True):
        tweet = entry.tweet if entry is not None else None
        if tweet is UNSET:
            tweet = entry
        if tweet is None:
            lost.append((number, "not_a_tweet"))
        elif not (tweet.id_str or str(tweet.id or "")).strip():
            lost.append((number, "no_id"))
        elif not (tweet.full_text or tweet.text):
            lost.append((number, "no_text"))
        else:
            tweets.append(tweet)
            kept.append(number)
    return tweets, kept, lost


def _columns(tweets: Sequence[ArchivedTweet]) -> Columns:
    """Retweets and quotes have no flag in an archive: they are found by ``RT @`` and by links."""
    columns = columns_v1(tweets)
    texts: list[str] = columns["text"]
    quotes = [
        _quote(some.urls, text) if (some := x.entities) is not None and some.urls else _NO_QUOTE
        for x, text in zip(tweets, texts, strict=True)
    ]
    columns["is_retweet"] = [text.startswith("RT @") for text in texts]
    columns["is_quote"] = [quote for quote, _ in quotes]
    columns["quoted_id"] = [tweet_id for _, tweet_id in quotes]
    return columns


_NO_QUOTE: Final[tuple[bool, str | None]] = (False, None)
ARCHIVED: Final = Format(Entry, _tweets, _columns)


def _quote(links: list[Url], text: str) -> tuple[bool, str | None]:
    """Whether a tweet links to another, and the other's id where it is sure to be a quotation.

    X shows as quoted the tweet whose link is the last thing in the text.
    """
    found = [
        (link.url, match[1])
        for link in links
        if link.expanded_url
        and "/status" in link.expanded_url
        and (match := _STATUS_LINK.match(link.expanded_url))
    ]
    if not found:
        return _NO_QUOTE
    ends = [tweet_id for url, tweet_id in found if url and text.rstrip().endswith(url)]
    return True, ends[0] if ends else None


class TweetReader:
    """Collects tweets into frames, counts what is passed over, and remembers edit histories."""

    decoder: Final = Decoder(list[Entry])

    def __init__(
        self, summary: SourceSummary, handle: str, tick: Tick | None, expected: int | None
    ) -> None:
        self._summary = summary
        self._handle = handle
        self._tick = tick
        self._expected = expected
        self._read = 0
        self._frames: list[pl.DataFrame] = []
        self._later: dict[str, set[str]] = {}  # id → ids of later versions of that tweet
        self._canonical = Canonical(summary, owner=handle, escaped=True, generate_ids=False)

    def read(self, runs: Iterable[list[Any]], part: str, audience: str) -> int:
        """Take in one list, all of it or nothing; returns how many elements it has.

        ``runs`` are Entry objects or plain JSON, some at a time.
        """
        seen = 0
        raw: list[pl.DataFrame] = []
        later: list[tuple[set[str], str]] = []
        lost: list[tuple[int, str]] = []
        gathering = Gathering(ARCHIVED)
        for run in runs:
            tweets, passed = gathering.take(run, range(seen + 1, seen + 1 + len(run)))
            lost += passed
            later += [earlier_versions(x) for x in tweets if _EDITED.search(x.edit_info)]
            seen += len(run)
            if len(gathering.lines) >= _ROWS:
                raw.append(gathering.frame())
            if self._tick:
                self._tick(self._read + seen, self._expected)
        self._read += seen
        for number, reason in lost:
            self._summary.skip(self._handle, reason)
            self._summary.passed_over(reason, 0, f"entry {number:,}", part)
        for earlier, last in later:
            for tweet_id in earlier:
                self._later.setdefault(tweet_id, set()).add(last)
        for frame in [*raw, gathering.frame()]:
            canonical = self._canonical.frame(frame.drop("author"))
            columns = {"audience": pl.lit(audience), "source_file": pl.lit(part)}
            self._frames.append(canonical.with_columns(**columns))
        return seen

    def frames(self) -> list[pl.DataFrame]:
        """All tweets as canonical frames, without earlier versions of edited ones."""
        superseded: list[str] = []
        if self._later:
            here = {tweet_id for frame in self._frames for tweet_id in frame["tweet_id"]}
            superseded = [tweet_id for tweet_id, later in self._later.items() if later & here]
        kept: list[pl.DataFrame] = []
        for frame in self._frames:
            rest = frame.filter(~pl.col("tweet_id").is_in(superseded)) if superseded else frame
            self._summary.skip(self._handle, "superseded_edit", frame.height - rest.height)
            kept.append(rest)
        self._frames = []
        return kept


def earlier_versions(tweet: ArchivedTweet) -> tuple[set[str], str]:
    """Ids that ``tweet``'s edit history shows to be earlier versions, and the last one's id.

    Each version of an edited tweet is an entry of its own, with an ``edit_info`` that lists the
    versions known when it was written: under ``initial`` for the first, under ``edit`` (with
    ``initialTweetId``) for the later ones. The newest has the largest id.
    """
    own = text_of(tweet.id_str) or text_of(tweet.id)
    ids: set[str] = set()
    try:
        pending: list[Any] = [parse_json(bytes(tweet.edit_info))]
    except (ValueError, RecursionError):
        pending = []
    while pending:  # the nesting differs between archives, so look at every level
        value = pending.pop()
        if not isinstance(value, dict):
            continue
        listed = value.get("editTweetIds")
        ids.update(i for i in map(text_of, listed if isinstance(listed, list) else ()) if i)
        if initial := text_of(value.get("initialTweetId")):
            ids.add(initial)
            if own:
                ids.add(own)
        pending.extend(value.values())
    numbers = {int(i) for i in ids if re.fullmatch(r"\d{1,20}", i, re.ASCII)}
    if len(numbers) < 2:
        return set(), ""
    last = max(numbers)
    return {str(number) for number in numbers - {last}}, str(last)
