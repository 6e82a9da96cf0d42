"""What fetching keeps in the corpus: accounts, pages, and the ranges of ids that they cover.

A page's posts and its range are one transaction. So an end at any instant leaves either both or
neither, and what is covered is never claimed without being here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.corpus.forgotten import Forgetful
from core.corpus.merge import merge
from core.corpus.migrations import has_table
from core.fetching.posts import FORMAT, SOURCE_FILE, Page, XAccount
from core.fetching.ranges import Covered
from core.files import owned_folder
from core.sources.source import Account, SourceSummary, Tick

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from core.corpus.store import Corpus

_ARCHIVE: Final = "x-archive"
_STILL_HERE: Final = (
    "EXISTS (FROM tweets WHERE tweets.handle = fetched_ranges.handle "
    "AND list_contains(tweets.sources, $format))"
)
_RANGES: Final = f"""
SELECT newest_id, oldest_id, posts, reached_end, limited, account_posts, handle
FROM fetched_ranges
WHERE (handle = $handle OR account_id = $id) AND {_STILL_HERE}
ORDER BY newest_id::BIGINT DESC
"""  # noqa: S608
# A post that was fetched may be in an archive, too.
_HERE: Final = (
    "SELECT count(*) FROM tweets WHERE list_contains($handles, handle) AND audience = 'public' "
    "AND list_has_any(sources, $formats)"
)


@dataclass(frozen=True)
class Known:
    """What the corpus holds of an account before a fetch.

    ``covered`` are the ranges of fetched pages. ``archive`` is what an X archive covers: all posts
    up to its newest, so that they need not be paid for. ``looked_up`` is when X was last asked
    about the account; ``account_id`` is its number there, which an archive tells, too;
    ``other_names`` are handles under which some of it was fetched. ``posts_here`` counts the posts
    that need not be paid for again, each once.
    """

    account: XAccount | None = None
    account_id: str | None = None
    looked_up: datetime | None = None
    covered: tuple[Covered, ...] = ()
    archive: Covered | None = None
    archive_until: datetime | None = None
    other_names: tuple[str, ...] = ()
    posts_here: int = 0

    @property
    def ranges(self) -> tuple[Covered, ...]:
        return (*self.covered, self.archive) if self.archive else self.covered


@dataclass(frozen=True)
class Stored:
    new: int
    updated: int


class _PageSource:
    """A page in the shape in which sources come, for the one way into ``tweets`` that there is."""

    def __init__(self, account: XAccount, page: Page) -> None:
        self.summary = SourceSummary(Path(SOURCE_FILE), FORMAT, handle=account.handle)
        self.accounts = [
            Account(account.handle, account.name, account.account_id, account.bio, account.created)
        ]
        self.summary.saw(page.rows)
        self.summary.skip(account.handle, "unreadable", page.skipped)

    def outline(self) -> list[str]:
        return []

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        raise NotImplementedError("a page is staged already")


def load_known(corpus: Corpus, handle: str, account_id: str | None = None) -> Known:
    """What is here of ``handle``; nothing without a corpus. Raises CorpusBusy.

    With ``account_id`` also what was fetched of the same account under another name. Ranges count
    only while there are posts of theirs: forgetting an account forgets that it was fetched.
    """
    if not corpus.exists:
        return Known()
    with corpus.reading() as connection:
        archive, until = _archive(connection, handle)
        if not has_table(connection, "fetched_ranges"):  # a corpus from before fetching
            here = archive.posts if archive else 0
            return Known(archive=archive, archive_until=until, posts_here=here)
        rows = connection.execute(
            _RANGES,
            {"handle": handle, "id": account_id or "", "format": FORMAT},
        ).fetchall()
        found = connection.execute(
            "SELECT account_id, name, bio, picture_url, posts, epoch_us(looked_up_at) "
            "FROM accounts WHERE handle = ?",
            [handle],
        ).fetchall()
        others = tuple(sorted({row[-1] for row in rows} - {handle}))
        known_by = {"handles": [handle, *others], "formats": [FORMAT, _ARCHIVE]}
        ((here,),) = connection.execute(_HERE, known_by).fetchall()
    account, number, looked_up = None, None, None
    for its_id, name, bio, picture, posts, at in found:
        number = its_id if (its_id or "").isdecimal() else None  # one of Mastodon is an address
        if at is not None:
            account = XAccount(its_id, handle, name, bio, None, picture, False, posts)
            looked_up = datetime.fromtimestamp(at / 1e6, timezone.utc)
    covered = tuple(Covered(int(newest), int(oldest), *rest) for newest, oldest, *rest, _ in rows)
    return Known(account, number, looked_up, covered, archive, until, others, here)


def _archive(
    connection: duckdb.DuckDBPyConnection, handle: str
) -> tuple[Covered | None, datetime | None]:
    ((newest, count, at),) = connection.execute(
        "SELECT max(try_cast(tweet_id AS BIGINT)), count(*), epoch_us(max(created_at)) "
        "FROM tweets WHERE handle = ? AND list_contains(sources, ?) AND audience = 'public'",
        [handle, _ARCHIVE],
    ).fetchall()
    if newest is None or newest < 1:
        return None, None
    covered = Covered(newest, 1, count, reached_end=True, account_posts=count)
    return covered, None if at is None else datetime.fromtimestamp(at / 1e6, timezone.utc)


def prepare(corpus: Corpus, handle: str) -> None:
    """Make the corpus ready before anything is paid, and drop ranges whose posts are gone.

    Raises CorpusBusy.
    """
    with corpus.writing() as connection:
        connection.execute(
            f"DELETE FROM fetched_ranges WHERE handle = $handle AND NOT {_STILL_HERE}",  # noqa: S608
            {"handle": handle, "format": FORMAT},
        ).fetchall()


def store_account(corpus: Corpus, account: XAccount) -> None:
    """Keep what X says of an account, picture address included, for the card."""
    with corpus.writing() as connection:
        _keep_account(connection, account)


def _keep_account(connection: duckdb.DuckDBPyConnection, account: XAccount) -> None:
    at = datetime.now(timezone.utc)
    there = "SELECT 1 FROM accounts WHERE handle = ?"
    if not connection.execute(there, [account.handle]).fetchall():
        connection.execute("INSERT INTO accounts (handle) VALUES (?)", [account.handle]).fetchall()
    connection.execute(
        "UPDATE accounts SET name = coalesce(?, name), account_id = ?, bio = coalesce(?, bio), "
        "created_at = coalesce(?, created_at), picture_url = coalesce(?, picture_url), "
        "posts = coalesce(?, posts), looked_up_at = ?, updated_at = ? WHERE handle = ?",
        [account.name, account.account_id, account.bio, account.created, account.picture_url,
         account.posts, at, at, account.handle],
    ).fetchall()  # fmt: skip


def store_page(
    corpus: Corpus, account: XAccount, page: Page, covers: Covered | None, cost: Decimal
) -> Stored:
    """One transaction: the page's posts, earlier versions of edited ones out, the range covered.

    Raises CorpusBusy; then nothing of it is stored.
    """
    stored = Stored(0, 0)
    with owned_folder(corpus.path.parent, "fetched-page") as folder:
        file = folder / "page.parquet"
        source = _PageSource(account, page)
        with corpus.writing() as connection:
            if page.returned:
                forgetful = Forgetful()
                forgetful.look(connection)
                forgetful.without(page.rows, source.summary).write_parquet(file)
                done = merge(connection, source, [str(file)])
                counts = done.get(account.handle)
                if counts:
                    stored = Stored(counts.new, counts.updated)
            if page.replaced:
                _drop(connection, account.handle, page.replaced)
            if covers is not None:
                _cover(connection, account, covers, cost)
    return stored


def _cover(
    connection: duckdb.DuckDBPyConnection, account: XAccount, covers: Covered, cost: Decimal
) -> None:
    bounds = [account.handle, account.account_id, str(covers.newest), str(covers.oldest)]
    there = connection.execute(
        "SELECT 1 FROM fetched_ranges "
        "WHERE (handle, account_id, newest_id, oldest_id) = (?, ?, ?, ?)",
        bounds,
    ).fetchall()
    if there:  # a pending page that was stored, and whose file is still there
        return
    connection.execute(
        "INSERT INTO fetched_ranges VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [*bounds, covers.reached_end, covers.limited, covers.posts, covers.account_posts, cost,
         datetime.now(timezone.utc)],
    ).fetchall()  # fmt: skip


def _drop(connection: duckdb.DuckDBPyConnection, handle: str, tweet_ids: Sequence[str]) -> None:
    connection.execute(
        "DELETE FROM tweets WHERE handle = ? AND list_contains(?::VARCHAR[], tweet_id)",
        [handle, list(tweet_ids)],
    ).fetchall()
