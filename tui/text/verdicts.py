"""What a recipe says of one tweet, and what else is known of it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.numbers import plural
from tui.text.numbers import exact

if TYPE_CHECKING:
    from core.workbench.view import TweetRow


def reason_word(tweet: TweetRow) -> str:
    """The reason in a word or two, as lists show it."""
    return (tweet.reason or "").replace("_", " ")


def verdict(tweet: TweetRow) -> str:
    """What the recipe says of one tweet, and the words that made it say so."""
    from core.curation.reasons import MANUAL_RETWEET, REASON_WORDS, RETWEET

    words = _trigger(tweet)
    if tweet.kept:
        return f"kept, but flagged:{words}" if words else "kept"
    why = REASON_WORDS.get(tweet.reason or "", reason_word(tweet))
    if tweet.reason in (RETWEET, MANUAL_RETWEET) and _names_itself(tweet):
        why = "this account's retweet of its own tweet"
    return f"dropped: {why}{words}"


def _names_itself(tweet: TweetRow) -> bool:
    """Whether the account repeats its own words: RT @ and its own handle."""
    _, sign, named = (tweet.trigger or "").rpartition("@")
    return bool(sign) and named.rstrip(": ").casefold() == tweet.handle.casefold()


def short_verdict(tweet: TweetRow) -> str:
    """The same in few words, where two must stand side by side."""
    return f"{'kept' if tweet.kept else reason_word(tweet)}{_trigger(tweet)}"


def _trigger(tweet: TweetRow) -> str:
    """With a space before it; in quotation marks only what the tweet itself says."""
    found = tweet.trigger or ""
    quoted = f"“{found}”" if found in tweet.published else f"({found})"
    return f" {quoted}" if found else ""


def known_of(tweet: TweetRow) -> list[str]:
    """Whose it is, when and of which kind, how it was liked, its id, and where it came from."""
    facts = [f"@{tweet.handle}", exact(tweet.created_at), tweet.kind.replace("_", " ")]
    if tweet.note_id:
        facts.append("long post")
    if tweet.audience != "public":
        facts.append(tweet.audience)
    if tweet.favourites is not None:
        facts.append(plural(tweet.favourites, "like"))
    if tweet.reposts is not None:
        facts.append(plural(tweet.reposts, "repost"))
    return [*facts, f"id {tweet.tweet_id}", f"from {tweet.source_file} ({tweet.source})"]
