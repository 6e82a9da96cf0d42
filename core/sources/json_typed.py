"""Lines of the programs whose tweets nest, read for the fields that count and nothing else.

Each field has a type, and msgspec holds to it as strictly as the json module holds to JSON. A line
where anything is otherwise (another type, half a surrogate pair, a protected author, no JSON) is
left to the careful readers in ``json_rows``, which tell what is wrong. Both give the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from msgspec import UNSET, MsgspecError, Struct
from msgspec.json import Decoder, Encoder

from core.sources.batches import Doubtful, Placed, listed
from core.sources.json_objects import Entities, LineV2, Link, Scraped, TweetV1, TweetV2, Url
from core.sources.json_rows import Rows, scraped_rows, v1_rows, v2_rows

# The roles of columns.GUESSES that these rows fill, and the links.
_SCHEMA: Final = {
    "tweet_id": pl.String(), "text": pl.String(), "created": pl.String(), "author": pl.String(),
    "lang": pl.String(), "reply_name": pl.String(),
    "sensitive": pl.Boolean(), "favourites": pl.Int64(), "reposts": pl.Int64(),
    "urls": pl.String(),
}  # fmt: skip
_KINDS: Final = dict.fromkeys(("is_retweet", "is_reply", "is_quote"), pl.Boolean())
_NO_ID: Final = (None, "")
_ROWS: Final = 20_000  # in a frame, about
_MOST_ODD: Final = 20  # lines of a block that are read with care, before all the rest is
_MENTION: Final = re.compile(r"@(\w{1,20})")
_ERRORS: Final = (MsgspecError, RecursionError, ValueError)
_encode: Final = Encoder().encode

# Lists by the names of _SCHEMA and _KINDS; what is missing or empty is None.
Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Form:
    """One program's lines.

    ``tweets`` gives those of some lines, and how many each line has (None: one each), or None when
    something is odd. ``flagged`` is whether a reply may begin with ``RT @``.
    """

    line: type[Struct]
    tweets: Callable[[list[Any]], tuple[list[Any], list[int] | None] | None]
    columns: Callable[[Sequence[Any]], Columns]
    flagged: bool = False


class TypedLines:
    """Reads blocks of lines of one program."""

    block = 2 << 20  # bytes; what fits into the processor's cache is read twice as fast

    def __init__(self, form: Form) -> None:
        self._form = form
        self._decoder: Decoder[Any] = Decoder(form.line)
        self._columns: Columns = {name: [] for name in (*_SCHEMA, *_KINDS)}
        self._lines: list[int] = []  # of the rows

    def parts(self, block: bytes, before: int) -> Iterator[Placed | Doubtful]:
        """Frames of ``columns.GUESSES`` roles, and between them what is to be read with care.

        ``before`` lines stand in front of ``block``. Rows are gathered over several blocks.
        """
        count = lines_of_objects(block)
        if not count or not self._take(block, count, before):
            yield from self._line_by_line(block, before)
        if len(self._lines) >= _ROWS:
            yield self.rest()

    def rest(self) -> Placed:
        """A frame of the rows that were gathered last."""
        columns, lines = self._columns, self._lines
        self._columns, self._lines = {name: [] for name in columns}, []
        frame = pl.DataFrame(
            [  # a count beyond 64 bits is none
                pl.Series(name, columns[name], dtype=kind, strict=kind != pl.Int64())
                for name, kind in {**_SCHEMA, **_KINDS}.items()
            ]
        )
        return _with_kinds(frame, flagged=self._form.flagged), listed(lines)

    def _take(self, lines: bytes, count: int, before: int) -> bool:
        """Whether nothing is odd in ``count`` lines; then their rows are gathered."""
        try:
            items: list[Any] = self._decoder.decode_lines(lines)
        except _ERRORS:
            return False
        found = self._form.tweets(items) if len(items) == count else None
        if found is None:
            return False
        tweets, sizes = found
        for name, values in self._form.columns(tweets).items():
            self._columns[name] += values
        numbers = range(before + 1, before + 1 + count)
        for number, size in zip(numbers, sizes, strict=True) if sizes is not None else ():
            self._lines += [number] * size
        self._lines += numbers if sizes is None else ()
        return True

    def _line_by_line(self, block: bytes, before: int) -> Iterator[Placed | Doubtful]:
        odd = 0
        lines = block.split(b"\n")
        for number, line in enumerate(lines, before):
            if not line.strip() or self._take(line, 1, number):
                continue
            yield self.rest()
            odd += 1
            if odd > _MOST_ODD:
                yield Doubtful(b"\n".join(lines[number - before :]), number)
                return
            yield Doubtful(line, number)


def lines_of_objects(block: bytes) -> int:
    """How many lines there are, if each begins with { and ends with } and a line break; else 0.

    Then no value goes over a line break, for what stands before the next { would be one of : , [.
    """
    data = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    if not ends.size or ends[-1] != data.size - 1 or data[0] != ord("{"):
        return 0
    last = data[ends - 1]
    last = np.where(last == ord("\r"), data[ends - 2], last)
    sound = (last == ord("}")).all() and (data[ends[:-1] + 1] == ord("{")).all()
    return int(ends.size) if sound else 0


def typed_lines(rows: Rows) -> TypedLines | None:
    """The quick reader that gives the same as ``rows``, where there is one."""
    forms: dict[Rows, Form] = {
        v1_rows: Form(TweetV1, _one_each, _columns_v1),
        v2_rows: Form(LineV2, _tweets_v2, _columns_v2, flagged=True),
        scraped_rows: Form(Scraped, _one_each, _columns_scraped),
    }
    return TypedLines(forms[rows]) if rows in forms else None


def _one_each(items: list[Any]) -> tuple[list[Any], None] | None:
    protected = [(user := x.user) is not None and user.protected for x in items]
    return None if True in protected else (items, None)


def _columns_v1(tweets: Sequence[TweetV1]) -> Columns:
    texts = [
        (longer.full_text if (longer := x.extended_tweet) is not None else None)
        or x.full_text or x.text or ""
        for x in tweets
    ]  # fmt: skip
    names = [x.in_reply_to_screen_name or None for x in tweets]
    replies = [
        name is not None
        or x.in_reply_to_status_id_str not in _NO_ID or x.in_reply_to_status_id not in _NO_ID
        or x.in_reply_to_user_id_str not in _NO_ID or x.in_reply_to_user_id not in _NO_ID
        for x, name in zip(tweets, names, strict=True)
    ]  # fmt: skip
    names = [
        name.lower() if name else _mention(text) if reply else None
        for name, reply, text in zip(names, replies, texts, strict=True)
    ]
    return {
        "tweet_id": [x.id_str or _id(x.id) for x in tweets],
        "text": texts,
        "created": [x.created_at or None for x in tweets],
        "author": [u.screen_name or None if (u := x.user) is not None else None for x in tweets],
        "is_retweet": [x.retweeted_status is not None for x in tweets],
        "is_reply": replies,
        "is_quote": [x.is_quote_status is True or x.quoted_status is not None for x in tweets],
        "lang": [x.lang or None for x in tweets],
        "reply_name": names,
        "sensitive": [x.possibly_sensitive for x in tweets],
        "favourites": [x.favorite_count for x in tweets],
        "reposts": [x.retweet_count for x in tweets],
        "urls": [
            (_urls(longer.entities) if (longer := x.extended_tweet) is not None else None)
            or (_urls(entities) if (entities := x.entities) is not None and entities.urls else None)
            for x in tweets
        ],
    }


def _tweets_v2(items: list[LineV2]) -> tuple[list[TweetV2], list[int] | None] | None:
    """The tweets of lines, their people put in."""
    if True not in [x.data is not None for x in items]:
        odd = [
            x.text is UNSET
            or (x.note_tweet is not None and x.note_post is not None)
            or ((author := x.author) is not None and author.protected is True)
            for x in items
        ]
        return None if True in odd else (list(items), None)
    found = [_page_v2(item) for item in items]
    pages = [page for page in found if page is not None]
    if len(pages) < len(found):
        return None
    return [tweet for page in pages for tweet in page], [len(page) for page in pages]


def _page_v2(item: LineV2) -> list[TweetV2] | None:
    data = item.data
    if data is None:
        return None if item.text is UNSET or _odd_v2(item) else [item]
    people = item.includes.users if item.includes is not None else None
    users = {user.id: user for user in people or () if user.id is not None}
    tweets = data if isinstance(data, list) else [data]
    for tweet in tweets:
        if users:
            author, answered = tweet.author, tweet.in_reply_to_user
            # an object without a name may leave it to the list of people
            if (author and not author.username) or (answered and not answered.username):
                return None
            tweet.author = author or users.get(str(tweet.author_id))
            tweet.in_reply_to_user = answered or users.get(str(tweet.in_reply_to_user_id))
        if _odd_v2(tweet):
            return None
    return tweets


def _odd_v2(tweet: TweetV2) -> bool:
    if tweet.note_tweet is not None and tweet.note_post is not None:
        return True
    return (author := tweet.author) is not None and author.protected is True


def _columns_v2(tweets: Sequence[TweetV2]) -> Columns:
    notes = [x.note_tweet or x.note_post for x in tweets]
    texts = [
        (note.text if note is not None else None) or x.text or ""
        for x, note in zip(tweets, notes, strict=True)
    ]
    referenced = [
        x.referenced_posts if x.referenced_tweets is UNSET else x.referenced_tweets for x in tweets
    ]
    types = [[one.type for one in some] if some else () for some in referenced]
    counts = [x.public_metrics for x in tweets]
    return {
        "tweet_id": [x.id or None for x in tweets],
        "text": texts,
        "created": [x.created_at or None for x in tweets],
        "author": [a.username or None if (a := x.author) is not None else None for x in tweets],
        "is_retweet": ["retweeted" in some for some in types],
        "is_reply": ["replied_to" in some for some in types],
        "is_quote": ["quoted" in some for some in types],
        "lang": [x.lang or None for x in tweets],
        "reply_name": [
            a.username or None if (a := x.in_reply_to_user) is not None else None for x in tweets
        ],
        "sensitive": [x.possibly_sensitive for x in tweets],
        "favourites": [c.like_count if c is not None else None for c in counts],
        "reposts": [
            None if c is None else c.repost_count if c.retweet_count is UNSET else c.retweet_count
            for c in counts
        ],
        "urls": [
            (_urls(note.entities) if note is not None else None)
            or (_urls(entities) if (entities := x.entities) is not None and entities.urls else None)
            for x, note in zip(tweets, notes, strict=True)
        ],
    }


def _columns_scraped(tweets: Sequence[Scraped]) -> Columns:
    texts = [x.rawContent or x.content or "" for x in tweets]
    return {
        "tweet_id": [x.id_str or _id(x.id) for x in tweets],
        "text": texts,
        "created": [x.date or None for x in tweets],
        "author": [u.username or None if (u := x.user) is not None else None for x in tweets],
        "is_retweet": [x.retweetedTweet is not None for x in tweets],
        "is_reply": [bool(x.inReplyToTweetId or x.inReplyToTweetIdStr) for x in tweets],
        "is_quote": [x.quotedTweet is not None for x in tweets],
        "lang": [x.lang or None for x in tweets],
        "reply_name": [
            u.username or None if (u := x.inReplyToUser) is not None else None for x in tweets
        ],
        "sensitive": [x.possibly_sensitive for x in tweets],
        "favourites": [x.likeCount for x in tweets],
        "reposts": [x.retweetCount for x in tweets],
        "urls": [_links(x.links) if x.links else None for x in tweets],
    }


def _with_kinds(rows: pl.DataFrame, *, flagged: bool) -> pl.DataFrame:
    """``kind`` in place of _KINDS; ``flagged`` replies may begin with ``RT @``."""
    by_hand = pl.col("text").str.starts_with("RT @")
    kind = (
        pl.when("is_retweet")
        .then(pl.lit("retweet"))
        .when(by_hand & ~pl.col("is_reply") if flagged else by_hand)
        .then(pl.lit("manual_retweet"))
        .when("is_reply")
        .then(pl.lit("reply"))
        .when("is_quote")
        .then(pl.lit("quote"))
        .otherwise(pl.lit("original"))
    )
    return rows.with_columns(kind=kind).drop(_KINDS)


def _mention(text: str) -> str | None:
    found = _MENTION.match(text)
    return found[1].lower() if found else None


def _id(value: str | int | None) -> str | None:
    if isinstance(value, int):
        return str(value)
    return value or None


def _urls(entities: Entities | None) -> str | None:
    if entities is None or not entities.urls:
        return None
    links = [link for link in entities.urls if link.url and link.expanded_url]
    return _encode(links).decode() if links else None


def _links(given: list[Link]) -> str | None:
    links = [Url(link.tcourl, link.url) for link in given if link.tcourl and link.url]
    return _encode(links).decode() if links else None
