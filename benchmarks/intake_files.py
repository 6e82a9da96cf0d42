"""Files of made-up tweets by fifty people, as different programs write them."""

from __future__ import annotations

import csv
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.curation import made_up

_PART = 50_000  # tweets in one file of an archive


@dataclass(frozen=True)
class Made:
    """``links`` is None or what a t.co link stands for."""

    number: int
    text: str
    author: str
    year: int
    month: int
    day: int
    second: int
    kind: str
    links: str | None

    @property
    def id(self) -> str:
        return str(10**18 + self.number * 4194304)

    @property
    def iso(self) -> str:
        return f"{self.year}-{self.month:02}-{self.day:02}T12:00:{self.second:02}"

    @property
    def classic(self) -> str:
        from datetime import date

        day = date(self.year, self.month, self.day)
        return f"{day:%a %b %d} 12:00:{self.second:02} +0000 {self.year}"

    @property
    def urls(self) -> list[dict[str, Any]]:
        if self.links is None:
            return []
        return [
            {"url": f"https://t.co/{self.number:010x}", "expanded_url": self.links,
             "display_url": self.links[8:30] + "…", "indices": [10, 33]}
        ]  # fmt: skip


def tweets(rows: int) -> Iterator[Made]:
    """Every text is another one; one in five is a retweet, one in five a reply."""
    rng = random.Random(2)
    texts = made_up(min(rows, 20_000))
    kinds = ("retweet", "reply", "original", "original", "original")
    starts = {"retweet": "RT @Tern: ", "reply": "@Tern ", "original": ""}
    for n in range(rows):
        kind = kinds[n % 5]
        yield Made(
            n, f"{starts[kind]}{rng.choice(texts)} {n:x}", f"user{n % 50}", 2010 + n % 14,
            n % 12 + 1, n % 28 + 1, n % 60, kind,
            f"https://gulls.example/articles/{n}" if n % 3 == 0 else None,
        )  # fmt: skip


_COLUMNS = ("id", "created_at", "author", "text", "is_retweet")


def _cells(made: Made) -> tuple[str, str, str, str, str]:
    return made.id, made.iso + "Z", made.author, made.text, str(made.kind == "retweet")


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        writer.writerows(_cells(made) for made in tweets(rows))


def write_parquet(path: Path, rows: int) -> None:
    import polars as pl

    found = map(_cells, tweets(rows))
    frames = []
    while some := list(islice(found, 100_000)):
        frames.append(pl.DataFrame(some, schema=list(_COLUMNS), orient="row"))
    frame = pl.concat(frames)
    frame = frame.with_columns(
        pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"),
        is_retweet=pl.col("is_retweet") == "True",
    )
    frame.write_parquet(path)


def write_jsonl(path: Path, rows: int) -> None:
    _lines(path, (dict(zip(_COLUMNS, _cells(made), strict=True)) for made in tweets(rows)), False)


def write_v2(path: Path, rows: int) -> None:
    """As ``twarc2 flatten`` writes them, about 1.6 kB a line; twarc spells what is not ASCII."""
    _lines(path, map(_v2, tweets(rows)), True)


def write_v1(path: Path, rows: int) -> None:
    _lines(path, map(_v1, tweets(rows)), True)


def write_snscrape(path: Path, rows: int) -> None:
    _lines(path, map(_scraped, tweets(rows)), True)


def write_archive(path: Path, rows: int) -> None:
    """A zip of X's, its tweets in parts."""
    account = {"username": "harbour_gull", "accountId": "42", "accountDisplayName": "A Gull"}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(
            "data/account.js", f"window.YTD.account.part0 = {json.dumps([{'account': account}])}"
        )
        made = tweets(rows)
        part = 0
        while some := list(islice(made, _PART)):
            name = f"data/tweets-part{part}.js" if part else "data/tweets.js"
            text = json.dumps([{"tweet": _archived(m)} for m in some], ensure_ascii=False, indent=1)
            archive.writestr(name, f"window.YTD.tweets.part{part} = {text}")
            part += 1


def _lines(path: Path, items: Iterator[dict[str, Any]], ascii_only: bool) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for item in items:
            stream.write(json.dumps(item, ensure_ascii=ascii_only) + "\n")


_DOMAIN = {"id": "46", "name": "Business", "description": "Brands and what belongs to them, wide"}
_WORDS = "a few words about the person, as people write them, and where they live"


def _v2(made: Made) -> dict[str, Any]:
    person = str(1000 + made.number % 50)
    item: dict[str, Any] = {
        "id": made.id, "author_id": person, "text": made.text, "created_at": made.iso + ".000Z",
        "conversation_id": made.id, "edit_history_tweet_ids": [made.id], "lang": "en",
        "edit_controls": {"edits_remaining": 5, "is_edit_eligible": True,
                          "editable_until": made.iso + ".000Z"},
        "possibly_sensitive": False, "reply_settings": "everyone",
        "public_metrics": {"retweet_count": made.number % 7, "reply_count": 0,
                           "like_count": made.number % 100, "quote_count": 0},
        "context_annotations": [{"domain": _DOMAIN, "entity": {**_DOMAIN, "id": "155769733357"}}],
        "entities": {"annotations": [{"start": 3, "end": 9, "probability": 0.9, "type": "Person"}]},
        "author": {
            "id": person, "username": made.author, "name": "A Name 🐦", "description": _WORDS,
            "created_at": "2010-01-01T00:00:00.000Z", "verified": False, "protected": False,
            "profile_image_url": "https://pbs.twimg.example/profile_images/1234567890/abc.jpg",
            "public_metrics": {"followers_count": 100, "following_count": 50, "tweet_count": 9},
        },
        "__twarc": {"url": "https://api.twitter.com/2/users/1000/tweets?expansions=author_id",
                    "version": "2.13.0", "retrieved_at": "2023-01-12T00:00:00+00:00"},
    }  # fmt: skip
    if made.urls:
        item["entities"]["urls"] = made.urls
    if made.kind == "reply":
        item["referenced_tweets"] = [{"type": "replied_to", "id": "7"}]
        item |= {"in_reply_to_user_id": "77", "in_reply_to_user": {"id": "77", "username": "Tern"}}
    elif made.kind == "retweet":
        item["referenced_tweets"] = [{"type": "retweeted", "id": "7"}]
    return item


def _v1(made: Made) -> dict[str, Any]:
    item: dict[str, Any] = {
        "created_at": made.classic, "id": int(made.id), "id_str": made.id, "full_text": made.text,
        "truncated": False, "display_text_range": [0, len(made.text)],
        "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": made.urls},
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "in_reply_to_status_id": None, "in_reply_to_status_id_str": None,
        "in_reply_to_user_id": None, "in_reply_to_user_id_str": None,
        "in_reply_to_screen_name": None,
        "user": {
            "id": 42, "id_str": "42", "name": "A Name 🐦", "screen_name": made.author,
            "description": _WORDS, "protected": False, "followers_count": 100, "friends_count": 50,
            "created_at": "Fri Jan 01 00:00:00 +0000 2010", "verified": False, "lang": None,
            "profile_image_url_https": "https://pbs.twimg.example/profile_images/123/abc.jpg",
        },
        "geo": None, "coordinates": None, "place": None, "contributors": None,
        "is_quote_status": False, "retweet_count": made.number % 7,
        "favorite_count": made.number % 100, "favorited": False, "retweeted": False,
        "possibly_sensitive": False, "lang": "en",
    }  # fmt: skip
    if made.kind == "reply":
        item |= {"in_reply_to_status_id": 7, "in_reply_to_status_id_str": "7"}
        item |= {"in_reply_to_screen_name": "Tern"}
    elif made.kind == "retweet":
        item["retweeted_status"] = {**_v1_of(made), "user": {"screen_name": "Tern"}}
    return item


def _v1_of(made: Made) -> dict[str, Any]:
    return {"created_at": made.classic, "id": 7, "id_str": "7", "full_text": made.text[10:],
            "truncated": False, "entities": {"urls": made.urls}}  # fmt: skip


def _scraped(made: Made) -> dict[str, Any]:
    return {
        "_type": "snscrape.modules.twitter.Tweet",
        "url": f"https://twitter.com/{made.author}/status/{made.id}", "date": made.iso + "+00:00",
        "rawContent": made.text, "renderedContent": made.text, "id": int(made.id),
        "user": {"_type": "snscrape.modules.twitter.User", "username": made.author, "id": 42,
                 "displayname": "A Name 🐦", "rawDescription": _WORDS, "followersCount": 100},
        "replyCount": 0, "retweetCount": made.number % 7, "likeCount": made.number % 100,
        "quoteCount": 0, "conversationId": int(made.id), "lang": "en", "source": "Web",
        "links": [{"text": "x", "url": url["expanded_url"], "tcourl": url["url"], "indices": [1, 2]}
                  for url in made.urls],
        "media": None, "retweetedTweet": None, "quotedTweet": None, "hashtags": None,
        "inReplyToTweetId": 7 if made.kind == "reply" else None,
        "inReplyToUser": {"username": "Tern", "id": 7} if made.kind == "reply" else None,
    }  # fmt: skip


def _archived(made: Made) -> dict[str, Any]:
    item: dict[str, Any] = {
        "edit_info": {"initial": {"editTweetIds": [made.id], "editableUntil": made.iso,
                                  "editsRemaining": "5", "isEditEligible": True}},
        "retweeted": False, "source": '<a href="https://mobile.twitter.com">Twitter Web App</a>',
        "entities": {"user_mentions": [], "urls": made.urls, "symbols": [], "hashtags": []},
        "display_text_range": ["0", str(len(made.text))], "favorite_count": str(made.number % 100),
        "id_str": made.id, "truncated": False, "retweet_count": str(made.number % 7),
        "id": made.id, "created_at": made.classic, "favorited": False, "full_text": made.text,
        "lang": "en", "possibly_sensitive": False,
    }  # fmt: skip
    if made.kind == "reply":
        item |= {"in_reply_to_screen_name": "Tern", "in_reply_to_status_id_str": "7"}
    return item


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet, "twarc-v2": write_v2,
    "twarc-v1": write_v1, "snscrape": write_snscrape, "x-archive": write_archive,
}  # fmt: skip
