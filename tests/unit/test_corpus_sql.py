"""The read-only SQL door: every query works, nothing else does, and runs are reachable."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from core.corpus import Corpus, import_path, run_query, saved_queries, write_result
from core.errors import InputRefused, Interrupted, WrongUsage
from core.home import Home
from core.training import list_runs
from tests.fixtures.x_archive import archive_files, as_zip, tweet


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    files = archive_files([tweet(n, f"tweet number {n}") for n in range(5)])
    import_path(Corpus(home.corpus), as_zip(tmp_path / "a.zip", files))
    return home


def ask(home: Home, sql: str, **options: Any) -> pl.DataFrame:
    return run_query(Corpus(home.corpus), home, sql, **options).frame


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM tweets",
        "FROM accounts",
        "from account_stats",
        "from curated -- all of it",
        "WITH a AS (FROM tweets) SELECT count(*) FROM a;",
        "DESCRIBE tweets",
        "SHOW TABLES",
        "SUMMARIZE tweets",
        "PIVOT tweets ON kind USING count(*)",
        "-- first\nPIVOT tweets ON kind USING count(*)",
        "EXPLAIN SELECT 1",
        "VALUES (1, 2)",
        "SELECT 1 AS a, 2 AS a, INTERVAL 1 DAY, [INTERVAL 1 DAY], 'infinity'::TIMESTAMP",
        "SELECT '2000-01-01'::DATE, now(), 1::HUGEINT, uuid(), MAP {'a': 1}, {'b': [now()]}",
        "SELECT sources, skipped FROM tweets, imports",
        "FROM runs",
        "FROM metrics",
        "FROM samples",
    ],
)
def test_queries(home: Home, sql: str) -> None:
    result = run_query(Corpus(home.corpus), home, sql)
    assert len(result.layout()) == result.frame.width
    for index in range(len(result)):
        assert all(isinstance(cell, str) for cell in result.cells(index))
    json.loads(write_result(result, "json", None) or "")
    write_result(result, "csv", None)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("INSERT INTO accounts VALUES (1)", "not a query but INSERT"),
        ("DELETE FROM tweets", "DELETE"),
        ("UPDATE tweets SET text = ''", "UPDATE"),
        ("DROP TABLE tweets", "DROP"),
        ("CREATE TEMP TABLE x AS SELECT 1", "CREATE"),
        ("COPY tweets TO 'HERE/x.csv'", "COPY"),
        ("EXPORT DATABASE 'HERE/x'", "EXPORT"),
        ("ATTACH 'HERE/x.duckdb'", "ATTACH"),
        ("INSTALL httpfs", "LOAD"),
        ("LOAD httpfs", "LOAD"),
        ("SET memory_limit = '1TB'", "SET"),
        ("PRAGMA enable_profiling", "PRAGMA"),
        ("CALL pragma_version()", "CALL"),
        ("BEGIN", "TRANSACTION"),
        ("CHECKPOINT", "CALL"),
        ("USE memory", "SET"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("", "no query"),
        ("-- nothing", "no query"),
        ("SELECT $1", "parameters"),
        ("SELECT '\ud83d'", "not text"),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT nothing FROM tweets", "nothing"),
        ("SELECT error('boom')", "boom"),
        ("FROM 'HERE/x.csv'", "disabled"),
        ("FROM read_text('/etc/hostname')", "disabled"),
        ("FROM glob('/*')", "disabled"),
        ("FROM read_json('HERE/*.json')", "disabled"),
        ("EXPLAIN ANALYZE DELETE FROM tweets", "read-only"),
        ("EXPLAIN ANALYZE COPY tweets TO 'HERE/x.csv'", "disabled"),
        ("FROM home", "does not exist"),
    ],
)
def test_refusals(home: Home, tmp_path: Path, sql: str, words: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    data = home.corpus.read_bytes()
    with pytest.raises(InputRefused) as refused:
        ask(home, sql.replace("HERE", str(tmp_path)))
    assert words in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert home.corpus.read_bytes() == data


def test_limit_says_when_there_was_more(home: Home) -> None:
    corpus = Corpus(home.corpus)
    for limit, rows, cut in ((3, 3, True), (5, 5, False), (9, 5, False), (None, 5, False)):
        result = run_query(corpus, home, "FROM tweets ORDER BY tweet_id", limit=limit)
        assert (len(result), result.truncated) == (rows, cut)


def test_a_query_can_be_stopped(home: Home) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Interrupted):
        ask(home, "SELECT count(*) FROM range(10000000000), range(1000)", cancelled=stop.is_set)
    assert ask(home, "SELECT 1").item() == 1


def test_memory_is_bounded(home: Home) -> None:
    with pytest.raises(InputRefused, match=r"(?i)memory"):
        ask(home, "SELECT list(range) FROM range(30000000)", memory="50MB")


def test_empty_home(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    for name in ("tweets", "accounts", "curated", "account_stats", "runs", "metrics", "samples"):
        assert ask(home, f"FROM {name}").is_empty()
    for query in saved_queries(home):
        assert ask(home, query.sql).is_empty()
    assert not home.root.exists()


def test_runs_metrics_samples(home: Home) -> None:
    folder = home.runs / "20260101-keeper"
    folder.mkdir(parents=True)
    (home.runs / "junk").mkdir()
    (folder / "run.json").write_text(
        json.dumps({"handles": ["a", "b"], "base": "tiny", "created": "2026-01-01T00:00:00Z"})
    )
    (folder / "metrics.jsonl").write_text(
        '{"kind": "train", "step": 1, "loss": 5.5, "note": "x"}\n'
        "broken\n"
        '{"kind": "eval", "step": 2, "loss": 4.25, "nested": {"a": 1}, "final": true}\n'
        '{"kind": "train", "step": 3, "lo'
    )
    (folder / "samples.jsonl").write_text('{"prompt": "My", "text": "half \\ud83d", "seed": 7}\n')
    run = ask(home, "FROM runs").row(0, named=True)
    assert run["run"] == "20260101-keeper"
    assert run["handles"] == ["a", "b"]
    (listed,) = list_runs(home)
    assert (run["base"], run["state"], run["step"]) == ("tiny", listed.state, listed.step)
    assert run["started"].isoformat() == "2026-01-01T00:00:00+00:00"
    assert set(run) == set(listed.to_json())
    metrics = ask(home, "FROM metrics ORDER BY step").to_dicts()
    assert metrics == [
        {
            "run": "20260101-keeper",
            "step": 1,
            "kind": "train",
            "final": None,
            "loss": 5.5,
            "nested": None,
            "note": "x",
        },
        {
            "run": "20260101-keeper",
            "step": 2,
            "kind": "eval",
            "final": True,
            "loss": 4.25,
            "nested": '{"a": 1}',
            "note": None,
        },
    ]
    assert ask(home, "SELECT prompt, text, seed FROM samples").rows() == [("My", "half ?", 7.0)]


def test_views_over_verdicts(home: Home) -> None:
    rows = [
        ("0", "standard", True, None, "tweet number"),
        ("1", "standard", False, "retweet", ""),
        ("2", "standard", False, "short", ""),
        ("3", "standard", False, "duplicate", ""),
        ("4", "classic", True, None, "abc"),
    ]
    with Corpus(home.corpus).writing() as connection:
        for tweet_id, recipe, kept, reason, clean in rows:
            connection.execute(
                "INSERT INTO verdicts VALUES (?, 'harbour_gull', ?, 'hash', ?, ?, ?)",
                [tweet_id, recipe, kept, reason, clean],
            ).fetchall()
    stats = ask(home, "FROM account_stats ORDER BY recipe DESC")
    assert stats.columns == (
        "handle recipe name downloaded retweets short kept kept_chars dropped".split()
    )
    first = stats.row(0, named=True)
    assert first["name"] == "A Gull"
    assert (first["downloaded"], first["retweets"], first["short"]) == (4, 1, 1)
    assert (first["kept"], first["kept_chars"]) == (1, 12)
    assert json.loads(first["dropped"]) == {"duplicate": 1}
    assert json.loads(stats.row(1, named=True)["dropped"]) == {}
    assert ask(home, "FROM curated").columns == (
        "tweet_id handle recipe kept reason clean_text".split()
    )


def test_other_tools_can_open_the_file(home: Home) -> None:
    with duckdb.connect(str(home.corpus), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM tweets").fetchall() == [(5,)]
        assert connection.execute("SELECT count(*) FROM account_stats").fetchall() == [(0,)]


def test_writing_results(home: Home, tmp_path: Path) -> None:
    sql = "FROM tweets SELECT tweet_id, created_at, sources, 15::HUGEINT AS f ORDER BY tweet_id"
    result = run_query(Corpus(home.corpus), home, sql, limit=1)
    expected = [
        {
            "tweet_id": "0",
            "created_at": "2023-02-18T12:33:11+00:00",
            "sources": ["x-archive"],
            "f": 15,
        }
    ]
    assert json.loads(write_result(result, "json", None) or "") == expected
    assert write_result(result, "jsonl", tmp_path / "a.jsonl") is None
    assert json.loads((tmp_path / "a.jsonl").read_text()) == expected[0]
    write_result(result, "parquet", tmp_path / "a.parquet")
    assert pl.read_parquet(tmp_path / "a.parquet").height == 1
    assert (
        (write_result(result, "csv", None) or "").splitlines()[1].endswith('"[""x-archive""]",15')
    )
    with pytest.raises(WrongUsage):
        write_result(result, "parquet", None)
    with pytest.raises(InputRefused, match="cannot be written"):
        write_result(result, "csv", tmp_path / "no" / "such" / "folder.csv")


def test_cells_are_safe_to_show(home: Home) -> None:
    result = run_query(Corpus(home.corpus), home, "SELECT '\x1b[31m' AS \"\u202e\", NULL, 1.5")
    assert result.cells(0) == ["␛[31m", "", "1.5"]
    assert result.layout()[0][0] == "‹202E›"


def test_saved_queries_have_titles(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "mine.sql").write_text("-- My own\nSELECT 1")
    (folder / "untitled.sql").write_text("SELECT 2")
    (folder / "bad.sql").write_bytes(b"\xff")
    found = saved_queries(home)
    assert [(q.title, q.sql, q.own) for q in found[:2]] == [
        ("My own", "SELECT 1", True),
        ("untitled", "SELECT 2", True),
    ]
    assert len(found) >= 6
    assert all(q.title and not q.sql.startswith("--") for q in found[2:])


def test_quiet_at_exit(home: Home) -> None:
    """DuckDB's bindings write to stderr when one of their types outlives the interpreter."""
    code = (
        "import sys; from pathlib import Path; from core.home import Home\n"
        "from core.corpus import *\n"
        "home = Home(Path(sys.argv[1])); corpus = Corpus(home.corpus)\n"
        "print(accounts(corpus)[0].tweets, tweets(corpus, ['harbour_gull']).height)\n"
        "print(len(run_query(corpus, home, 'FROM tweets')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(home.root)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("5 5\n5\n", "")


def test_corpus_is_light_to_import() -> None:
    code = "import sys, core.corpus, core.sources; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"torch", "transformers", "textual", "rich", "click", "pyarrow", "pandas"}
