"""Forgetting: the rows are gone, from the file's bytes too, and what was made from them says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.corpus import Corpus, accounts, forget, import_path, run_query, stale_note, tweets
from core.curation import curate, load_recipe, materialise
from core.dataset.freeze import freeze
from core.errors import CorpusBusy, InputRefused, WrongUsage
from core.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    corpus = Corpus(home.corpus)
    for who in ("ann", "bob"):
        path = tmp_path / f"{who}.csv"
        lines = [f"{n},{who} wrote sentence number {n} about gulls,{who}" for n in range(40)]
        path.write_text("id,text,author\n" + "\n".join(lines) + "\n")
        import_path(corpus, path)
    materialise(corpus, ["ann", "bob"], load_recipe("standard", home))
    for run, handles in (("20260101-0000-ann-aaaa", ["ann"]), ("20260102-0000-bob-bbbb", ["bob"])):
        folder = home.runs / run
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"handles": handles, "created": run[:8]}))
        recipe = load_recipe("standard", home)
        freeze(curate(tweets(corpus, handles), recipe), folder / "dataset", recipe=recipe, seed=1)
    return home


def test_an_account(home: Home) -> None:
    corpus = Corpus(home.corpus)
    before = tweets(corpus, ["bob"])
    gone = forget(corpus, home, handles=["ann"])
    assert gone.to_json()["tweets"] == 40
    assert gone.rows == {"accounts": 1, "imports": 1, "tweets": 40, "verdicts": 40}
    assert gone.runs == {"20260101-0000-ann-aaaa": 40}
    assert [a.handle for a in accounts(corpus)] == ["bob"]
    assert tweets(corpus, ["bob"]).equals(before)
    data = home.corpus.read_bytes()
    assert b"ann wrote" not in data
    assert sorted(p.name for p in home.root.iterdir()) == ["runs", "tweets.duckdb"]
    assert run_query(corpus, home, "SELECT count(*) FROM account_stats").frame.item() == 1
    note = stale_note(home.runs / "20260101-0000-ann-aaaa")
    assert note is not None
    assert (note["handles"], note["tweets"]) == (["ann"], 40)
    assert stale_note(home.runs / "20260102-0000-bob-bbbb") is None
    with corpus.writing():  # the file is one to go on with
        pass


def test_one_tweet(home: Home) -> None:
    corpus = Corpus(home.corpus)
    gone = forget(corpus, home, tweet_id="7")
    assert (gone.tweets, gone.rows) == (2, {"tweets": 2, "verdicts": 2})
    assert set(gone.runs.values()) == {1}
    assert "7" not in tweets(corpus, ["ann", "bob"])["tweet_id"]
    again = Path(home.runs / "20260101-0000-ann-aaaa")
    forget(corpus, home, handles=["ann"])
    note = stale_note(again)
    assert note is not None
    assert (note["handles"], note["tweet_ids"]) == (["ann"], ["7"])


def test_nothing_to_forget(home: Home, tmp_path: Path) -> None:
    corpus = Corpus(home.corpus, lock_wait=0.2)
    before = home.corpus.read_bytes()
    with pytest.raises(InputRefused, match="@carl"):
        forget(corpus, home, handles=["ann", "carl"])
    with pytest.raises(InputRefused, match="a tweet 999"):
        forget(corpus, home, tweet_id="999")
    with pytest.raises(WrongUsage):
        forget(corpus, home)
    assert home.corpus.read_bytes() == before
    assert stale_note(home.runs / "20260101-0000-ann-aaaa") is None
    with pytest.raises(InputRefused, match="no corpus"):
        forget(Corpus(tmp_path / "none.duckdb"), home, handles=["ann"])
    with corpus.reading(), pytest.raises(CorpusBusy):
        forget(corpus, home, handles=["ann"])


def run(home: Home, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui", *words],
        env={**os.environ, "MYNAH_HOME": str(home.root)},
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def test_the_command(home: Home) -> None:
    done = run(home, "forget", "@ANN", "--json")
    assert (done.returncode, json.loads(done.stdout)["tweets"]) == (0, 40)
    done = run(home, "forget", "ann")
    assert (done.returncode, done.stdout) == (3, "")
    done = run(home, "forget", "--tweet", "3")
    assert (done.returncode, done.stdout) == (0, "Forgot tweet 3: 1 tweet.\n")
    assert "stale" in done.stderr
    assert run(home, "forget").returncode == 2


def test_standard_input_and_mapping(home: Home) -> None:
    text = "when,body\n2020-01-02,hello there\n2020-01-03,hello again\n"
    done = run(home, "import", "-", "--handle", "carl", "--map", "text=body,date=when", "--json",
               input=text)  # fmt: skip
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert (result["path"], result["new"], result["format"]) == ("-", 2, "csv")
    found = tweets(Corpus(home.corpus), ["carl"])
    assert found["created_at"].dt.year().to_list() == [2020, 2020]
    assert run(home, "import", "-", "--map", "text:body", input=text).returncode == 2
    assert run(home, "import", "-", "--map", "text=none", input=text).returncode == 2
    broken = "id,text,author\n1,a,x\n2,b,x,y,z\n3,c,x\n"
    done = run(home, "import", "-", "--json", input=broken)
    assert done.returncode == 0
    (result,) = json.loads(done.stdout)
    assert (result["new"], result["skipped"]) == (2, {"bad_row": 1})
    assert result["broken"] == [
        {"line": 3, "reason": "bad_row", "detail": "5 fields where the header has 3"}
    ]
    assert "line 3" in done.stderr
    assert run(home, "import", "-", input="id,text,author\n1,a\n").returncode == 3
    assert isinstance(found, pl.DataFrame)
