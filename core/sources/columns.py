"""Any table of tweets to canonical rows: which column is which, and whole columns at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from core.errors import WrongUsage
from core.sources.batches import Lines
from core.sources.source import LISTED_LINES, SourceSummary
from core.sources.times import Dates, snowflake_times
from core.tweet import KINDS, canonical, made_id

# What a spreadsheet in German, French, Spanish, Portuguese, Italian or Dutch may say. Not "data",
# which is a date in two of them and anything in English.
_TEXT: Final = ("texto", "texte", "testo", "tekst", "beitrag", "mensaje", "mensagem", "bericht")
_DATE: Final = ("datum", "zeitpunkt", "fecha", "horodatage", "tijdstip")
_AUTHOR: Final = ("autor", "auteur", "autore", "benutzer", "benutzername", "nutzer", "nutzername",
                  "usuario", "usuário", "utilisateur", "utente", "gebruiker")  # fmt: skip
# Names in order of preference, compared without case, spaces and punctuation. id_str comes first:
# where both exist, "id" may have gone through a spreadsheet.
GUESSES: Final[dict[str, tuple[str, ...]]] = {
    "tweet_id": ("idstr", "tweetid", "tweetidstr", "statusid", "postid", "id"),
    "text": ("rawtext", "fulltext", "rawcontent", "text", "tweettext", "content", "tweet",
             "posttext", *_TEXT),
    "created": ("createdat", "date", "timestamp", "datetime", "time", "postedat", *_DATE),
    "author": ("author", "handle", "username", "user", "screenname", "userscreenname",
               "authorusername", "userusername", "authorhandle", *_AUTHOR),
    "retweet": ("isretweet", "retweet"),
    "lang": ("lang", "language"),
    "reply_name": ("inreplytoscreenname", "inreplytousername", "replyto", "replytousername"),
    "reply_id": (
        "inreplytostatusidstr", "inreplytostatusid", "inreplytotweetidstr", "inreplytotweetid",
        "inreplytoid", "replytostatusidstr", "replytostatusid", "replytotweetid", "replytoid",
    ),
    "reply_user": ("inreplytouseridstr", "inreplytouserid", "replytouseridstr", "replytouserid"),
    "quoted_id": ("quotedstatusidstr", "quotedstatusid", "quotedtweetidstr", "quotedtweetid",
                  "quotedid"),
    "conversation_id": ("conversationidstr", "conversationid"),
    "alt_text": ("alttext",),
    "sensitive": ("possiblysensitive", "sensitive"),
    "favourites": ("favoritecount", "favorites", "favouritecount", "favourites", "likecount",
                   "likes", "numberoflikes"),
    "reposts": ("retweetcount", "retweets", "repostcount", "reposts", "numberofshares"),
    "kind": ("kind",),
    "deleted": ("isdeleted", "deleted"),
}  # fmt: skip

# a row where one of these is filled answers another tweet
REPLY_ROLES: Final = ("reply_name", "reply_id", "reply_user")

# What a person calls a role in --map; the first of each is the one that is shown.
MAP_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "tweet_id": ("id", "tweet_id"), "text": ("text",), "created": ("date", "created", "created_at"),
    "author": ("author", "handle"), "retweet": ("retweet", "is_retweet"),
    "lang": ("lang", "language"), "reply_name": ("reply_to",), "reply_id": ("reply_to_id",),
    "reply_user": ("reply_to_user_id",), "quoted_id": ("quoted_id",),
    "conversation_id": ("conversation_id",), "alt_text": ("alt_text",), "sensitive": ("sensitive",),
    "favourites": ("favourites", "favorites", "likes"), "reposts": ("reposts", "retweets"),
    "kind": ("kind",), "deleted": ("deleted",),
}  # fmt: skip

_AT: Final = "row of the frame"
# A name, or name@host; how long they are is counted apart, for a pattern that counts letters of all
# scripts takes a tenth of a second to be made, in each thread anew.
_HANDLE: Final = r"^[\w.\-]+(@[\w.\-]+)?$"
_LONGEST_NAME: Final = 64
_LONGEST_HOST: Final = 128
_LONGEST_MENTION: Final = 20
_TRUE: Final = ["true", "t", "1", "yes", "y", "1.0"]
_MOST: Final = 10**15 - 1  # a count of fifteen digits
_FALSE: Final = ["false", "f", "0", "no", "n", "0.0"]
# how programs write that there is no id or name
NOTHING: Final = ["None", "none", "null", "NULL", "nan", "NaN", "<NA>", "N/A", "undefined"]
_ID: Final = r"^[A-Za-z0-9_:.\-]*[0-9][A-Za-z0-9_:.\-]*$"
_POINT_NOUGHT: Final = (r"^(\d{1,15})\.0+$", "${1}")  # 20.0 is 20
# 1.02769e+18 or 1027690000000000000.0: the last digits of the id are lost
_ROUNDED: Final = r"^\d+(\.\d+)?[eE][+]?\d+$|^\d{16,}\.0+$"


def plain_name(name: str) -> str:
    """``"Tweet ID"``, ``tweet_id`` and ``tweetId`` are all ``tweetid``."""
    return re.sub(r"[\W_]+", "", name).lower()


def guess(names: Iterable[str]) -> dict[str, str]:
    """Which of ``names`` is which of GUESSES' keys; the first of a doubled name counts."""
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(plain_name(name), name)
    return {
        role: next(known[option] for option in options if option in known)
        for role, options in GUESSES.items()
        if any(option in known for option in options)
    }


def roles_of(names: Iterable[str], mapping: Mapping[str, str], where: str) -> dict[str, str]:
    """The guessed roles with those of ``mapping`` in their place.

    Raises WrongUsage when ``mapping`` names a column that is not there.
    """
    there = list(names)
    roles = guess(there)
    for role, column in mapping.items():
        if column not in there:
            raise WrongUsage(
                f"{where} has no column {column!r}.",
                f"Its columns are: {', '.join(name.strip()[:40] for name in there[:12])}.",
            )
        # a column has one meaning: what it is mapped to
        roles = {known: name for known, name in roles.items() if name != column}
        roles[role] = column
    return roles


def read_map(given: str) -> dict[str, str]:
    """``"text=body,date=when"`` as role → column; raises WrongUsage for anything else."""
    roles = {name: role for role, names in MAP_NAMES.items() for name in names}
    mapping: dict[str, str] = {}
    for part in given.split(","):
        name, equals, column = part.partition("=")
        role = roles.get(name.strip().lower())
        if not equals or not column.strip() or role is None:
            raise WrongUsage(
                f"--map does not understand {part.strip()!r}.",
                f"There are: {', '.join(names[0] for names in MAP_NAMES.values())}.",
                "For example: --map text=body,date=when",
            )
        mapping[role] = column.strip()
    return mapping


class Canonical:
    """Turns raw text columns (named by GUESSES' keys, missing ones left out) into tweets.

    Counts may also come as numbers (Int64), and ``sensitive`` as a truth.

    ``replies_marked`` is whether the file has a column (or key) that tells replies, filled or not;
    in a file without one, a text that begins with a name is a reply, as on Twitter itself. What a
    row is depends on nothing but the row and that. ``dates`` reads the file's column of dates.
    ``escaped`` is whether & < > are written as entities: one answer for a file, or None when each
    text tells by itself. ``deleted`` is whether tweets marked so are wanted. ``snowflakes`` is
    whether an id tells the time where a date is missing.
    """

    def __init__(
        self,
        summary: SourceSummary,
        *,
        owner: str | None,
        escaped: bool | None,
        generate_ids: bool,
        deleted: bool = False,
        snowflakes: bool = True,
        replies_marked: bool = True,
        dates: Dates | None = None,
    ) -> None:
        self._summary = summary
        self._owner = owner
        self._escaped = escaped
        self._generate = generate_ids
        self._deleted = deleted
        self._snowflakes = snowflakes
        self._replies_marked = replies_marked
        self._dates = dates or Dates()
        self._rounded = False
        self._lines: Lines | None = None

    def frame(self, raw: pl.DataFrame, lines: Lines | None = None) -> pl.DataFrame:
        """A canonical frame of the rows that are tweets; the others are counted as skipped.

        ``lines`` tells where rows of ``raw`` stand in the file.
        """
        absent = [name for name in GUESSES if name not in raw.columns]
        self._lines = lines
        if lines:
            raw = raw.with_row_index(_AT)
        raw = raw.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
        handle = pl.lit(self._owner) if self._owner else _handles(raw["author"])
        raw = raw.with_columns(handle=handle)
        if not self._owner:
            names = raw["handle"].unique()  # few, and the pattern is slow
            unfit = names.filter(~_are_handles(names))
            if unfit.len() or names.null_count():
                raw = self._without(raw, pl.col("handle").is_in(unfit.implode()), "no_handle")
        raw = self._without(raw, pl.col("text").str.strip_chars() == "", "no_text", "text")
        if "deleted" not in absent and not self._deleted:
            raw = self._without(raw, _flag("deleted").is_in(_TRUE).fill_null(False), "deleted")
        raw = self._with_ids(raw)
        return self._finished(raw, set(absent))

    def _without(
        self, raw: pl.DataFrame, unfit: pl.Expr, reason: str, column: str = "handle"
    ) -> pl.DataFrame:
        mask = raw.select(unfit.fill_null(True) | pl.col(column).is_null()).to_series()
        if not mask.any():
            return raw
        lost = raw.filter(mask)
        if self._lines:
            for line in self._lines(lost[_AT].head(LISTED_LINES).to_list()):
                if not self._summary.passed_over(reason, line):
                    break
        if reason == "no_handle":
            self._summary.skip("", reason, lost.height)
        else:
            for handle, rows in lost["handle"].value_counts(name="rows").iter_rows():
                self._summary.skip(handle, reason, rows)
        return raw.filter(~mask)

    def _with_ids(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Rows without an id of their own get one from handle, date and text where allowed."""
        ids = raw["tweet_id"]
        if not ids.null_count() and ids.str.contains(r"^\d+$").all():
            return raw
        written = pl.col("tweet_id").str.strip_chars()
        raw = raw.with_columns(tweet_id=written.str.replace(*_POINT_NOUGHT))
        lacking = raw["tweet_id"].fill_null("").is_in(["", *NOTHING])
        rounded = raw["tweet_id"].str.contains(_ROUNDED).fill_null(False)
        lacking = rounded | lacking
        if rounded.any() and not self._rounded:
            self._rounded = True
            self._summary.warnings.append(
                "Some ids were rounded by a spreadsheet (such as 1.02e+18); those tweets get an id "
                "made from their handle, date and text."
            )
        if not self._generate:
            raw = self._without(raw, pl.lit(lacking & ~rounded), "no_id", "handle")
            lacking = raw["tweet_id"].str.contains(_ROUNDED).fill_null(False)
        if not lacking.any():
            return raw
        made = [
            made_id(handle, created, text) if lack else tweet_id
            for lack, tweet_id, handle, created, text in zip(
                lacking, raw["tweet_id"], raw["handle"], raw["created"], raw["text"], strict=True
            )
        ]
        return raw.with_columns(tweet_id=pl.Series(made, dtype=pl.String))

    def _finished(self, raw: pl.DataFrame, absent: set[str]) -> pl.DataFrame:
        ids = raw["tweet_id"]
        times = self._dates.read(raw["created"], ids if self._snowflakes else None)
        self._summary.dates_unread = self._dates.unread
        self._summary.date_example = self._dates.example
        if times.null_count() and self._snowflakes:
            times = pl.select(pl.coalesce(times, snowflake_times(ids))).to_series()
        text = pl.col("text")
        raw = raw.with_columns(
            mention=_mentions(raw["text"]),
            by_prefix=text.str.starts_with("RT @"),
        )
        mention, by_prefix = pl.col("mention"), pl.col("by_prefix")
        retweeted, typed = _written(raw["retweet"], _TRUE), _written(raw["retweet"], _FALSE)
        name = pl.col("reply_name").str.strip_chars().str.strip_prefix("@").str.to_lowercase()
        sure = _named("reply_name") | (_filled("reply_name") & (name == mention).fill_null(False))
        name = pl.when((name != "") & sure).then(name)
        replied = name.is_not_null() | _named("reply_id") | _named("reply_user")
        if not self._replies_marked:
            replied = mention.is_not_null()
        kind = (
            pl.when(retweeted)
            .then(pl.lit("retweet"))
            .when(by_prefix & typed)
            .then(pl.lit("manual_retweet"))
            .when(by_prefix)
            .then(pl.lit("retweet"))
            .when(replied)
            .then(pl.lit("reply"))
            .when(_named("quoted_id"))
            .then(pl.lit("quote"))
            .otherwise(pl.lit("original"))
        )
        if "kind" not in absent:
            given = pl.col("kind")
            if not raw["kind"].drop_nulls().unique().is_in(KINDS).all():
                given = _flag("kind")
            kind = pl.when(given.is_in(KINDS)).then(given).otherwise(kind)
        escaped = _by_itself(text) if self._escaped is None else pl.lit(self._escaped)
        audience = pl.lit("public")
        if "deleted" not in absent:
            audience = (
                pl.when(_flag("deleted").is_in(_TRUE)).then(pl.lit("deleted")).otherwise(audience)
            )
        frame = raw.with_columns(kind=kind).with_columns(
            created_at=times,
            text_escaped=escaped,
            lang=pl.when(_filled("lang")).then(pl.col("lang").str.strip_chars()),
            reply_to_id=_id(raw["reply_id"]),
            quoted_id=_id(raw["quoted_id"]),
            conversation_id=_id(raw["conversation_id"]),
            alt_text=pl.when(_filled("alt_text")).then(pl.col("alt_text")),
            reply_to=pl.when(pl.col("kind") == "reply").then(pl.coalesce(name, mention)),
            urls=pl.col("urls") if "urls" in raw.columns else pl.lit(None, dtype=pl.String),
            sensitive=_truth(raw["sensitive"]),
            favourites=_count(raw["favourites"]),
            reposts=_count(raw["reposts"]),
            note_id=pl.lit(None, dtype=pl.String),
            audience=audience,
            source=pl.lit(self._summary.format),
            source_file=pl.lit(self._summary.file_name),
        )
        return canonical(frame)


def _flag(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.to_lowercase()


def _written(column: pl.Series, words: list[str]) -> pl.Expr:
    """Whether a value is one of ``words``; the different values are few, and read once each."""
    if column.null_count() == column.len():
        return pl.lit(False)
    values = column.drop_nulls().unique()
    meant = values.filter(values.str.strip_chars().str.to_lowercase().is_in(words))
    return pl.col(column.name).is_in(meant.implode()) if meant.len() else pl.lit(False)


def _truth(column: pl.Series) -> pl.Expr:
    if column.dtype == pl.Boolean():
        return pl.col(column.name)
    yes, no = _written(column, _TRUE), _written(column, _FALSE)
    return pl.when(yes).then(pl.lit(True)).when(no).then(pl.lit(False))


def _handles(authors: pl.Series) -> pl.Series:
    """Authors in lower case and without @; those written so already stay as they are."""

    def bare(names: pl.Series) -> pl.Series:
        return names.str.strip_chars().str.strip_prefix("@").str.to_lowercase()

    names = authors.drop_nulls().unique()
    if bare(names).equals(names):
        return authors
    return bare(authors)


def _are_handles(names: pl.Series) -> pl.Series:
    parts = names.str.split("@").list
    host = parts.get(1, null_on_oob=True)
    return (
        names.str.contains(_HANDLE)
        & (parts.first().str.len_chars() <= _LONGEST_NAME)
        & (host.str.len_chars() <= _LONGEST_HOST).fill_null(True)
    )


def _mentions(texts: pl.Series) -> pl.Series:
    """The name at the very beginning of a text, in lower case."""
    begins = texts.str.starts_with("@")
    found = texts.clear(len(texts))  # of nulls
    if begins.any():
        names = texts.filter(begins).str.extract(r"^@(\w+)", 1)
        names = names.str.slice(0, _LONGEST_MENTION).str.to_lowercase()
        found = found.scatter(begins.arg_true(), names)
    return found


def _filled(column: str) -> pl.Expr:
    return (pl.col(column).str.strip_chars() != "").fill_null(False)


def _named(column: str) -> pl.Expr:
    """Whether an id or a name stands there, and not a program's word for none."""
    return _filled(column) & ~pl.col(column).is_in(NOTHING).fill_null(False)


def _id(column: pl.Series) -> pl.Expr:
    """An id that another tweet is named by; null for a rounded one, and for words such as None."""
    if column.null_count() == column.len():
        return pl.lit(None, dtype=pl.String)
    numbers = column.cast(pl.UInt64(), strict=False)  # the usual ids, without patterns
    if numbers.null_count() == column.null_count() and not column.str.starts_with("+").any():
        return pl.col(column.name)
    written = pl.col(column.name).str.strip_chars().str.replace(*_POINT_NOUGHT)
    sound = written.str.contains(_ID) & (written.str.len_bytes() <= 128)
    return pl.when(sound & ~written.str.contains(_ROUNDED)).then(written)


def _by_itself(text: pl.Expr) -> pl.Expr:
    """A text with an entity and without a bare ampersand was written with entities."""
    return text.str.contains("&(?:amp|lt|gt);") & ~text.str.contains("& ", literal=True)


def _count(column: pl.Series) -> pl.Expr:
    number = pl.col(column.name)
    if column.dtype == pl.Int64():
        return pl.when(number.is_between(0, _MOST)).then(number)
    if column.null_count() == column.len():
        return pl.lit(None, dtype=pl.Int64)
    number = number.str.extract(r"^\s*(\d{1,15})(?:\.0+)?\s*$", 1)
    return number.cast(pl.Int64, strict=False)
