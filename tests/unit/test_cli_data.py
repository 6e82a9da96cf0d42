"""import, accounts, stats, sql, export: the contract's fields, and files that hold them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli import HANDLES, KEEPER, SAMPLES, home_with_samples, mynah

IMPORTED = {"handle", "path", "format", "read", "new", "updated", "duplicates", "skipped",
            "notes_joined"}  # fmt: skip
COUNTED = {"handle", "name", "downloaded", "retweets", "short", "kept", "dropped", "kept_chars",
           "tokens", "blocks"}  # fmt: skip


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with_samples(tmp_path_factory)


def test_import_twice_and_in_part(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = mynah("import", KEEPER, "--json", home=home).json()
    assert len(first) == 1
    assert set(first[0]) >= IMPORTED
    assert first[0]["handle"] == HANDLES[0]
    assert first[0]["skipped"] == {"deleted": 4}
    assert first[0]["read"] == first[0]["new"] + 4
    again = mynah("import", KEEPER, "--json", home=home).json()[0]
    assert (again["new"], again["duplicates"]) == (0, first[0]["new"])
    more = mynah("import", KEEPER, "--include", "deleted,CIRCLE", "--json", home=home).json()[0]
    assert (more["new"], more["skipped"]) == (4, {})
    shown = mynah("import", KEEPER, home=home)
    assert "@keeper_of_the_light" in shown.text
    assert not shown.err


def test_what_was_imported_before_a_refusal_stays_and_is_said(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ended = mynah("import", KEEPER, "/no/such/file", SAMPLES, "--json", home=home, code=3)
    assert [one["handle"] for one in ended.json()] == [HANDLES[0]]
    assert "/no/such/file does not exist" in ended.err
    assert [one["handle"] for one in mynah("accounts", "--json", home=home).json()] == [HANDLES[0]]


def test_a_csv_needs_a_handle_and_takes_it_in_any_form(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "tweets.csv"
    rows = "".join(f"{10**17 + i},the sea is calm tonight {i},2020-01-01\n" for i in range(5))
    file.write_text("id,text,date\n" + rows)
    ended = mynah("import", file, "--handle", "@Somebody", "--json", home=home)
    assert (ended.json()[0]["handle"], ended.json()[0]["new"]) == ("somebody", 5)
    few = mynah("train", "SOMEBODY", "--base", "scratch", home=home, code=3)
    assert "5 tweets are too few" in few.err
    assert not (home / "runs").exists() or not list((home / "runs").iterdir())


def test_accounts(home: Path) -> None:
    found = mynah("accounts", "--json", home=home).json()
    assert [one["handle"] for one in found] == HANDLES
    assert all(
        {"handle", "name", "tweets", "first", "last", "sources"} <= set(one) for one in found
    )
    assert found[0]["first"] == "2016-03-04T21:16:59+00:00"
    assert found[0]["sources"] == ["x-archive"]


@pytest.mark.parametrize("recipe", ["standard", "classic"])
def test_stats_add_up(home: Path, recipe: str) -> None:
    found = mynah("stats", "--recipe", recipe, "--json", home=home).json()
    assert [one["handle"] for one in found] == HANDLES
    for one in found:
        assert set(one) >= COUNTED
        lost = one["retweets"] + one["short"] + sum(one["dropped"].values())
        assert one["downloaded"] == lost + one["kept"]
    shown = mynah("stats", "--recipe", recipe, home=home).text
    assert f"{sum(one['kept'] for one in found):,}" in shown.splitlines()[-1]


def test_a_recipe_of_ones_own_by_file(home: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "long.toml"
    recipe.write_text("[rules]\nmin_words = 12\n")
    given = HANDLES[0], "--json"
    kept = mynah("stats", *given, "--recipe", recipe, home=home).json()[0]["kept"]
    assert 0 < kept < mynah("stats", *given, home=home).json()[0]["kept"]
    recipe.write_text("[rules]\nmin_wrods = 12\n")
    assert "min_words" in mynah("stats", *given, "--recipe", recipe, home=home, code=3).err


QUERY = "SELECT handle, count(*) AS n, max(created_at) AS last FROM tweets GROUP BY ALL ORDER BY 1"


def test_sql_formats_hold_the_same_rows(home: Path, tmp_path: Path) -> None:
    rows = mynah("sql", QUERY, "--json", home=home).json()
    assert [row["handle"] for row in rows] == HANDLES
    assert mynah("sql", QUERY, "--format", "json", home=home).json() == rows
    lines = mynah("sql", QUERY, "--format", "jsonl", home=home).text.splitlines()
    assert [json.loads(line) for line in lines] == rows
    table = list(
        csv.DictReader(io.StringIO(mynah("sql", QUERY, "--format", "csv", home=home).text))
    )
    assert [int(row["n"]) for row in table] == [row["n"] for row in rows]
    shown = mynah("sql", QUERY, home=home).text
    assert all(row["handle"] in shown for row in rows)
    out = tmp_path / "rows.parquet"
    ended = mynah("sql", QUERY, "-o", out, home=home)
    assert not ended.out
    assert "3 rows in" in ended.err
    assert pl.read_parquet(out)["n"].to_list() == [row["n"] for row in rows]


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_sql_into_a_file_by_its_name_gives_the_bytes_of_stdout(
    home: Path, kind: str, tmp_path: Path
) -> None:
    out = tmp_path / f"rows.{kind}"
    mynah("sql", QUERY, "-o", out, home=home)
    assert out.read_bytes() == mynah("sql", QUERY, "--format", kind, home=home).out


def test_sql_from_a_file_and_from_stdin(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text(f"-- who is there\n{QUERY};\n")
    rows = mynah("sql", "-f", file, "--json", home=home).out
    assert rows == mynah("sql", "-f", "-", "--json", home=home, stdin=file.read_bytes()).out
    assert rows == mynah("sql", QUERY, "--json", home=home).out
    file.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in mynah("sql", "-f", file, home=home, code=3).err


def test_sql_names_that_stay(home: Path) -> None:
    for name, columns in {
        "accounts": ["handle"],
        "tweets": "tweet_id handle created_at text kind lang source source_file".split(),
        "curated": "tweet_id handle recipe kept reason clean_text".split(),
        "account_stats": "handle name downloaded retweets short kept dropped kept_chars".split(),
        "runs": ["run"],
        "metrics": ["run", "step"],
        "samples": ["run", "text"],
    }.items():
        query = f"SELECT {', '.join(columns)} FROM {name} LIMIT 1"  # noqa: S608
        mynah("sql", query, "--json", home=home)
    kept = "SELECT count(*) AS n FROM curated WHERE kept AND recipe = 'standard'"
    stats = mynah("stats", "--json", home=home).json()
    rows = mynah("sql", kept, "--json", home=home).json()
    assert rows == [{"n": sum(one["kept"] for one in stats)}]


def test_hostile_text_reaches_no_terminal(home: Path) -> None:
    nasty = "SELECT chr(27) || '[31m' || chr(8238) || chr(155) AS nasty"
    shown = mynah("sql", nasty, home=home).text
    as_json = mynah("sql", nasty, "--json", home=home)
    lines = mynah("sql", nasty, "--format", "jsonl", home=home).text
    for text in (shown, as_json.text, lines):
        assert not set(text) & {"\x1b", "\u202e", "\x9b"}
    assert as_json.json() == [{"nasty": "\x1b[31m\u202e\x9b"}] == [json.loads(lines)]


def test_a_wide_table_is_cut_with_a_sign_and_one_column_is_not(home: Path) -> None:
    long = "SELECT repeat('word ', 40) AS a"
    assert "…" in mynah("sql", long + ", 1 AS b", home=home).text
    assert "…" not in mynah("sql", long, home=home).text


@pytest.mark.parametrize("kind", ["txt", "jsonl", "csv", "parquet"])
def test_export(home: Path, kind: str, tmp_path: Path) -> None:
    out = tmp_path / f"tweets.{kind}"
    given = "export", "@Keeper_Of_The_Light", "--format", kind, "-o", out, "--json"
    made = mynah(*given, home=home).json()
    assert set(made) >= {"path", "rows", "sha256", "manifest"}
    assert made["rows"] == mynah("stats", HANDLES[0], "--json", home=home).json()[0]["kept"]
    data = Path(made["path"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == made["sha256"]
    assert json.loads(Path(made["manifest"]).read_text())["recipe"]["name"] == "standard"
    assert mynah(*given, "--force", home=home).json() == made
    assert out.read_bytes() == data


def test_export_split_weighted_and_everything(home: Path, tmp_path: Path) -> None:
    both = HANDLES[0], HANDLES[1].upper()
    out = tmp_path / "blend.csv"
    weights = "--weights", "@KEEPER_of_the_light=2, orbit_grandmother=1"
    ended = mynah("export", *both, "--format", "csv", "-o", out, "--split", "0.1", "--seed", "3",
                  *weights, "--json", home=home).json()  # fmt: skip
    assert {Path(file["name"]).name for file in ended["files"]} == {
        "blend.train.csv",
        "blend.valid.csv",
    }
    manifest = json.loads(Path(ended["manifest"]).read_text())
    assert manifest["weights"] == {HANDLES[0]: 2.0, HANDLES[1]: 1.0}
    assert (manifest["seed"], manifest["split"]) == (3, 0.1)
    every = tmp_path / "all.jsonl"
    mynah("export", *both, "--format", "jsonl", "-o", every, "--what", "all", home=home)
    rows = [json.loads(line) for line in every.read_text().splitlines()]
    counted = mynah("stats", *both, "--json", home=home).json()
    assert len(rows) == sum(one["downloaded"] for one in counted)
    assert sum(row["kept"] for row in rows) == sum(one["kept"] for one in counted)
    mynah("export", *both, "--format", "txt", "-o", out, "--what", "all", home=home, code=2)
    mynah("export", *both, "--format", "csv", "-o", tmp_path, home=home, code=3)
    mynah("export", *both, "--format", "csv", "-o", out, "--weights", "a=1", home=home, code=2)


def test_export_for_hugging_face_is_a_folder_its_loader_can_read(
    home: Path, tmp_path: Path
) -> None:
    """The loader looks at the README's data_files; so does this test, without the loader."""
    out = tmp_path / "dataset"
    given = "export", HANDLES[0], "--format", "hf", "-o", out, "--split", "0.1", "--json"
    made = mynah(*given, home=home).json()
    assert made["path"] == str(out)
    readme = (out / "README.md").read_text()
    rows = 0
    for name in ("train", "validation"):
        assert f"- split: {name}\n    path: data/{name}.parquet" in readme
        rows += pl.read_parquet(out / "data" / f"{name}.parquet").height
    assert rows == made["rows"]
