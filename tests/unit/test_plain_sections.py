"""Filter, Query, Export and Settings in the plain mode."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from core.config import read_config
from core.home import Home
from tests.unit.cli import home_with_samples
from tests.unit.conversation import sentence, talk


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.mktemp("plain") / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), own)
    talk(own, "1", "3", "1")  # the keeper alone is chosen, and remembered
    return own


def test_a_rule_is_changed_and_what_it_did_is_said(home: Path) -> None:
    said = sentence(talk(home, "2", "2", "n", "15", "six", "3.7", "6", "b", "5", "mine", "b", ""))
    assert "The recipe standard keeps 726 of 987 tweets." in said
    assert "15. least words: 3" in said
    assert "It means: Tweets with fewer words count as short." in said
    assert "six is not a whole number from 0 to 100." in said
    assert "3.7 is not a whole number from 0 to 100." in said
    assert "The rule least words is 6." in said
    assert "Tweets kept: 685, 41 fewer than before." in said
    assert "Short tweets: 131, 41 more than before." in said
    assert "The recipe mine is saved." in said
    assert "2. Filter: the recipe mine." in said
    assert "min_words = 6" in (home / "recipes" / "mine.toml").read_text()


def test_each_kind_of_rule_is_asked_for_in_its_way(home: Path) -> None:
    said = sentence(
        talk(
            home, "2", "2",
            "1", "perhaps", "no",
            "8", "", "2",
            "9", "lamp, fog",
            "12", "last year", "2020-01-01",
            "b", "6",
        )
    )  # fmt: skip
    assert "perhaps is neither yes nor no." in said
    assert "The rule drop retweets is no. Tweets kept: 894, 168 more than before." in said
    assert "The rule personal data is flag. It changes none of the counts." in said
    assert "The rule blocked words is fog, lamp. Tweets kept:" in said
    assert "first_date is 'last year'" in said
    assert "The rule first date is 2020-01-01." in said
    assert "The rules are those of standard again. The recipe standard keeps 726" in said


def test_what_is_dropped_and_another_recipe(home: Path) -> None:
    broken = home / "recipes" / "zz.toml"
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("x = [")
    said = sentence(
        talk(
            home, "2", "3", "b", "8", "2", "b", "7", "3", "5", "zz", "no", "7", "2", "8", "1", "b",
        )
    )  # fmt: skip
    assert "zz.toml is there already. Replace it?" in said
    assert broken.read_text() == "x = ["
    broken.unlink()
    assert "zz: it cannot be read" in said
    assert "dropped (retweet): " in said
    assert "standard keeps 726 tweets, classic keeps" in said
    assert "are kept by standard only" in said
    assert "1 is kept by classic only, 0 by standard only." in said
    assert "The recipe strict keeps" in said


def test_a_query_over_several_lines_and_its_rows(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    said = sentence(
        talk(
            home, "3", "1",
            "SELECT handle, count(*) AS tweets", "FROM tweets GROUP BY ALL ORDER BY ALL;",
            "2", f"file {file}", f"file {file}", "no", "save By account", "file", "b",
            "2", "1", "no", "b",
            "3", "1", "b", "b",
            "4", "2", "b", "1", "SELECT NULL AS a, '' AS b;", "1",
        )
    )  # fmt: skip
    assert "1. a: NULL; b: empty" in said
    assert "> 1 a: NULL b: empty" in said
    assert "3 rows in" in said
    assert "2 columns: handle, tweets. 1. handle: keeper_of_the_light; tweets: 987" in said
    assert "handle: orbit_grandmother tweets: 1042" in said
    assert list(csv.reader(file.open()))[1] == ["keeper_of_the_light", "987"]
    assert "is there already. Replace it?" in said
    assert "The query is saved as By account." in said
    assert "No file was named." in said
    assert "1. By account" in said, "a person's own come first"
    assert "The columns of tweets: tweet_id (VARCHAR), handle (VARCHAR)," in said


def test_the_tweets_on_which_two_recipes_differ_are_lines(home: Path) -> None:
    said = sentence(
        talk(home, "2", "2", "n", "15", "6", "b", "8", "1", "1", "b", "6", "8", "2", "2")
    )
    assert "standard as it stands keeps 685 tweets, standard as it is saved keeps 726." in said
    assert "0 are kept by standard as it stands only, 41 by standard as it is saved only." in said
    assert ", standard as it stands short" in said
    assert ", standard as it is saved kept: " in said
    assert "The recipe standard as it stands says: dropped: " in said
    assert "The recipe standard as it is saved says: kept." in said
    assert ", kept in different words: @" in said
    assert "The recipe classic says: kept. " in said
    assert "The recipe standard says: kept. It is learned as: " in said


def test_how_long_learning_all_that_is_kept_takes(home: Path) -> None:
    said = sentence(talk(home, "2"))
    assert re.search(
        r"The preset fast learns all of it [\d.]+ times: about .+ here, estimated\.", said
    )
    longer = sentence(talk(home, "4", "3", "2", "b", "2"))
    assert "The preset quality learns all of it" in longer, "as the next run is set up"
    short = sentence(talk(home, "4", "4", "0.1", "1", "no"))
    assert "It goes through them less than 0.1 times, at " in short


def test_how_a_query_is_run_is_said_step_by_step(home: Path) -> None:
    sql = "SELECT handle, count(*) FROM tweets JOIN accounts USING (handle) GROUP BY ALL;"
    said = sentence(
        talk(home, "3", "1", sql, "explain", "analyse", "b", "5", sql, "1", f"EXPLAIN {sql}",
             "1", f"EXPLAIN ANALYZE {sql}", "1", "EXPLAIN ANALYZE SELECT count(*) FROM tweets;",
             "5", "FROM nowhere;", "3", "1")
    )  # fmt: skip
    would, ran = "DuckDB would run it in ", "It ran in "
    assert said.count(would) == 3, "of a query that ran, of one that did not, and of an EXPLAIN"
    assert said.count(ran) == 2
    for begins in (would, ran):
        plan = said.split(begins)[1]
        assert "Conditions: handle = handle." in plan
        assert re.search(r"3\. Hash join of steps 1 and 2\.", plan), plan
        assert re.search(r"\d\. Hash group by of step \d\.", plan), plan
    assert re.search(r"About [\d,]+ rows\.", said.split(would)[1])
    assert "3 rows, " in said.split(ran)[1]
    assert re.search(r"\d % of the time\.", said.split(ran)[1])
    assert "DuckDB has no steps for it: the answer is known without reading rows." in said
    assert "Line 1, character 6, at nowhere:" in said
    assert "1. FROM nowhere;" in said, "what was to be explained is remembered, too"


def test_a_statement_changes_the_corpus_after_a_yes_only(home: Path) -> None:
    statement = "DELETE FROM tweets WHERE handle = 'keeper_of_the_light' AND text LIKE '%fog%';"
    said = sentence(talk(home, "3", "1", statement, "no", "b", "2"))
    assert "there is no undo." in said
    assert f"copy this file first: {home / 'tweets.duckdb'}" in said
    assert "Nothing was changed." in said
    assert "of 987 tweets" in said
    said = sentence(
        talk(home, "3", "1", statement, "yes", "1", "DROP TABLE tweets;", "yes",
             "1", "COPY tweets TO 'x.csv';", "b", "2")
    )  # fmt: skip
    assert "DELETE: 32 rows changed in " in said
    assert "of 955 tweets" in said, "the tweets are read again"
    assert "tweets is a table or view that mynah relies on." in said
    assert "COPY is not allowed here." in said


def test_a_query_that_is_refused_says_where(home: Path) -> None:
    said = sentence(talk(home, "3", "1", "SELECT handle", "FROM nowhere", "", "1", "ATTACH 'x';"))
    assert "Line 2, character 6, at nowhere:" in said
    assert "The query was refused:" in said
    assert "Query: a number from 1 to 5" in said


def test_an_export_is_asked_for_and_written(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "tweets.jsonl"
    asked = "6", "2", "1", "10", str(file)
    said = sentence(talk(home, *asked))
    assert "the recipe standard keeps 726 of 987." in said
    assert "tweets.train.jsonl has 653 rows. tweets.valid.jsonl has 73 rows." in said
    train = (tmp_path / "tweets.train.jsonl").read_text().splitlines()
    assert len(train) == 653
    assert json.loads(train[0])["handle"] == "keeper_of_the_light"
    again = sentence(talk(home, *asked, "no"))
    assert "is there already, and 2 more. Replace it?" in again
    assert "Nothing was written." in again
    cells = tmp_path / "tweets.csv"
    talk(home, "6", "3", "1", "0", str(cells))
    manifest = json.loads((tmp_path / "tweets.csv.manifest.json").read_text())
    assert manifest["spreadsheet_safe"] is True


def test_settings_are_listed_and_changed(home: Path) -> None:
    said = sentence(
        talk(home, "4", "4", "1,5", "7", "b", "8", "1", "none", "b", "4", "b",
             "8", "4", "nonsense", "4", "5", "3", "none", "b", "4", "3", "b")
    )  # fmt: skip
    assert "1,5 is not a number from 0.1 to 600." in said
    assert "4. train.minutes: 2" in said
    assert "4. The time: at most 7 minutes" in said, "a theme has nothing to do with it"
    assert "train.minutes cannot be 'nonsense'." in said
    assert "train.minutes is 5." in said
    assert "train.preset is as mynah ships it." in said
    assert "4. The time: at most 5 minutes" in said
    assert read_config(Home(home)) == {"train.minutes": 5.0}
