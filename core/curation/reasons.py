"""Why a tweet is left out: exactly one reason each, the first that applies in this order."""

from __future__ import annotations

from typing import Final

EXCLUDED: Final = "excluded"
RETWEET: Final = "retweet"
MANUAL_RETWEET: Final = "manual_retweet"
REPLY: Final = "reply"
QUOTE: Final = "quote"
DATE: Final = "date"
LANGUAGE: Final = "language"
SENSITIVE: Final = "sensitive"
BLOCKED: Final = "blocked"
PERSONAL: Final = "personal"
JOINED: Final = "joined"
SHORT: Final = "short"
DUPLICATE: Final = "duplicate"
NEAR_DUPLICATE: Final = "near_duplicate"
CAP: Final = "cap"
LEAKED: Final = "leaked"

REASONS: Final = (
    EXCLUDED,
    RETWEET,
    MANUAL_RETWEET,
    REPLY,
    QUOTE,
    DATE,
    LANGUAGE,
    SENSITIVE,
    BLOCKED,
    PERSONAL,
    JOINED,
    SHORT,
    DUPLICATE,
    NEAR_DUPLICATE,
    CAP,
    LEAKED,
)
"""In order of precedence: a short retweet counts as a retweet."""

REASON_TITLES: Final = {
    EXCLUDED: "Left out by you",
    RETWEET: "Retweets",
    MANUAL_RETWEET: "Manual retweets",
    REPLY: "Replies",
    QUOTE: "Quotes",
    DATE: "Other dates",
    LANGUAGE: "Other languages",
    SENSITIVE: "Sensitive tweets",
    BLOCKED: "Blocked words",
    PERSONAL: "Personal data",
    JOINED: "Parts of threads",
    SHORT: "Short tweets",
    DUPLICATE: "Duplicates",
    NEAR_DUPLICATE: "Near duplicates",
    CAP: "Over the cap",
    LEAKED: "Given back",
}
"""What a table calls a row of such tweets."""

REASON_WORDS: Final = {
    EXCLUDED: "you leave this tweet out of training",
    RETWEET: "a retweet, written by somebody else",
    MANUAL_RETWEET: "a retweet typed by hand (RT @…), most of it written by somebody else",
    REPLY: "a reply to somebody else",
    QUOTE: "a comment on a quoted tweet",
    DATE: "outside the dates of this recipe",
    LANGUAGE: "in a language that this recipe leaves out",
    SENSITIVE: "marked as sensitive",
    BLOCKED: "holds a word that this recipe blocks",
    PERSONAL: "holds personal data",
    JOINED: "part of a thread: its words go with the first tweet of it",
    SHORT: "too short once cleaned",
    DUPLICATE: "says the same as an earlier tweet of this account",
    NEAR_DUPLICATE: "says nearly the same as an earlier tweet of this account",
    CAP: "beyond the number of tweets taken from one account",
    LEAKED: "an earlier model gave it back word for word",
}
"""What one tweet is told, after "Left out:"."""

RULE_REASONS: Final = {
    "drop_retweets": RETWEET,
    "drop_manual_retweets": MANUAL_RETWEET,
    "drop_replies": REPLY,
    "drop_quotes": QUOTE,
    "first_date": DATE,
    "last_date": DATE,
    "languages": LANGUAGE,
    "detect_languages": LANGUAGE,
    "drop_sensitive": SENSITIVE,
    "blocked_words": BLOCKED,
    "personal_data": PERSONAL,
    "threads": JOINED,
    "min_words": SHORT,
    "min_characters": SHORT,
    "drop_duplicates": DUPLICATE,
    "near_duplicates": NEAR_DUPLICATE,
    "most_per_author": CAP,
}
"""For which reason each rule of a recipe leaves tweets out; two rules may share one."""
