"""Imports into a real DuckDB file: counts that add up, nothing twice, all of it or nothing."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.corpus.engine import borrowed
from core.corpus.forgotten import remember_forgotten
from core.corpus.importing import ImportProgress, ImportResult, import_path
from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.errors import CorpusBusy, InputRefused, Interrupted
from core.tweet import tweet_schema
from tests.fixtures.x_archive import ACCOUNT, archive_files, as_zip, note, script, tweet
from tests.oracles.corpus import tweets


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path / "home" / "deep" / "tweets.duckdb", lock_wait=0.3)


def write_csv(path: Path, rows: list[tuple[Any, ...]], header: str = "id,text,author") -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def reconciles(result: ImportResult) -> bool:
    parts = result.new + result.updated + result.duplicates + sum(result.skipped.values())
    return result.read == parts


def row(corpus: Corpus, tweet_id: str) -> dict[str, Any]:
    with corpus.reading() as connection:
        found = connection.execute(
            "SELECT * EXCLUDE (created_at, first_imported_at, last_imported_at) FROM tweets "
            "WHERE tweet_id = ?",
            [tweet_id],
        )
        names = [column[0] for column in found.description or []]
        values = found.fetchall()
    assert len(values) == 1
    return dict(zip(names, values[0], strict=True))


def test_archive_twice(corpus: Corpus, tmp_path: Path) -> None:
    long = "A thought that needs more room than a tweet has, and so & so on. " * 6
    files = archive_files(
        [tweet(1, "a"), tweet(2, long[:180].replace("&", "&amp;") + "…"), tweet(1, "a")],
        notes=[note(9, long)],
        deleted_tweets=script("deleted_tweets", [tweet(3, "gone")]),
    )
    path = as_zip(tmp_path / "a.zip", files)
    (first,) = import_path(corpus, path)
    assert first.to_json() == {
        "handle": "harbour_gull",
        "path": str(path),
        "format": "x-archive",
        "read": 4,
        "new": 2,
        "updated": 0,
        "duplicates": 1,
        "skipped": {"deleted": 1},
        "notes_joined": 1,
        "undated": 0,
        "warnings": [],
        "skipped_lines": [],
        "skipped_lines_more": 1,  # the deleted tweet
    }
    before = tweets(corpus, ["harbour_gull"])
    (second,) = import_path(corpus, path)
    assert (second.new, second.updated, second.duplicates) == (0, 0, 3)
    assert tweets(corpus, ["harbour_gull"]).equals(before)
    (account,) = accounts(corpus)
    assert (account.name, account.tweets, account.sources) == ("A Gull", 2, ["x-archive"])
    assert json.loads(json.dumps(account.to_json()))["first"] == "2023-02-18T12:33:11+00:00"
    assert ACCOUNT["email"].encode() not in corpus.path.read_bytes()
    with corpus.reading() as connection:
        imports = connection.execute(
            "SELECT file, read, new, duplicates, skipped['deleted'] FROM imports ORDER BY new DESC"
        ).fetchall()
    assert imports == [("a.zip", 4, 2, 1, 1), ("a.zip", 4, 0, 3, 1)]


def test_longer_text_wins_and_every_source_is_named(corpus: Corpus, tmp_path: Path) -> None:
    import_path(
        corpus, as_zip(tmp_path / "a.zip", archive_files([tweet(1, "a &lt; b"), tweet(2, "cut…")]))
    )
    rows = [(1, "a < b", "harbour_gull"), (2, "cut no more", "harbour_gull")]
    (result,) = import_path(corpus, write_csv(tmp_path / "b.csv", rows))
    assert (result.new, result.updated, result.duplicates) == (0, 1, 1)
    same = row(corpus, "1")  # the same words, once escaped: nothing to change
    assert (same["text"], same["text_escaped"], same["source"]) == ("a &lt; b", True, "x-archive")
    assert same["sources"] == ["x-archive", "csv"]
    longer = row(corpus, "2")
    assert (longer["text"], longer["text_escaped"], longer["source"], longer["source_file"]) == (
        "cut no more",
        False,
        "csv",
        "b.csv",
    )
    assert longer["favourites"] == 3  # the CSV says nothing about it
    (back,) = import_path(corpus, tmp_path / "a.zip")
    assert (back.new, back.updated, back.duplicates) == (0, 0, 2)


def test_equal_length_takes_the_newer(corpus: Corpus, tmp_path: Path) -> None:
    import_path(corpus, write_csv(tmp_path / "a.csv", [(1, "colour", "x")]))
    (result,) = import_path(corpus, write_csv(tmp_path / "b.csv", [(1, "kolour", "x")]))
    assert result.updated == 1
    assert row(corpus, "1")["text"] == "kolour"


def test_counts_update_quietly(corpus: Corpus, tmp_path: Path) -> None:
    header = "id,text,author,favorite_count,is_retweet"
    import_path(corpus, write_csv(tmp_path / "a.csv", [(1, "a", "x", 5, "")], header))
    (result,) = import_path(corpus, write_csv(tmp_path / "b.csv", [(1, "a", "x", 9, "")], header))
    assert (result.updated, result.duplicates) == (1, 0)
    assert row(corpus, "1")["favourites"] == 9
    (result,) = import_path(corpus, write_csv(tmp_path / "c.csv", [(1, "a", "x", "", "")], header))
    assert (result.updated, result.duplicates) == (0, 1)


def test_kind_only_becomes_more_specific(corpus: Corpus, tmp_path: Path) -> None:
    header = "id,text,author,is_retweet"
    import_path(corpus, write_csv(tmp_path / "a.csv", [(1, "RT @y: a", "x", "false")], header))
    import_path(corpus, write_csv(tmp_path / "b.csv", [(1, "RT @y: a", "x")]))
    assert row(corpus, "1")["kind"] == "manual_retweet"


def test_same_id_of_two_handles_is_two_tweets(corpus: Corpus, tmp_path: Path) -> None:
    results = import_path(corpus, write_csv(tmp_path / "a.csv", [(1, "a", "x"), (1, "b", "y")]))
    assert [(r.handle, r.new) for r in results] == [("x", 1), ("y", 1)]
    assert [a.handle for a in accounts(corpus)] == ["x", "y"]


def test_rows_without_a_handle_are_counted_somewhere(corpus: Corpus, tmp_path: Path) -> None:
    results = import_path(corpus, write_csv(tmp_path / "a.csv", [(1, "a", "x"), (2, "b", "")]))
    assert [(r.handle, r.read, r.skipped) for r in results] == [("x", 2, {"no_handle": 1})]
    assert reconciles(results[0])


def test_rows_without_a_handle_are_counted_though_nothing_is_left(
    corpus: Corpus, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv", [(1, "a", "x"), (2, "b", ""), (3, "c", "")])
    import_path(corpus, path)
    with corpus.writing() as connection:
        remember_forgotten(connection, ["1"])
        connection.execute("DELETE FROM tweets").fetchall()
    (result,) = import_path(corpus, path)
    assert (result.handle, result.read) == ("x", 3)
    assert result.skipped == {"forgotten": 1, "no_handle": 2}
    assert reconciles(result)
    assert result.unlisted == 1  # of three, two are listed with their lines


def test_text_is_kept_exactly(corpus: Corpus, tmp_path: Path) -> None:
    hostile = [
        "nul \x00 in" if sys.version_info >= (3, 11) else "an older csv module refuses it",
        "[red]x[/]",
        "\x1b[31m",
        "'; DROP TABLE tweets; --",
        "\u202e rtl",
        "👩‍👩‍👧",
    ]
    path = write_csv(tmp_path / "it's.csv", [(n, t, "x") for n, t in enumerate(hostile)])
    import_path(corpus, path)
    found = tweets(corpus, ["x"], newest_first=False).sort("tweet_id")
    assert found["text"].to_list() == hostile


@pytest.mark.slow
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(
        st.tuples(st.integers(0, 5), st.text(st.characters(codec="utf-8"), max_size=8)),
        min_size=1,
        max_size=12,
    )
)
def test_twice_is_once(tmp_path_factory: pytest.TempPathFactory, texts: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("twice")
    corpus = Corpus(folder / "c.duckdb")
    entries = [tweet(tweet_id, text) for tweet_id, text in texts]
    path = as_zip(folder / "a.zip", archive_files([tweet(99, "always"), *entries]))
    (first,) = import_path(corpus, path)
    before = tweets(corpus, ["harbour_gull"])
    (second,) = import_path(corpus, path)
    assert (second.new, second.updated) == (0, 0)
    assert reconciles(first)
    assert reconciles(second)
    assert tweets(corpus, ["harbour_gull"]).equals(before)
    assert before["tweet_id"].is_unique().all()
    assert before.height == first.new


def test_an_archive_with_nothing_sound_changes_nothing(corpus: Corpus, tmp_path: Path) -> None:
    bad = as_zip(tmp_path / "bad.zip", {**archive_files([]), "data/tweets-part1.js": "x = [ {"})
    with pytest.raises(InputRefused, match=r"tweets-part1\.js"):
        import_path(corpus, bad)
    assert not (tmp_path / "home").exists()
    import_path(corpus, as_zip(tmp_path / "good.zip", archive_files([tweet(1, "a")])))
    before = corpus.path.read_bytes()
    with pytest.raises(InputRefused):
        import_path(corpus, bad)
    assert corpus.path.read_bytes() == before


def test_stopping_changes_nothing(corpus: Corpus, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [(n, f"t{n}", "x") for n in range(100)])
    asked: list[int] = []

    def at_last() -> bool:
        asked.append(1)
        return len(asked) == calls

    for calls in range(1, 9):  # while reading, before writing, and right before the commit
        asked.clear()
        try:
            import_path(corpus, path, cancelled=at_last)
        except Interrupted as stopped:
            assert "as it was" in stopped.why  # noqa: PT017
            assert not (tmp_path / "home").exists()
        else:
            assert len(asked) < calls
            return
    pytest.fail("never came to an end")


def test_progress(corpus: Corpus, tmp_path: Path) -> None:
    seen: list[ImportProgress] = []
    path = write_csv(tmp_path / "a.csv", [(n, f"t{n}", "x") for n in range(100)])
    import_path(corpus, path, progress=seen.append)
    assert (seen[-1].phase, seen[-1].read, seen[-1].total) == ("writing", 100, 100)
    assert seen[-1].path == path


HOLD = """
import sys, time
from pathlib import Path
from core.corpus.store import Corpus
with getattr(Corpus(Path(sys.argv[1])), sys.argv[2])():
    print("held", flush=True)
    time.sleep(30)
"""


@pytest.mark.parametrize("held", ["reading", "writing"])
def test_busy_corpus_names_the_process(corpus: Corpus, tmp_path: Path, held: str) -> None:
    path = write_csv(tmp_path / "a.csv", [(1, "a", "x")])
    import_path(corpus, path)
    command = [sys.executable, "-c", HOLD, str(corpus.path), held]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(CorpusBusy, match=f"process {holder.pid}"):
                import_path(corpus, path)
            if held == "reading":
                assert accounts(corpus)[0].tweets == 1
            else:
                with pytest.raises(CorpusBusy, match=f"process {holder.pid}"):
                    accounts(corpus)
        finally:
            holder.kill()
    (result,) = import_path(Corpus(corpus.path, lock_wait=5), path)
    assert result.duplicates == 1


def test_threads_of_one_process_wait_for_each_other(corpus: Corpus, tmp_path: Path) -> None:
    import_path(corpus, write_csv(tmp_path / "a.csv", [(1, "a", "x")]))
    with corpus.reading(), corpus.reading() as second:
        assert second.execute("SELECT count(*) FROM tweets").fetchall() == [(1,)]
        with pytest.raises(CorpusBusy, match="this one"), corpus.writing():
            pass
    with corpus.writing():
        with pytest.raises(CorpusBusy), corpus.reading():
            pass
        with pytest.raises(CorpusBusy), corpus.writing():
            pass
    start = time.monotonic()
    with corpus.writing():
        pass
    assert time.monotonic() - start < 30


def test_somebody_elses_files(tmp_path: Path) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 1 AS x")
    source = write_csv(tmp_path / "a.csv", [(1, "a", "x")])
    with pytest.raises(InputRefused, match="not one of mynah's"):
        import_path(Corpus(path), source)
    with pytest.raises(InputRefused, match="not one of mynah's"):
        accounts(Corpus(path))
    with duckdb.connect(str(path)) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert tables == [("theirs",)]
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(InputRefused, match="cannot be opened"):
        import_path(Corpus(path), source)


def test_a_newer_corpus_is_left_alone(corpus: Corpus, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "a.csv", [(1, "a", "x")])
    import_path(corpus, source)
    with corpus.writing() as connection:
        connection.execute("INSERT INTO schema_version VALUES (9999, now())").fetchall()
    for use in (lambda: accounts(corpus), lambda: import_path(corpus, source)):
        with pytest.raises(InputRefused, match="newer mynah"):
            use()


def test_failed_use_of_a_writer_rolls_back(corpus: Corpus, tmp_path: Path) -> None:
    import_path(corpus, write_csv(tmp_path / "a.csv", [(1, "a", "x")]))

    def fails() -> None:
        with corpus.writing() as connection:
            connection.execute("DELETE FROM tweets").fetchall()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert accounts(corpus)[0].tweets == 1


def test_nothing_yet(corpus: Corpus) -> None:
    assert accounts(corpus) == []
    empty = tweets(corpus, ["x"])
    assert empty.is_empty()
    assert dict(empty.schema) == tweet_schema()
    assert not corpus.path.parent.exists()
    with pytest.raises(InputRefused, match="no corpus"), corpus.reading():
        pass


def test_order_and_years(corpus: Corpus, tmp_path: Path) -> None:
    rows = [
        (7, "undated", "x", ""),
        (9, "b", "x", "2015-01-01"),
        (10, "c", "x", "2015-01-01"),
        (1, "a", "x", "2018-05-05"),
    ]
    import_path(corpus, write_csv(tmp_path / "a.csv", rows, "id,text,author,date"))
    newest = tweets(corpus, ["x"])
    assert newest["tweet_id"].to_list() == ["1", "10", "9", "7"]
    assert dict(newest.schema) == tweet_schema()
    oldest = tweets(corpus, ["x"], newest_first=False)
    assert oldest["tweet_id"].to_list() == ["9", "10", "1", "7"]
    assert accounts(corpus)[0].per_year == [2, 0, 0, 1]
    assert tweets(corpus, ["x", "nobody"]).height == 4
    assert tweets(corpus, []).is_empty()
    assert isinstance(newest, pl.DataFrame)


class _ReplacedMeanwhile:
    """A connection, and somebody who writes the corpus anew between its opening and its lock."""

    def __init__(self, connection: Any, path: Path) -> None:
        self._connection = connection
        self._path = path
        self.attached = 0

    def execute(self, sql: str) -> Any:
        found = self._connection.execute(sql)
        if sql.startswith("ATTACH"):
            self.attached += 1
            if self.attached == 1:
                fresh = self._path.with_name("fresh")
                fresh.write_bytes(self._path.read_bytes())
                fresh.replace(self._path)
        return found


def test_a_writer_does_not_write_into_a_file_that_was_replaced(
    corpus: Corpus, tmp_path: Path
) -> None:
    import_path(corpus, as_zip(tmp_path / "a.zip", dict(archive_files([tweet(1, "the lamp")]))))
    with borrowed() as connection:
        watched = _ReplacedMeanwhile(connection, corpus.path)
        corpus._attach(watched, read_only=False)  # type: ignore[arg-type]
        assert watched.attached == 2
        connection.execute("UPDATE corpus.tweets SET text = 'changed'").fetchall()
    with corpus.reading() as connection:
        assert connection.execute("SELECT text FROM tweets").fetchall() == [("changed",)]


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_first_use_of_a_full_disk_leaves_nothing(corpus: Corpus, tmp_path: Path) -> None:
    import resource

    much = "CREATE TABLE much AS SELECT hash(range) AS n FROM range(300_000)"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, limits[1]))
    try:
        with pytest.raises(InputRefused, match="no room left"), corpus.writing() as connection:
            connection.execute(much).fetchall()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_a_first_use_that_fails_takes_nothing_away_from_who_was_quicker(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Corpus._make

    def quicker(slower: Corpus) -> None:
        monkeypatch.setattr(Corpus, "_make", make)
        with corpus.writing() as connection:
            connection.execute("INSERT INTO accounts (handle) VALUES ('ann')").fetchall()
        make(slower)

    monkeypatch.setattr(Corpus, "_make", quicker)
    with pytest.raises(ZeroDivisionError), corpus.writing():
        raise ZeroDivisionError
    with corpus.reading() as connection:
        assert connection.execute("SELECT handle FROM accounts").fetchall() == [("ann",)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            'IO Error: Could not write file "/h/t.wal": No space left on device',
            "/h/t.wal: No space",
        ),
        ('{"m":"Could not write file \\"/h/x\\": No space left on device"}', "/h/x: No space"),
        ('Cannot open file "/h/t.duckdb": Permission denied', "/h/t.duckdb: Permission denied"),
        ('Cannot open file "/h/t.duckdb": Read-only file system', "Read-only"),
        ("Disk quota exceeded", "Disk quota exceeded"),
    ],
)
def test_what_the_machine_refuses_is_no_bug(words: str, found: str) -> None:
    with pytest.raises(InputRefused) as refused, borrowed():
        raise duckdb.IOException(words)
    assert found in refused.value.why
    assert refused.value.next_step
    with pytest.raises(duckdb.IOException, match="other"), borrowed():
        raise duckdb.IOException("something other")
