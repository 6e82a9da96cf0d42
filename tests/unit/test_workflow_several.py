"""Several files by one name: patterns, and folders of tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.home import Home
from core.workflow.data import import_paths, sample_archives
from core.workflow.several import files_at, is_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my [tweets]"
    folder.mkdir()
    for name in ("ann", "bob"):
        (folder / f"{name}.csv").write_text(f"id,text,author\n1,hello you,{name}\n")
    for name in (".hidden.csv", "notes.txt", "picture.png"):
        (folder / name).write_text("x")
    (folder / "deeper.csv").mkdir()
    return folder


def test_a_pattern_stands_for_the_files_that_fit_it(tmp_path: Path, folder: Path) -> None:
    plain = tmp_path / "plain"
    folder.rename(plain)
    assert [path.name for path in files_at(plain / "*.csv")] == ["ann.csv", "bob.csv"]
    assert [path.name for path in files_at(plain / "?nn.csv")] == ["ann.csv"]
    assert [path.name for path in files_at(tmp_path / "*" / "b*")] == ["bob.csv"]
    nothing = plain / "*.parquet"
    assert files_at(nothing) == [nothing]


def test_a_folder_of_tables_stands_for_them(folder: Path) -> None:
    assert [path.name for path in files_at(folder)] == ["ann.csv", "bob.csv"]


def test_a_name_with_brackets_that_is_there_is_no_pattern(folder: Path) -> None:
    file = folder / "ann.csv"
    assert files_at(file) == [file]


def test_an_archive_and_what_is_not_there_are_themselves(tmp_path: Path) -> None:
    archive = tmp_path / "archive" / "data"
    archive.mkdir(parents=True)
    (archive / "tweets.js").write_text("window.YTD.tweets.part0 = []")
    assert files_at(archive.parent) == [archive.parent]
    for path in (tmp_path / "nowhere", tmp_path / ("x" * 5000), Path("a\0b"), sample_archives()[0]):
        assert files_at(path) == [path]
    (tmp_path / "empty").mkdir()
    assert files_at(tmp_path / "empty") == [tmp_path / "empty"]


def test_all_of_them_come_in(tmp_path: Path, folder: Path) -> None:
    home = Home.at(tmp_path / "home")
    import_paths(home, [folder])
    assert sorted(one.handle for one in accounts(Corpus(home.corpus))) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("a.csv", True),
        ("A.CSV.gz", True),
        ("a.jsonl.zst", True),
        ("a.zip", False),
        ("csv", False),
        ("a.csv.manifest.json", False),
    ],
)
def test_which_names_are_tables(name: str, table: bool) -> None:
    assert is_table(name) is table
