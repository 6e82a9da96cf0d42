"""Saved queries: the ones that ship all have something to say, one's own are files; the history."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from core.corpus.store import Corpus
from core.errors import InputRefused
from core.home import Home
from core.query.history import history_file, query_history, remember_query
from core.query.run import run_query
from core.query.saved import keep_query, saved_queries
from core.recent import MOST

RUNS = Path(__file__).parents[1] / "fixtures" / "runs"


@pytest.fixture(scope="module")
def told_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample authors, and two runs written by hand."""
    from core.workflow.data import import_paths, sample_archives

    home = Home(tmp_path_factory.mktemp("told") / "home")
    import_paths(home, sample_archives())
    shutil.copytree(RUNS, home.runs)
    dataset = home.runs / "20260301-1015-keeper-c0de" / "dataset"
    dataset.mkdir()
    tweets = "SELECT handle, tweet_id, created_at, text FROM corpus.main.tweets ORDER BY 1, 2"
    with Corpus(home.corpus).reading() as connection:
        for split, some in (("train", "LIMIT 900"), ("valid", "LIMIT 90 OFFSET 900")):
            connection.sql(f"{tweets} {some}").write_parquet(str(dataset / f"{split}.parquet"))
    return home


@pytest.mark.parametrize("query", saved_queries(), ids=lambda query: query.name)
def test_every_bundled_query_gives_rows(query: object, told_home: Home) -> None:
    from core.query.saved import SavedQuery

    assert isinstance(query, SavedQuery)
    result = run_query(Corpus(told_home.corpus), told_home, query.sql)
    assert len(result) > 0
    assert 8 < len(query.title) <= 27, "it has to fit the panel"
    assert query.about.endswith((".", ";")), "a sentence says what it is for"
    assert 20 < len(query.about) < 120


def test_there_are_enough() -> None:
    queries = saved_queries()
    assert len(queries) >= 15
    assert len({query.title for query in queries}) == len(queries)


def test_the_best_learning_rate_is_found(told_home: Home) -> None:
    query = next(query for query in saved_queries() if query.name == "learning_rates")
    rows = run_query(Corpus(told_home.corpus), told_home, query.sql).records()
    assert [(row["lr"], row["best"], row["best_run"]) for row in rows] == [
        (0.002, 3.45, "20260301-1015-keeper-c0de"),
        (0.002, 3.976, "20260228-2200-orbit_grandmother-beef"),
    ]


def test_own_queries_come_first(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "mine.sql").write_text("-- My own\n-- What for.\nSELECT 1")
    (folder / "untitled.sql").write_text("SELECT 2")
    (folder / "bad.sql").write_bytes(b"\xff")
    found = saved_queries(home)
    assert [(q.title, q.about, q.sql, q.own) for q in found[:2]] == [
        ("My own", "What for.", "-- What for.\nSELECT 1", True),
        ("untitled", "", "SELECT 2", True),
    ]
    assert not any(query.own for query in found[2:])


def test_a_query_is_kept_under_a_safe_name(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    kept = keep_query(home, " ../Fog &\n\x1b[31m Rain? ", "SELECT 1\n\n")
    (path,) = (home.root / "queries").iterdir()
    assert (path.name, kept.name) == ("fog_31m_rain.sql", "fog_31m_rain")
    assert path.read_text() == "-- ../Fog & ␛[31m Rain?\nSELECT 1\n"
    assert saved_queries(home)[0] == kept
    with pytest.raises(InputRefused, match="already"):
        keep_query(home, "fog 31m rain", "SELECT 2")
    keep_query(home, "Fog 31m rain", "SELECT 2", replace=True)
    assert saved_queries(home)[0].sql == "SELECT 2\n"
    assert keep_query(home, "con", "SELECT 3").name == "query_con"
    with pytest.raises(InputRefused, match="It needs letters from a to z, or digits"):
        keep_query(home, "Туман", "SELECT 1")
    for title, sql in (("...", "SELECT 1"), ("name", "  \n")):
        with pytest.raises(InputRefused):
            keep_query(home, title, sql)


def test_a_query_that_another_editor_saved_runs(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    keep_query(home, "Fog", "SELECT 1")
    file = home.root / "queries" / "query_fog.sql"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    found = saved_queries(home)[0]
    assert (found.title, found.sql) == ("Fog", "SELECT 1\n")


def test_history_is_bounded_private_and_forgiving(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    remember_query(home, "SELECT 0")
    assert not home.root.exists(), "looking around leaves no trace"
    home.root.mkdir()
    for number in (1, 2, 2, 3):
        remember_query(home, f" SELECT\n{number} ")
    remember_query(home, "  ")
    assert query_history(home) == ["SELECT\n1", "SELECT\n2", "SELECT\n3"]
    file = history_file(home)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open("a") as out:
        out.write('broken\n[1]\n{"sql": 5}\n')
    remember_query(home, "SELECT 4")
    assert query_history(home)[-1] == "SELECT 4"
    file.write_text("".join(json.dumps({"sql": f"SELECT {n}"}) + "\n" for n in range(MOST)))
    remember_query(home, "SELECT 'newest'")
    assert len(file.read_text().splitlines()) == len(query_history(home)) == MOST
    assert query_history(home)[0] == "SELECT 1"
    assert query_history(home)[-1] == "SELECT 'newest'"
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
