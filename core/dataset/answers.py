"""What replies answer, where the corpus has it: for chat and instruct, and for runs that answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from core.corpus import excluded
from core.curation.judge import judge
from core.curation.recipe import Recipe
from core.errors import Interrupted
from core.files import owned_folder
from core.progress import Cancelled
from core.tweet import tweet_schema

if TYPE_CHECKING:
    from core.corpus.store import Corpus

_MEMORY: Final = "256MB"
_AT_ONCE: Final = 50_000
# Of an id that two accounts have, the first by handle.
_ANSWERED: Final = (
    "SELECT DISTINCT ON (tweet_id) {columns} FROM tweets WHERE tweet_id IN ("
    "SELECT reply_to_id FROM tweets "
    "WHERE handle IN (SELECT unnest($handles)) AND reply_to_id IS NOT NULL"
    "){but} ORDER BY tweet_id, handle"
)
_KNOWN: Final = (
    "SELECT count(*) FROM tweets AS answer WHERE handle IN (SELECT unnest($handles)) AND EXISTS ("
    "SELECT 1 FROM tweets WHERE tweet_id = answer.reply_to_id AND handle <> answer.handle)"
)
_BUT_EXCLUDED: Final = (
    f" AND (handle, tweet_id) NOT IN (SELECT (handle, tweet_id) FROM {excluded.TABLE})"  # noqa: S608
)
# The rules that clean a text, and those that say what must not be shown whoever wrote it.
_RULES: Final = (
    "engine",
    "unescape",
    "links",
    "mentions",
    "hashtags",
    "line_breaks",
    "drop_sensitive",
    "blocked_words",
    "personal_data",
)


# answered  the words, cleaned; null where they are not known, as the others then are
# answered_id, answered_by   which tweet, and whose: who forgets it finds the runs that read it
ANSWERED: Final = {
    "answered": pl.String(),
    "answered_id": pl.String(),
    "answered_by": pl.String(),
}


class Answers:
    """Texts by the id of the tweet, in files; memory does not grow with them.

    ``of_others``: a tweet that answers its own author, as those of a thread do, answers nothing.
    ``found`` counts the rows whose answered tweet was known.
    """

    def __init__(self, files: Sequence[Path], *, of_others: bool = False) -> None:
        self.found = 0
        self.of_others = of_others
        self._files = list(files)

    def to(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What each row answers by its ``reply_to_id`` (columns ANSWERED)."""
        wanted = rows["reply_to_id"].drop_nulls().unique()
        if not self._files or wanted.is_empty():
            return pl.DataFrame(schema=ANSWERED).clear(rows.height)
        texts = pl.scan_ipc(self._files, glob=False, hive_partitioning=False)
        found = texts.filter(pl.col("tweet_id").is_in(wanted.implode())).collect()
        named = found.select(
            reply_to_id="tweet_id", answered="text", answered_id="tweet_id", answered_by="handle"
        )
        joined = rows.select("handle", "reply_to_id").join(
            named, on="reply_to_id", how="left", maintain_order="left"
        )
        answered = joined.select(pl.col(name).cast(kind) for name, kind in ANSWERED.items())
        if self.of_others:
            own = joined["handle"].cast(pl.String) == answered["answered_by"]
            answered = answered.with_columns(pl.when(~own).then(pl.all()))
        self.found += answered.height - answered["answered"].null_count()
        return answered


@contextmanager
def answers_of(
    corpus: Corpus,
    handles: Sequence[str],
    recipe: Recipe,
    cancelled: Cancelled | None = None,
    *,
    of_others: bool = False,
) -> Iterator[Answers]:
    """The tweets, by any account, that tweets of ``handles`` answer, for the length of the block.

    Cleaned as ``recipe`` cleans (links, mentions, entities); a text that it would drop for
    personal data, a blocked word or as sensitive is not among them, nor one without words, nor one
    that the person leaves out. The
    corpus is let go before the block begins. Raises CorpusBusy, and Interrupted when ``cancelled``
    says so.
    """
    if not corpus.exists:
        yield Answers([], of_others=of_others)
        return
    with owned_folder(corpus.path.parent, "answers") as folder:
        found = folder / "tweets.parquet"
        with corpus.reading() as connection:
            but = _BUT_EXCLUDED if excluded.excluded_in(connection) else ""
            query = _ANSWERED.format(columns=", ".join(tweet_schema()), but=but)
            connection.execute("SET memory_limit = $1", [_MEMORY])
            connection.execute("SET temp_directory = $1", [str(folder / "sort")])
            relation = connection.sql(query, params={"handles": list(handles)})
            relation.write_parquet(str(found), compression="lz4")
        lenient = _lenient(recipe)
        files: list[Path] = []
        for tweets in _parts(found):
            if cancelled and cancelled():
                raise Interrupted("It was stopped.", "Nothing was written.")
            judged = judge(tweets, lenient, explain=False)
            texts = judged.filter(pl.col("reason").is_null() & (pl.col("clean_text") != ""))
            files.append(folder / f"{len(files):06}.arrow")
            texts.select("tweet_id", "handle", text="clean_text").write_ipc(
                files[-1], compression="lz4"
            )
        found.unlink()
        yield Answers(files, of_others=of_others)


def answers_known(corpus: Corpus, handles: Sequence[str]) -> int:
    """How many tweets of ``handles``, kept or not, answer one of another account in the corpus.

    Raises CorpusBusy.
    """
    if not corpus.exists:
        return 0
    with corpus.reading() as connection:
        ((found,),) = connection.execute(_KNOWN, {"handles": list(handles)}).fetchall()
    return int(found)


def cleaned(tweet: str, recipe: Recipe) -> str:
    """The words of a tweet that somebody typed, as ``recipe`` cleans those that are answered."""
    values = {"handle": "somebody", "text": tweet, "text_escaped": False, "kind": "original"}
    row = {name: [values.get(name)] for name in tweet_schema()}
    judged = judge(pl.DataFrame(row, schema=tweet_schema()), _lenient(recipe), explain=False)
    return str(judged["clean_text"].item())


def _lenient(recipe: Recipe) -> Recipe:
    return Recipe(
        recipe.name,
        **{name: getattr(recipe, name) for name in _RULES},
        min_words=0,
        drop_retweets=False,
        drop_manual_retweets=False,
    )


def _parts(path: Path) -> Iterator[pl.DataFrame]:
    rows = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    total = int(rows.select(pl.len()).collect().item())
    for start in range(0, total, _AT_ONCE):
        yield rows.slice(start, _AT_ONCE).cast(tweet_schema()).collect()  # type: ignore[arg-type]
