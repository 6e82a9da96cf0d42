"""Forgetting: the rows are gone, from the file's bytes too, and what was made from them says so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.corpus.importing import import_path
from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.curation.recipe import load_recipe
from core.curation.stored_verdicts import store_verdicts
from core.dataset.exported import exports_of, remember_export
from core.dataset.frozen import load_frozen
from core.dataset.manifest import sealed, text_of
from core.errors import CorpusBusy, InputRefused, WrongUsage
from core.forgetting import forget
from core.home import Home
from core.processes import this_machine
from core.publish.published import Publication, remember_publication
from core.query.run import run_query
from core.runs.folder import Run, stale_note, stale_reason
from core.runs.record import RunRecord
from core.runs.settings import settings_for
from core.workflow.data import import_paths
from core.workflow.training import train_again
from tests.oracles.corpus import tweets
from tests.oracles.datasets import freeze
from tests.oracles.one_frame import curate
from tests.unit.cli import MYNAH, Ended, environment, mynah
from tests.unit.cli import on_a_terminal as terminal


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Home:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return Home.at(tmp_path / "home")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home, and beside it the files whose tweets it holds."""
    made = tmp_path_factory.mktemp("prepared")
    home = Home.at(made / "home")
    corpus = Corpus(home.corpus)
    for who in ("ann", "bob"):
        path = made / f"{who}.csv"
        lines = [f"{n},{who} wrote sentence number {n} about gulls,{who}" for n in range(40)]
        path.write_text("id,text,author\n" + "\n".join(lines) + "\n")
        import_path(corpus, path)
    store_verdicts(corpus, ["ann", "bob"], load_recipe("standard", home))
    for run, handles in (("20260101-0000-ann-aaaa", ["ann"]), ("20260102-0000-bob-bbbb", ["bob"])):
        folder = home.runs / run
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"handles": handles, "created": run[:8]}))
        (folder / "metrics.jsonl").write_text('{"kind": "end", "time": 1, "state": "finished"}\n')
        recipe = load_recipe("standard", home)
        freeze(curate(tweets(corpus, handles), recipe), folder / "dataset", recipe=recipe, seed=1)
    return made


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


def test_a_tweet_that_goes_alone_and_then_with_its_account_counts_once(home: Home) -> None:
    corpus = Corpus(home.corpus)
    run_id = "20260101-0000-ann-aaaa"
    assert forget(corpus, home, tweet_id="7").runs[run_id] == 1
    assert forget(corpus, home, handles=["ann"], dry_run=True).runs == {run_id: 39}
    assert forget(corpus, home, handles=["ann"]).runs == {run_id: 39}, "one was gone before"
    folder = home.runs / run_id
    assert stale_reason(folder) == "Made with 40 tweets of @ann that you have forgotten since."


def test_others_are_named_where_there_are_others(home: Home) -> None:
    corpus = Corpus(home.corpus)
    recipe = load_recipe("standard", home)
    both = home.runs / "20260103-0000-both-cccc"
    both.mkdir()
    (both / "run.json").write_text(json.dumps({"handles": ["ann", "bob"], "created": "2026"}))
    freeze(curate(tweets(corpus, ["ann", "bob"]), recipe), both / "dataset", recipe=recipe, seed=1)
    forget(corpus, home, tweet_id="7")  # each of them has one of this number
    forget(corpus, home, handles=["ann"])
    assert stale_reason(both) == (
        "Made with 41 tweets of @ann and others that you have forgotten since."
    )


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


def test_a_forgotten_tweet_does_not_come_back(home: Home, tmp_path: Path) -> None:
    corpus = Corpus(home.corpus)
    forget(corpus, home, tweet_id="7")
    with corpus.reading() as connection:
        gone = connection.execute("SELECT handle, tweet_id FROM forgotten_tweets ORDER BY ALL")
        assert gone.fetchall() == [("ann", "7"), ("bob", "7")]
    assert b"sentence number 7 about" not in home.corpus.read_bytes()
    (again,) = import_path(corpus, tmp_path / "ann.csv")
    assert (again.new, again.updated, again.duplicates) == (0, 0, 39)
    assert (again.read, again.skipped) == (40, {"forgotten": 1})
    assert "7" not in tweets(corpus, ["ann"])["tweet_id"]
    with pytest.raises(InputRefused, match="a tweet 7"):
        forget(corpus, home, tweet_id="7")
    (back,) = import_path(corpus, tmp_path / "ann.csv", include=frozenset({"forgotten"}))
    assert (back.new, back.skipped) == (1, {})
    (more,) = import_path(corpus, tmp_path / "ann.csv")
    assert (more.duplicates, more.skipped) == (40, {}), "what was taken in again is not forgotten"
    (other,) = import_path(corpus, tmp_path / "bob.csv")
    assert other.skipped == {"forgotten": 1}, "of the other account it still is"
    forget(corpus, home, handles=["bob"])
    (anew,) = import_path(corpus, tmp_path / "bob.csv")
    assert (anew.new, anew.skipped) == (40, {}), "an account starts over"


def test_a_fetch_passes_over_what_was_forgotten(home: Home) -> None:
    from decimal import Decimal

    from core.fetching.posts import XAccount, page_of
    from core.fetching.ranges import Covered
    from core.fetching.store import load_known, store_page

    corpus = Corpus(home.corpus)
    account = XAccount("42", "ann", "Ann")
    data = [{"id": str(n), "text": f"fetched {n}", "edit_history_tweet_ids": [str(n)]}
            for n in (1001, 1002, 1003)]  # fmt: skip
    page = page_of({"data": data, "meta": {"result_count": 3}}, account, since=None, until=None)
    covers = Covered(1003, 1001, posts=3)
    assert store_page(corpus, account, page, covers, Decimal("0.015")).new == 3
    forget(corpus, home, tweet_id="1002")
    assert load_known(corpus, "ann").covered == (covers,), "it is not paid for again"
    assert store_page(corpus, account, page, covers, Decimal("0.015")).new == 0
    assert "1002" not in tweets(corpus, ["ann"])["tweet_id"]
    forget(corpus, home, handles=["ann"])
    with corpus.reading() as connection:
        for table in ("tweets", "accounts", "verdicts", "imports", "fetched_ranges",
                      "forgotten_tweets", "import_skips"):  # fmt: skip
            left = connection.execute(f"SELECT count(*) FROM {table} WHERE handle = 'ann'")  # noqa: S608
            assert left.fetchall() == [(0,)], table


def test_what_lies_beside_the_corpus_goes_too(home: Home, tmp_path: Path) -> None:
    from decimal import Decimal

    from core.fetching.pending import PaidPage, pending_pages, save_pending
    from core.fetching.posts import XAccount
    from core.sampling.favourites import favourites, keep_favourite
    from core.sampling.request import Copy, SampleRequest

    corpus = Corpus(home.corpus)
    data = [{"id": "7", "text": "ann wrote to be forgotten"}, {"id": "8", "text": "kept"}]
    for who in ("ann", "ann_x"):
        body = {"data": data, "includes": {"tweets": data[:1]}}
        save_pending(home, PaidPage(XAccount("1", who), body, None, None, None, Decimal(0)))
    (home.root / "fetch-pending" / "ann-9.json").write_text("damaged")
    request = SampleRequest()
    for text, copy in (
        ("ann wrote sentence number 7 about gulls", Copy("verbatim", 7, "7")),
        ("something like number 9", Copy("near", 6, "9")),
        ("nobody's words", Copy("new", 1, "7")),
    ):
        keep_favourite(home, "20260101-0000-ann-aaaa", text, request, copy)
    home.settings.write_text(json.dumps({"chosen": ["ann", "bob"], "recipe": "classic"}))
    gone = forget(corpus, home, tweet_id="7")
    assert gone.files == {"fetched_pages": 2, "favourites": 1}
    ((path, page),) = pending_pages(home, "ann")
    assert [one["id"] for one in page.body["data"]] == ["8"]
    assert "to be forgotten" not in path.read_text()
    assert [kept.text for kept in favourites(home)] == ["something like number 9", "nobody's words"]
    assert "number 7" not in (home.root / "favourites.jsonl").read_text()
    gone = forget(corpus, home, handles=["ann"])
    assert gone.files == {"fetched_pages": 2, "favourites": 1, "settings": 1}
    assert gone.to_json()["files"] == gone.files
    assert [p.name for p in (home.root / "fetch-pending").iterdir()] == ["ann_x-0.json"]
    assert [kept.text for kept in favourites(home)] == ["nobody's words"]
    assert json.loads(home.settings.read_text()) == {"chosen": ["bob"], "recipe": "classic"}


def test_stale_runs_say_so(home: Home) -> None:
    before = json.loads(run(home, "runs", "--json").text)
    assert [one["stale"] for one in before] == [None, None]
    done = run(home, "forget", "ann", "--yes")
    assert "stale" in done.err
    listed = {one["run"]: one["stale"] for one in json.loads(run(home, "runs", "--json").text)}
    assert listed["20260101-0000-ann-aaaa"] == (
        "Made with 40 tweets of @ann that you have forgotten since."
    )
    assert listed["20260102-0000-bob-bbbb"] is None
    done = run(home, "runs")
    lines = done.text.splitlines()
    assert ["▲ stale" in line for line in lines if "ann-aaaa" in line] == [True]
    assert ["▲ stale" in line for line in lines if "bob-bbbb" in line] == [False]
    assert done.err.count("is stale") == 1
    for command in ("watch", "sample"):
        told = run(home, command, "20260101").err
        assert "▲ 20260101-0000-ann-aaaa is stale. Made with 40 tweets of @ann" in told
        assert "is stale" not in run(home, command, "20260102").err
    (home.runs / "20260102-0000-bob-bbbb" / "run.json").write_text("{damaged")
    (home.trash / "20260101T000000Z-no-run").mkdir(parents=True)
    assert run(home, "forget", "--tweet", "3", "--yes").code == 0, "whatever run.json is like"
    found = run(home, "sql", "SELECT run FROM runs WHERE stale IS NOT NULL", "--format", "csv")
    assert found.text.split() == ["run", "20260101-0000-ann-aaaa"]


def run(home: Home, *words: str, stdin: str = "") -> Ended:
    return mynah(*words, home=home.root, code=None, stdin=stdin.encode())


def test_the_command(home: Home) -> None:
    done = run(home, "forget", "@ANN", "--json", "--yes")
    assert (done.code, json.loads(done.text)["tweets"]) == (0, 40)
    done = run(home, "forget", "ann", "--yes")
    assert (done.code, done.text) == (3, "")
    done = run(home, "forget", "--tweet", "3", "--yes")
    assert (done.code, done.text) == (0, "Forgot the tweet 3: 1 tweet.\n")
    assert "stale" in done.err
    assert run(home, "forget").code == 2


def test_it_says_what_would_go_and_asks(home: Home, tmp_path: Path) -> None:
    before = home.corpus.read_bytes()
    run_id = "20260101-0000-ann-aaaa"
    where = tmp_path / "ann.jsonl"
    run(home, "export", "ann", "-o", str(where), "--format", "jsonl")
    assert run(home, "curate", "@ann", "-o", str(tmp_path / "judged")).code == 0
    folder = tmp_path / "parquet"
    corpus_rows = tweets(Corpus(home.corpus), ["ann", "bob"])
    folder.mkdir()
    corpus_rows.write_parquet(folder / "all.parquet")
    assert run(home, "curate", str(folder), "-o", str(tmp_path / "judged2")).code == 0
    remember_publication(
        Run(home.runs / run_id), Publication(to="hub", url="https://hub.test/me/ann")
    )
    asked = run(home, "forget", "ann")
    assert (asked.code, asked.text) == (2, "")
    assert "Nothing was forgotten: nobody can be asked here. Add --yes" in asked.err
    would = run(home, "forget", "ann", "--dry-run")
    assert would.code == 0
    for words in (
        "Forgetting @ann deletes 40 tweets from the corpus, for good.",
        f"▲ Run {run_id} becomes stale: its dataset and model were made with 40 of these tweets.",
        "https://hub.test/me/ann",
        f"▲ The export of {where}.manifest.json still holds them.",
        f"▲ The export in {tmp_path / 'judged'} still holds them.",
        f"▲ The export in {tmp_path / 'judged2'} still holds them.",
    ):
        assert words in would.text
        assert words in asked.err
    assert "bob" not in would.text
    counted = json.loads(run(home, "forget", "ann", "--dry-run", "--json").text)
    assert home.corpus.read_bytes() == before
    assert stale_note(home.runs / run_id) is None
    gone = json.loads(run(home, "forget", "ann", "--yes", "--json").text)
    assert gone == counted
    where.with_name("ann.jsonl.manifest.json").unlink()
    shutil.rmtree(tmp_path / "judged")
    shutil.rmtree(tmp_path / "judged2")
    one = json.loads(run(home, "forget", "--tweet", "3", "--dry-run", "--json").text)
    assert (one["tweets"], one["rows"], one["exports"]) == (1, {"tweets": 1, "verdicts": 1}, [])


@pytest.mark.parametrize("large", [False, True])
def test_a_manifest_of_any_size_is_looked_at(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    for name, handles in {"both": ["ann", "bob"], "bob": ["bob"], "files": ["files"]}.items():
        counted = {handle: {"kept": 1} for handle in handles}
        content = {"files": {"ann": {}}, "handles": counted, "recipe": {"ann": {}}}
        path = tmp_path / name
        path.write_text(text_of(sealed(content)), encoding="utf-8")
        remember_export(home, path)
    (tmp_path / "broken").write_text('{"handles": {"ann"' + " " * 1000)
    remember_export(home, tmp_path / "broken")
    if large:
        monkeypatch.setattr("core.dataset.manifest.MOST_BYTES", 10)
    assert exports_of(home, ["ann"]) == [str(tmp_path / "both")]
    assert exports_of(home, ["ann", "bob"]) == [str(tmp_path / name) for name in ("bob", "both")]
    assert exports_of(home, ["kept"]) == []


def test_a_no_on_the_terminal_forgets_nothing(home: Home) -> None:
    given: dict[str, Any] = {"keys": b"n\n", "after": "Forget @ann for good?"}
    code, seen = terminal([*MYNAH, "forget", "ann"], environment(home.root), **given)
    assert (code, b"Nothing was forgotten" in seen) == (130, True)
    assert len(accounts(Corpus(home.corpus))) == 2


def test_standard_input_and_mapping(home: Home) -> None:
    text = "when,body\n2020-01-02,hello there\n2020-01-03,hello again\n"
    done = run(home, "import", "-", "--handle", "carl", "--map", "text=body,date=when", "--json",
               stdin=text)  # fmt: skip
    assert done.code == 0, done.err
    (result,) = json.loads(done.text)
    assert (result["path"], result["new"], result["format"]) == ("-", 2, "csv")
    found = tweets(Corpus(home.corpus), ["carl"])
    assert found["created_at"].dt.year().to_list() == [2020, 2020]
    assert run(home, "import", "-", "--map", "text:body", stdin=text).code == 2
    assert run(home, "import", "-", "--map", "text=none", stdin=text).code == 2
    broken = "id,text,author\n1,a,x\n2,b,x,y,z\n3,c,x\n"
    done = run(home, "import", "-", "--json", stdin=broken)
    assert done.code == 0
    (result,) = json.loads(done.text)
    assert (result["new"], result["skipped"]) == (2, {"bad_row": 1})
    assert result["skipped_lines"] == [
        {"line": 3, "reason": "bad_row", "detail": "5 fields where the header has 3", "file": ""}
    ]
    assert result["skipped_lines_more"] == 0
    assert "line 3" in done.err
    assert run(home, "import", "-", stdin="id,text,author\n1,a\n").code == 3
    assert isinstance(found, pl.DataFrame)


def test_a_stale_sentence_says_no_more_than_is_known(tmp_path: Path) -> None:
    note = {"tweets": 41, "handles": ["ann"], "tweet_ids": ["7"]}
    (tmp_path / "stale.json").write_text(json.dumps(note))
    assert stale_reason(tmp_path) == (
        "Made with 41 tweets of @ann and others that you have forgotten since."
    )


def test_tables_of_ones_own_are_forgotten_in_any_schema_and_under_any_name(home: Home) -> None:
    corpus = Corpus(home.corpus)
    names = (
        'notes."a ""b"""',
        'notes."tweets"',
        '"it\'s ""mine"""',
        'notes."x; DROP TABLE tweets"',
    )
    with corpus.writing() as connection:
        connection.execute("CREATE SCHEMA notes").fetchall()
        for name in names:
            connection.execute(f"CREATE TABLE {name} AS SELECT handle, text FROM tweets").fetchall()  # noqa: S608
        connection.execute("CREATE TABLE notes.numbers (handle INTEGER)").fetchall()
        connection.execute('CREATE TABLE upper ("Handle" VARCHAR)').fetchall()
        connection.execute("INSERT INTO upper VALUES ('ann'), ('bob')").fetchall()
    gone = forget(corpus, home, handles=["ann"])
    assert gone.compacted
    own = {'notes.a "b"': 40, "notes.tweets": 40, "it's \"mine\"": 40, "upper": 1,
           "notes.x; DROP TABLE tweets": 40}  # fmt: skip
    assert {name: count for name, count in gone.rows.items() if name in own} == own
    with corpus.reading() as connection:
        for name in (*names, "tweets"):
            left = connection.execute(f"SELECT DISTINCT handle FROM {name}").fetchall()  # noqa: S608
            assert left == [("bob",)], name
    assert b"ann wrote" not in home.corpus.read_bytes()


def test_a_table_that_does_not_let_go_of_its_rows_is_named(home: Home) -> None:
    corpus = Corpus(home.corpus)
    with corpus.writing() as connection:
        for statement in (
            "CREATE SCHEMA mine",
            "CREATE TABLE mine.people (handle VARCHAR PRIMARY KEY)",
            "CREATE TABLE mine.notes (who VARCHAR REFERENCES mine.people (handle))",
            "INSERT INTO mine.people VALUES ('ann')",
            "INSERT INTO mine.notes VALUES ('ann')",
        ):
            connection.execute(statement).fetchall()
    with pytest.raises(InputRefused, match=r"mine\.people does not let go"):
        forget(corpus, home, handles=["ann"])
    assert len(tweets(corpus, ["ann"])) == 40
    with pytest.raises(InputRefused, match="nothing of @carl"):
        forget(corpus, home, handles=["carl"])


def cannot_replace(monkeypatch: pytest.MonkeyPatch, corpus: Path) -> None:
    """As on Windows, when another program has the file open."""
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if Path(target).name == corpus.name:
            raise PermissionError(13, "The process cannot access the file")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)


def test_text_that_is_still_in_the_file_is_told_and_goes_with_the_next_try(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus(home.corpus)
    with monkeypatch.context() as patch:
        cannot_replace(patch, home.corpus)
        gone = forget(corpus, home, handles=["ann"])
    assert (gone.tweets, gone.compacted) == (40, False)
    assert "cannot access the file" in gone.not_compacted
    assert [a.handle for a in accounts(corpus)] == ["bob"]
    assert b"ann wrote" in home.corpus.read_bytes()
    again = forget(corpus, home, handles=["ann"])
    assert (again.tweets, again.compacted, again.not_compacted) == (0, True, "")
    assert b"ann wrote" not in home.corpus.read_bytes()
    assert sorted(p.name for p in home.root.iterdir()) == ["runs", "tweets.duckdb"]
    with pytest.raises(InputRefused, match="nothing of @ann"):
        forget(corpus, home, handles=["ann"])


def test_the_command_says_that_the_text_is_still_there(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--home", str(home.root))
    with monkeypatch.context() as patch:
        cannot_replace(patch, home.corpus)
        refused = mynah("forget", "ann", "--json", "--yes", *where, code=3)
    assert refused.json()["compacted"] is False
    assert refused.json()["tweets"] == 40
    assert f"still inside {home.corpus}" in refused.err
    assert "run the same command again" in refused.err
    assert mynah("forget", "@ann", "--json", "--yes", *where).json()["compacted"] is True


def test_where_the_corpus_is_a_link_the_file_it_leads_to_is_written_anew(
    home: Home, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "disk" / "all.duckdb"
    elsewhere.parent.mkdir()
    home.corpus.rename(elsewhere)
    home.corpus.symlink_to(elsewhere)
    elsewhere.chmod(0o600)
    forget(Corpus(home.corpus), home, handles=["ann"])
    assert home.corpus.is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o600, "whom it was kept from it still is"
    assert b"ann wrote" not in elsewhere.read_bytes()
    assert [path.name for path in elsewhere.parent.iterdir()] == ["all.duckdb"]


def test_copies_of_a_process_of_another_machine_are_left_to_it(home: Home) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = home.root / f".mynah-curating-{this_machine()}-{ended.pid}-1000000000-abc"
    other = home.root / f".mynah-curating-0123456789ab-{ended.pid}-1000000000-abc"
    for folder in (mine, other):
        folder.mkdir()
        (folder / "tweets.parquet").write_text("ann wrote")
    forget(Corpus(home.corpus), home, handles=["ann"])
    assert (mine.exists(), other.exists()) == (False, True)


def test_a_tweet_that_said_it_again_is_the_first_to_say_it_then(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    path = tmp_path / "tweets.csv"
    said = ("the tide is out", "The tide is out", "gulls were here again")
    rows = [f"{n},{text},ann" for n, text in enumerate(said)]
    path.write_text("\n".join(["id,text,author", *rows]))
    import_paths(home, [path])
    corpus = Corpus(home.corpus)
    kept = "SELECT tweet_id FROM curated WHERE kept AND recipe = 'standard' ORDER BY ALL"
    assert [row["tweet_id"] for row in run_query(corpus, home, kept).records()] == ["0", "2"]
    forget(corpus, home, tweet_id="0")
    assert [row["tweet_id"] for row in run_query(corpus, home, kept).records()] == ["1", "2"]


def test_a_tweet_that_is_forgotten_while_a_file_with_it_is_read_stays_so(home: Home) -> None:
    corpus = Corpus(home.corpus)
    path = home.root.parent / "ann.csv"
    gone: list[int] = []

    def meanwhile(_: object) -> None:
        if not gone:
            gone.append(forget(corpus, home, tweet_id="7").tweets)

    (result,) = import_path(corpus, path, progress=meanwhile)
    assert gone == [2], "of both accounts"
    assert (result.read, result.duplicates, result.skipped) == (40, 39, {"forgotten": 1})
    assert tweets(corpus, ["ann"]).height == 39


def test_a_stale_run_can_be_trained_again_on_what_is_left(home: Home) -> None:
    alone, other = "20260101-0000-ann-aaaa", "20260102-0000-bob-bbbb"
    corpus = Corpus(home.corpus)
    recipe = load_recipe("standard", home)
    settings = settings_for("fast", "scratch", seed=7, lr=0.003).to_json()
    both = Run(home.runs / "20260103-0000-both-cccc")
    both.folder.mkdir()
    both.write_record(
        RunRecord(
            id=both.id,
            handles=["ann", "bob"],
            base="scratch",
            settings=settings,
            created="20260103",
        )
    )
    rows = curate(tweets(corpus, ["ann", "bob"]), recipe)
    freeze(rows, both.dataset, recipe=recipe, seed=1, weights={"ann": 3.0, "bob": 1.0})

    would = json.loads(run(home, "forget", "ann", "--dry-run", "--json").text)
    assert would["again"] == [both.id], f"nothing is left of {alone}, and {other} is not stale"
    done = run(home, "forget", "ann", "--yes")
    line = f"`mynah train --again {both.id}` makes that run anew without them."
    assert line in done.err.splitlines()
    assert f"--again {alone}" not in done.err

    again = train_again(home, both, torchrun=True)
    record = again.record()
    assert record.handles == ["bob"]
    assert record.settings == settings
    frozen = load_frozen(again.dataset)
    assert set(frozen.train["handle"]) | set(frozen.valid["handle"]) == {"bob"}
    assert stale_note(again.folder) is None
    for args, words in (
        (["ann"], "--again takes accounts from the run."),
        (["--lr", "0.1"], "--again takes --lr from the run."),
        (["--4bit"], "--again takes --4bit from the run."),
        (["--from", "latest"], "--from and --again do not go together."),
    ):
        refused = run(home, "train", "--again", both.id, *args)
        assert (refused.code, words in refused.err) == (2, True), refused.err
    assert "makes that run anew" not in run(home, "forget", "bob", "--yes").err
    assert f"{both.id} cannot be made again." in run(home, "train", "--again", both.id).err
