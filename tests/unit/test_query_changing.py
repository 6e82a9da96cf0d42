"""The door for changes: tables of the corpus and nothing else, whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from core.corpus.store import Corpus
from core.errors import InputRefused, Interrupted, WrongUsage
from core.home import Home
from core.query.changing import Changed, change
from core.query.refusal import QueryRefused
from core.query.run import QueryOptions, run_query
from tests.fixtures.five_tweets import home_with_five_tweets


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_with_five_tweets(tmp_path)


def do(home: Home, sql: str, **options: Any) -> Changed | None:
    return change(Corpus(home.corpus), home, sql, **options)


def count(home: Home, sql: str) -> Any:
    return run_query(Corpus(home.corpus), home, sql).frame.item()


def test_changes_are_counted_and_stay(home: Home) -> None:
    done = do(home, "UPDATE tweets SET lang = 'xx' WHERE tweet_id IN ('1', '2');")
    assert str(done) == "UPDATE: 2 rows changed"
    assert count(home, "SELECT count(*) FROM tweets WHERE lang = 'xx'") == 2
    assert str(do(home, "CREATE TABLE mine AS FROM tweets")) == "CREATE is done"
    assert str(do(home, "INSERT INTO mine FROM mine LIMIT 1")) == "INSERT: 1 row changed"
    returned = do(home, "DELETE FROM mine WHERE tweet_id = '3' RETURNING handle")
    assert str(returned) == "DELETE: 1 row changed"
    # a row with one number is no count of rows
    returned = do(home, "UPDATE mine SET favourites = 50 WHERE tweet_id = '2' RETURNING favourites")
    assert str(returned) == "UPDATE: 1 row changed"
    assert count(home, "SELECT count(*) FROM mine") == 5
    assert str(do(home, "CREATE VIEW short AS SELECT text FROM mine")) == "CREATE is done"
    do(home, "DROP VIEW short")
    do(home, "DROP TABLE mine")
    gone = do(home, "DELETE FROM tweets")
    assert gone is not None
    assert (gone.kind, gone.rows) == ("DELETE", 5)


def test_runs_can_be_written_down(home: Home) -> None:
    do(home, "CREATE TABLE old_runs AS SELECT run, lr FROM runs")
    assert count(home, "SELECT count(*) FROM old_runs") == 0


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW mine AS SELECT run, lr FROM runs",
        "CREATE OR REPLACE VIEW mine (a) AS SELECT (SELECT count(*) FROM temp.samples)",
        "CREATE VIEW mine AS FROM tweets SEMI JOIN run_tweets USING (tweet_id)",
        "CREATE VIEW mine AS SELECT step FROM accounts, metrics",
    ],
)
def test_a_view_of_runs_would_be_empty(home: Home, sql: str) -> None:
    do(home, "CREATE VIEW mine_too AS SELECT count(*) AS runs FROM tweets")
    with pytest.raises(QueryRefused, match="The view mine would be empty"):
        do(home, sql)
    assert count(home, "SELECT count(*) FROM duckdb_views() WHERE view_name = 'mine'") == 0
    do(home, "DROP VIEW mine_too")


@pytest.mark.parametrize("sql", ["FROM tweets", "EXPLAIN FROM tweets", "SHOW TABLES"])
def test_a_query_is_left_to_the_other_door(home: Home, sql: str) -> None:
    assert do(home, sql) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("COPY tweets TO 'FOLDER/x.csv'", "COPY is not allowed"),
        ("COPY tweets FROM 'FOLDER/a.zip'", "COPY is not allowed"),
        ("ATTACH 'FOLDER/x.duckdb'", "ATTACH is not allowed"),
        ("DETACH corpus", "DETACH is not allowed"),
        ("INSTALL httpfs", "INSTALL or LOAD is not allowed"),
        ("SET memory_limit = '1TB'", "SET is not allowed"),
        ("PRAGMA enable_profiling", "PRAGMA is not allowed"),
        ("EXPORT DATABASE 'FOLDER/x'", "EXPORT is not allowed"),
        ("COMMIT", "TRANSACTION is not allowed"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO 'CORPUS.wal'", "COPY"),
        ("EXPLAIN ANALYZE DELETE FROM tweets", "DELETE"),
        ("CREATE PERSISTENT SECRET s (TYPE http)", "not allowed"),
        ("DELETE FROM tweets; DELETE FROM accounts", "2 statements"),
        ("INSERT INTO accounts (handle) SELECT content FROM read_text('/etc/hostname')", "files"),
        ("CREATE TABLE memory.mine AS SELECT 1", "would not stay"),
        ("CREATE TEMP TABLE mine AS SELECT 1", "would not stay"),
        ("INSERT INTO runs (run) VALUES ('mine')", "runs"),
        ("DROP VIEW IF EXISTS account_stats", "mynah relies on"),
        ("DROP TABLE tweets", "mynah relies on"),
        ("ALTER TABLE tweets DROP COLUMN lang", "mynah relies on"),
        ("ALTER TABLE accounts ADD COLUMN mine INTEGER", "mynah relies on"),
        ("ALTER TABLE imports RENAME TO exports", "mynah relies on"),
        ("CREATE OR REPLACE VIEW curated AS SELECT 1 AS one", "mynah relies on"),
        ("DELETE FROM schema_version", "schema's version"),
        ("UPDATE schema_version SET version = 99", "schema's version"),
        ("INSERT INTO tweets FROM tweets", "there twice"),
        ("UPDATE tweets SET tweet_id = '1'", "there twice"),
        ("DELETE FROM tweets WHERE nothing", "nothing"),
        ("DELETE FROM tweets WHERE error('boom')", "boom"),
    ],
)
def test_refusals_change_nothing(home: Home, tmp_path: Path, sql: str, words: str) -> None:
    before = sorted(tmp_path.rglob("*")), as_it_stands(home)
    with pytest.raises(InputRefused) as refused:
        do(home, sql.replace("FOLDER", str(tmp_path)).replace("CORPUS", str(home.corpus)))
    assert words in str(refused.value)
    after = sorted(tmp_path.rglob("*")), as_it_stands(home)
    assert after == before
    assert after[1][1] == [(5,)]


def as_it_stands(home: Home) -> tuple[Any, Any]:
    """The columns of everything in the corpus, and how many tweets there are."""
    shape = """
        SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'corpus'
        ORDER BY ALL
    """
    with Corpus(home.corpus).reading() as connection:
        columns = connection.execute(shape).fetchall()
        tweets = connection.execute("SELECT count(DISTINCT tweet_id) FROM tweets").fetchall()
    return columns, tweets


def test_a_mistake_has_a_place(home: Home) -> None:
    with pytest.raises(QueryRefused) as refused:
        do(home, "UPDATE tweets\nSET lang = nothing")
    assert refused.value.span is not None
    assert (refused.value.span.line, refused.value.span.column) == (2, 12)


def test_a_stopped_change_did_not_happen(home: Home) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Interrupted):
        do(
            home,
            "INSERT INTO accounts (handle) SELECT 'a' || range FROM range(100000000000)",
            options=QueryOptions(cancelled=stop.is_set),
        )
    assert count(home, "SELECT count(*) FROM accounts") == 1


def test_without_a_corpus_none_is_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    with pytest.raises(InputRefused, match="no corpus"):
        do(home, "CREATE TABLE mine (a INTEGER)")
    assert not home.root.exists()


def test_limits_must_make_sense(home: Home) -> None:
    with pytest.raises(WrongUsage):
        do(home, "DELETE FROM tweets", options=QueryOptions(memory="plenty"))
