"""Why a tweet is left out: exactly one reason each, the first that applies in this order."""

from __future__ import annotations

from typing import Final

RETWEET: Final = "retweet"
MANUAL_RETWEET: Final = "manual_retweet"
REPLY: Final = "reply"
QUOTE: Final = "quote"
LANGUAGE: Final = "language"
SENSITIVE: Final = "sensitive"
SHORT: Final = "short"
DUPLICATE: Final = "duplicate"

REASONS: Final = (RETWEET, MANUAL_RETWEET, REPLY, QUOTE, LANGUAGE, SENSITIVE, SHORT, DUPLICATE)
"""In order of precedence: a short retweet counts as a retweet."""

REASON_TITLES: Final = {
    RETWEET: "Retweets",
    MANUAL_RETWEET: "Manual retweets",
    REPLY: "Replies",
    QUOTE: "Quotes",
    LANGUAGE: "Other languages",
    SENSITIVE: "Sensitive tweets",
    SHORT: "Short tweets",
    DUPLICATE: "Duplicates",
}
"""What a table calls a row of such tweets."""

REASON_WORDS: Final = {
    RETWEET: "a retweet: somebody else wrote it",
    MANUAL_RETWEET: "a retweet typed by hand (RT @…): somebody else wrote most of it",
    REPLY: "a reply to somebody else",
    QUOTE: "a comment on a quoted tweet",
    LANGUAGE: "in a language that this recipe leaves out",
    SENSITIVE: "marked as sensitive",
    SHORT: "too few words once cleaned",
    DUPLICATE: "says the same as an earlier tweet of this account",
}
"""What one tweet is told, after "Left out:"."""
