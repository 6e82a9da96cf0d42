"""Tweets held small, so that millions of them fit: numbers as numbers, repeated words once.

Beside its text a tweet takes about 50 bytes. The rows lie as the corpus gave them; what people see
and what the comparing rules need are orders of row numbers, not sorted copies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from core.errors import Interrupted
from core.progress import Cancelled
from core.tweet import EXCLUDED_COLUMN, OPTIONAL, id_order, tweet_schema

if TYPE_CHECKING:
    from core.corpus.store import Corpus

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""

SLICE: Final = 25_000
"""Rows that are worked on at once: some 20 ms of work, so that a newer question need not wait."""

# The others would cost up to 64 bytes a tweet; of them the rules read only which tweet a reply
# answers, which is kept apart (see ``links``).
COLUMNS: Final = tuple(name for name in tweet_schema() if name not in OPTIONAL)

_FEW_VALUES: Final = ("handle", "kind", "lang", "audience", "source", "source_file")
_MANY_VALUES: Final = ("reply_to", "note_id")
_COUNTS: Final = ("favourites", "reposts")
_ANSWERED: Final = "reply_to_id"
_NUMERIC_ID: Final = "[1-9][0-9]{0,18}"  # as a number it is the same id again, and fits 64 bits
# DuckDB reads in groups of 122,880 rows; ranges that end where groups do read each group once.
_ROWS_READ: Final = 122_880
_READING_MEMORY: Final = "256MB"


def stop_if(cancelled: Cancelled | None) -> None:
    """Raises Interrupted when somebody has asked for something newer."""
    if cancelled and cancelled():
        raise Interrupted("The work on the tweets was stopped.")


class TweetTable:
    """``height`` tweets; a row number says where one lies."""

    def __init__(self, packed: pl.DataFrame, answers: pl.DataFrame) -> None:
        """``answers`` has row and answered, the id that the tweet of that row replies to."""
        self._packed = packed
        self._answers = answers
        self.height = packed.height
        self.handles = packed["handle"]
        self.newest_first = self._order("created_at", *self._id(), "handle", down=True)
        """All row numbers, newest first, undated last, ties by id and handle."""
        self._place: pl.Series | None = None
        self._excluded: pl.Series | None = None

    @classmethod
    def of(cls, tweets: pl.DataFrame) -> TweetTable:
        """A table of canonical tweets that are in memory already."""
        profile = _Profile.of(tweets)
        ids = profile.types.get("tweet_id", pl.String())
        answers = _answers(tweets.select(answered=pl.col("reply_to_id").cast(ids, strict=False)), 0)
        return cls(_packed([tweets.select(COLUMNS)], profile), answers)

    @classmethod
    def read(
        cls,
        corpus: Corpus,
        handles: Sequence[str],
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> TweetTable:
        """The tweets of ``handles``, read part by part. Raises CorpusBusy, Interrupted."""
        from core.corpus.excluded import excluded_in
        from core.corpus.reading import frame

        if not corpus.exists or not handles:
            return cls.of(pl.DataFrame(schema=tweet_schema()))
        who = {"handles": list(handles)}
        parts: list[pl.DataFrame] = []
        answers: list[pl.DataFrame] = []
        done = 0
        with corpus.reading() as connection:
            connection.execute("SET memory_limit = $1", [_READING_MEMORY])
            excluded = excluded_in(connection, handles)
            profile = _Profile(frame(connection.sql(_PROFILE, params=who)).row(0, named=True))
            # a file of an older version, which is only read, has no such column
            there = connection.table("corpus.main.tweets").columns
            columns = [*profile.columns(), profile.answered(there=_ANSWERED in there)]
            query = _PART.format(columns=", ".join(columns))
            for first in range(0, profile.end, _ROWS_READ):
                stop_if(cancelled)
                bounds = {"first": first, "end": first + _ROWS_READ}
                part = frame(connection.sql(query, params=who | bounds))
                answers.append(_answers(part, done))
                done += part.height
                parts.append(_packed([part.drop("answered")], profile))
                if progress:
                    progress(done, profile.rows)
        table = cls(_joined(parts, profile), pl.concat(answers).rechunk())
        table.exclude(excluded)
        return table

    def exclude(self, tweets: Collection[tuple[str, str]]) -> None:
        """Exactly these tweets (handle and id) are the ones that the person leaves out."""
        if not tweets:
            self._excluded = None
            return
        names = ("handle", "tweet_id")
        wanted = pl.DataFrame(list(tweets), schema=dict.fromkeys(names, pl.String), orient="row")
        types = {name: self._packed.schema[name] for name in names}
        wanted = wanted.select(pl.col(name).cast(types[name], strict=False) for name in names)
        rows = self._packed.select(names).with_row_index("row").join(wanted, on=names, how="semi")
        none = pl.repeat(value=False, n=self.height, dtype=pl.Boolean, eager=True)
        self._excluded = none.scatter(rows["row"], True)

    def slices(self) -> Iterator[slice]:
        """The whole table in parts of SLICE rows."""
        for start in range(0, self.height, SLICE):
            yield slice(start, min(start + SLICE, self.height))

    def canonical(self, rows: slice | pl.Series, columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
        """Some rows (a slice, or numbers in any order) with the types of canonical tweets."""
        schema = tweet_schema()
        part = self._packed.select(columns)[rows]
        return part.cast({name: schema[name] for name in columns})

    def to_judge(self, rows: slice | pl.Series, columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
        """The same, with EXCLUDED_COLUMN where some tweets are left out."""
        tweets, excluded = self.canonical(rows, columns), self._excluded
        if excluded is None:
            return tweets
        return tweets.with_columns(excluded[rows].alias(EXCLUDED_COLUMN))

    def links(self) -> pl.DataFrame:
        """For each row: place and tweet (its number), and answered: the row that it replies to.

        Null where that is none of the account's own.
        """
        ids = self._packed.select("handle", "tweet_id").with_row_index("asked")
        asked = (
            self._answers.with_columns(self.handles.gather(self._answers["row"]).alias("handle"))
            .join(ids, left_on=["handle", "answered"], right_on=["handle", "tweet_id"])
            .unique("row", keep="first", maintain_order=True)
        )
        rows = pl.int_range(self.height, dtype=pl.UInt32, eager=True)
        answered = pl.repeat(None, self.height, dtype=pl.UInt64, eager=True)
        return pl.DataFrame(
            {
                "place": rows,
                "tweet": rows.cast(pl.UInt64),
                "answered": answered.scatter(asked["row"], asked["asked"].cast(pl.UInt64)),
            }
        )

    def by_account_and_time(self, rows: pl.Series) -> pl.Series:
        """How to arrange ``rows`` in the order of ``core.tweet.SQL_ORDER``."""
        if self._place is None:
            order = self._order("handle", "created_at", *self._id(), down=False)
            self._place = order.arg_sort()
        return self._place.gather(rows).arg_sort()

    def _id(self) -> list[pl.Expr]:
        is_text = self._packed.schema["tweet_id"] == pl.String()
        return id_order() if is_text else [pl.col("tweet_id")]

    def _order(self, *by: str | pl.Expr, down: bool) -> pl.Series:
        descending = [down and one != "handle" if isinstance(one, str) else down for one in by]
        row = pl.arg_sort_by(by, descending=descending, nulls_last=True).cast(pl.UInt32)
        return self._packed.lazy().select(row.alias("row")).collect()["row"]


class _Profile:
    """What the tweets hold, and with it the smallest types that hold them."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.rows, self.end = int(found["rows"]), int(found["last_row"] or 0) + 1
        self.types: dict[str, Any] = {name: pl.Categorical() for name in _MANY_VALUES}
        for name in _FEW_VALUES:
            self.types[name] = pl.Enum(
                sorted({value for value in found[name] or () if value is not None})
            )
        if found["numeric_ids"]:
            self.types["tweet_id"] = pl.UInt64()
        for name in _COUNTS:
            low, high = found[f"least_{name}"] or 0, found[f"most_{name}"] or 0
            if low >= 0 and high < 2**32:
                self.types[name] = pl.UInt32()

    @classmethod
    def of(cls, tweets: pl.DataFrame) -> _Profile:
        found: dict[str, Any] = {"rows": tweets.height, "last_row": tweets.height}
        for name in _FEW_VALUES:
            found[name] = tweets[name].drop_nulls().unique().to_list()
        ids = tweets["tweet_id"].str.contains(f"^(?:{_NUMERIC_ID})$")
        found["numeric_ids"] = bool(ids.fill_null(value=False).all())
        for name in _COUNTS:
            found[f"least_{name}"], found[f"most_{name}"] = tweets[name].min(), tweets[name].max()
        return cls(found)

    def columns(self) -> list[str]:
        """The select list: numbers are made where they are read, which leaves no text behind."""
        made = {pl.UInt64(): "UBIGINT", pl.UInt32(): "UINTEGER"}
        return [
            f"{name}::{made[self.types[name]]} AS {name}" if self.types.get(name) in made else name
            for name in COLUMNS
        ]

    def answered(self, *, there: bool) -> str:
        """The id that a tweet replies to, of the type of ids, for the select list."""
        numeric = self.types.get("tweet_id") == pl.UInt64()
        if not there:
            return f"NULL::{'UBIGINT' if numeric else 'VARCHAR'} AS answered"
        if not numeric:
            return f"{_ANSWERED} AS answered"
        number = f"if({_ANSWERED}[1] BETWEEN '1' AND '9', try_cast({_ANSWERED} AS UBIGINT), NULL)"
        return f"{number} AS answered"


_PROFILE: Final = f"""
SELECT
    count(*) AS rows,
    max(rowid) AS last_row,
    bool_and(regexp_full_match(tweet_id, '{_NUMERIC_ID}')) AS numeric_ids,
    {", ".join(f"min({name}) AS least_{name}, max({name}) AS most_{name}" for name in _COUNTS)},
    {", ".join(f"list(DISTINCT {name}) AS {name}" for name in _FEW_VALUES)}
FROM corpus.main.tweets WHERE list_contains($handles, handle)
"""  # noqa: S608  # only names of this module
_PART: Final = (
    "SELECT {columns} FROM corpus.main.tweets "
    "WHERE rowid >= $first AND rowid < $end AND list_contains($handles, handle)"
)


def _answers(part: pl.DataFrame, first: int) -> pl.DataFrame:
    """row and answered of the replies in a part whose first row is ``first``: few, and copied."""
    rows = pl.int_range(first, first + pl.len(), dtype=pl.UInt32).alias("row")
    found = part.select(rows, "answered").drop_nulls()
    if found.schema["answered"] == pl.String():
        return found.with_columns(pl.concat_str("answered", pl.lit("")))
    return found


def _packed(parts: list[pl.DataFrame], profile: _Profile) -> pl.DataFrame:
    """Small types, and nothing borrowed: one borrowed column would keep all that was read alive."""
    schema = tweet_schema() | profile.types
    part = pl.concat(parts).cast({name: schema[name] for name in COLUMNS})
    # Gathering copies numbers, but of texts only where they lie; joining them copies those.
    texts = [pl.concat_str(name, pl.lit("")) for name in COLUMNS if schema[name] == pl.String()]
    return part.select(pl.all().gather(pl.int_range(pl.len()))).with_columns(texts).rechunk()


def _joined(parts: list[pl.DataFrame], profile: _Profile) -> pl.DataFrame:
    """One frame of many pieces; copied into one only where the pieces are small."""
    if not parts:
        return _packed([pl.DataFrame(schema=tweet_schema()).select(COLUMNS)], profile)
    joined: list[pl.DataFrame] = []
    small: list[pl.DataFrame] = []
    for part in parts:
        small.append(part)
        if sum(one.height for one in small) >= SLICE:
            joined.append(pl.concat(small, rechunk=len(small) > 1))
            small = []
    if small:
        joined.append(pl.concat(small, rechunk=True))
    return pl.concat(joined, rechunk=False)
