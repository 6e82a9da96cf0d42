"""Colours and names: any text has tokens, and what is offered is what could be meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.corpus.store import Corpus
from core.home import Home
from core.query.catalogue import Catalogue, FunctionEntry, TableEntry, catalogue
from core.query.completion import complete, in_sql
from core.query.tokens import explained, statement, tokens, words

NAMES = Catalogue(
    (
        TableEntry("tweets", False, (("tweet_id", "VARCHAR"), ("text", "VARCHAR"))),
        TableEntry("accounts", False, (("handle", "VARCHAR"), ("created_at", "TIMESTAMPTZ"))),
        TableEntry("odd", True, (("two words", "BIGINT"), ("valid_loss", "DOUBLE"))),
    ),
    (
        FunctionEntry("count", "aggregate", ("arg",), "How many."),
        FunctionEntry("text_of", "scalar"),
        FunctionEntry("from_base64", "scalar"),
    ),
)
ODDMENTS = st.text(alphabet="SELECTfromtweets_.,;()'\"$-/*\n 0123é😀", max_size=80)


def offered(sql: str) -> list[str]:
    """What is offered at the bar."""
    cursor = sql.index("|")
    return [choice.text for choice in complete(NAMES, sql.replace("|", ""), cursor).choices]


def test_a_clause_comes_before_a_function_and_a_table_before_a_column() -> None:
    assert offered("SELECT text fro|")[0].upper() == "FROM"
    assert offered("SELECT text FROM t|weets") == []
    assert offered("SELECT text FROM tw|") == ["tweets"]
    assert "text" not in offered("SELECT text FROM te|")


@given(ODDMENTS | st.text(max_size=80))
def test_tokens_and_spaces_give_the_text_back(sql: str) -> None:
    found = tokens(sql)
    at = 0
    for token in found:
        assert token.start >= at
        assert sql[at : token.start].strip() == ""
        assert sql[token.start : token.end] == token.text != ""
        at = token.end
    assert sql[at:].strip() == ""


@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ("SELECT a -- b", "keyword name comment"),
        ("'it''s' \"a b\" $$x'y$$ $t$z$t$", "string quoted string string"),
        ("'open", "string"),
        ("/* open\n more", "comment"),
        ("count(*) 1.5e-3 .5", "function sign sign sign number number"),
        ("left('a', 1) LEFT JOIN", "function sign string sign number sign keyword keyword"),
        ("x::DATE", "name sign name"),
        ("e'it\\'s; x' é", "string name"),
        ("/* a /* b */ c */ 1", "comment number"),
        ("name text year(x)", "name name function sign name sign"),
    ],
)
def test_kinds(sql: str, kinds: str) -> None:
    assert [token.kind for token in tokens(sql)] == kinds.split()


def test_a_statement_ends_at_its_semicolon() -> None:
    assert statement("SELECT ';' -- ;\n; -- behind") == "SELECT ';' -- ;\n"
    assert statement("SELECT 1") == "SELECT 1"
    assert statement("; /* ; */;SELECT 1;") == "  /* ; */ SELECT 1", "places stay"
    assert words("; /* ; */;SELECT 1;")[0].upper == "SELECT"


@pytest.mark.parametrize(
    ("sql", "inside"),
    [
        ("SELECT 1", None),
        ("EXPLAIN SELECT 1", "        SELECT 1"),
        ("explain analyze\nFROM a", "               \nFROM a"),
        ("EXPLAIN (FORMAT json) FROM a", " " * 22 + "FROM a"),
        ("EXPLAIN (FROM a)", " " * 8 + "(FROM a)"),
        ("EXPLAIN", "       "),
    ],
)
def test_what_an_explain_is_about(sql: str, inside: str | None) -> None:
    assert explained(sql) == inside


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("SELECT te| FROM tweets", ["text", "text_of"]),
        ("SELECT ha| FROM tweets", ["having"]),
        ("SELECT a.| FROM accounts AS a", ["handle", "created_at"]),
        ("SELECT a.| FROM accounts a", ["handle", "created_at"]),
        ("SELECT accounts.cr|", ["created_at"]),
        ("FROM tw|", ["tweets"]),
        ("FROM ac|", ["accounts"]),
        ("SELECT * FROM odd WHERE los|", ["valid_loss"]),
        ("SELECT tw| FROM odd", ['"two words"', "tweets"]),
        ("SELECT cou|", ["count"]),
        ("SELECT twe|", ["tweets", "tweet_id"]),
        ("sel|", ["select"]),
        ("SELECT * fro|", ["from"]),
        ("FROM odd JOIN tw|", ["tweets"]),
        ("SEL|", ["SELECT"]),
        ("SELECT te|xt FROM tweets", ["text", "text_of"]),
    ],
)
def test_names_that_are_offered(sql: str, first: list[str]) -> None:
    assert offered(sql)[: len(first)] == first


@pytest.mark.parametrize(
    "sql",
    ["S|", "|", "SELECT 'te|", "-- te|", 'SELECT "te|', "SELECT 12|", "FROM tweets|",
     "SELECT nowhere.|", "SELECT text| FROM tweets", "SELECT (|"],
)  # fmt: skip
def test_nothing_is_offered(sql: str) -> None:
    assert offered(sql) == []


def test_before_a_table_is_named_the_columns_of_tweets_come_last() -> None:
    names = offered("SELECT te|")
    assert names.index("text_of") < names.index("temp") < names.index("text")
    assert "text" not in offered("te|"), "no query begins with a column"


def test_no_column_is_offered_where_a_table_is_meant() -> None:
    assert '"two words"' in offered("SELECT tw| FROM odd")
    names = ("tweets", "my tweets", "order", 'a"b')
    assert [in_sql(name) for name in names] == ["tweets", '"my tweets"', '"order"', '"a""b"']
    assert '"two words"' not in offered("FROM odd JOIN tw|")


@given(ODDMENTS, st.integers(0, 80))
def test_any_text_and_place_can_be_completed(sql: str, cursor: int) -> None:
    cursor = min(cursor, len(sql))
    found = complete(NAMES, sql, cursor)
    assert 0 <= found.start <= cursor
    texts = [choice.text.lower() for choice in found.choices]
    assert len(texts) == len(set(texts))


def test_the_catalogue_is_what_there_is(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    empty = catalogue(Corpus(home.corpus), home)
    assert [table.name for table in empty.tables][:7] == (
        "accounts tweets curated account_stats runs metrics samples".split()
    )
    assert not home.root.exists()
    with Corpus(home.corpus).writing() as connection:
        connection.execute("CREATE TABLE mine (a INTEGER)").fetchall()
    run = home.runs / "one"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    lines = [json.dumps({"kind": "train", "odd": 1.5, "flag": True})] * 5000
    (run / "metrics.jsonl").write_text("\n".join([*lines, '{"last": "x"}', ""]))
    found = catalogue(Corpus(home.corpus), home)
    tweets = found.table("TWEETS")
    assert tweets is not None
    assert not tweets.is_view
    assert ("created_at", "TIMESTAMPTZ") in tweets.columns
    mine = found.table("mine")
    assert mine == TableEntry("mine", False, (("a", "INTEGER"),))
    metrics = found.table("metrics")
    assert metrics is not None
    assert {("odd", "DOUBLE"), ("flag", "BOOLEAN"), ("last", "VARCHAR")} < set(metrics.columns)
    names = {function.name for function in found.functions}
    assert {"count", "regexp_matches", "date_trunc", "unnest", "range"} < names
    assert not names & {"read_csv", "read_text", "glob", "pragma_version", "sniff_csv"}
