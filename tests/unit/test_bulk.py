"""Curation of Parquet files in pieces: the verdicts of one frame, and the same bytes always."""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bulk.curate import CuratedFiles, curate_corpus, curate_files
from core.bulk.job import Job
from core.bulk.partitions import cut
from core.curation.recipe import Recipe, load_recipe
from core.dataset.manifest import HF_NAME, OWN_SHA256, sealed, text_of
from core.dataset.verify import verify
from core.errors import InputRefused, Interrupted, WrongUsage
from core.home import Home
from core.tweet import tweet_schema
from tests.oracles.datasets import export
from tests.oracles.frames import frame, hostile_frames, in_order
from tests.oracles.one_frame import curate
from tests.unit.cli import KEEPER, mynah

STANDARD = load_recipe("standard")
RECIPES = {
    "standard": STANDARD,
    "classic": load_recipe("classic"),
    "threads": STANDARD.replace(threads="join", links="domain", most_per_author=40),
    "alike": STANDARD.replace(near_duplicates=60, most_per_author=3, personal_data="flag"),
}
WORDS = "one two three four five six seven eight nine ten".split()


def many(rows: int, seed: int = 1) -> pl.DataFrame:
    """Tweets of five accounts in no order, with repeats."""
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 7))) for _ in range(rows)]
    answered = [str(rng.randint(1, rows)) if rng.random() < 0.4 else None for _ in texts]
    handles = [rng.choice("abcde") for _ in texts]
    return frame(texts, handle=handles, reply_to_id=answered)


def written(folder: Path, *parts: pl.DataFrame) -> Path:
    folder.mkdir(parents=True)
    for number, part in enumerate(parts):
        part.write_parquet(folder / f"{number:03}.parquet")
    return folder


def rows_of(result: CuratedFiles) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(result.path / file.name) for file in result.files)


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
@settings(max_examples=25)
@given(
    rows=hostile_frames().filter(lambda rows: rows.height > 0),
    rng=st.randoms(use_true_random=False),
    recipe=st.sampled_from(list(RECIPES.values())),
    partitions=st.sampled_from([None, 1, 2, 7]),
    part_rows=st.integers(1, 30),
)
def test_however_the_input_is_divided_the_bytes_are_the_same(
    rows: pl.DataFrame, rng: random.Random, recipe: Recipe, partitions: int | None, part_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        whole = curate_files(
            written(place / "whole", rows), place / "out", recipe, part_rows=part_rows
        )
        assert rows_of(whole).equals(in_order(curate(rows, recipe)))
        assert [file.rows for file in whole.files[:-1]] == [part_rows] * (len(whole.files) - 1)
        assert verify(place / "out").problems == []

        order = list(range(rows.height))
        rng.shuffle(order)
        ends = sorted(rng.choices(range(rows.height + 1), k=3))
        mixed = rows[order]
        parts = [mixed[a:b] for a, b in zip([0, *ends], [*ends, rows.height], strict=True)]
        curate_files(
            written(place / "lang=xx", *parts),  # the rows say of what language they are
            place / "again",
            recipe,
            partitions=partitions,
            part_rows=part_rows,
        )
        assert bytes_of(place / "again") == bytes_of(place / "out")


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_many_small_pieces_and_groups(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = many(320)
    source = written(tmp_path / "in", rows)
    whole = curate_files(source, tmp_path / "out", recipe, part_rows=75)
    expected = curate(rows, recipe)
    assert rows_of(whole).equals(in_order(expected))
    assert (whole.rows, whole.kept) == (320, expected["kept"].sum())
    assert whole.accounts == 5
    monkeypatch.setattr("core.bulk.tasks.ROW_GROUP", 25)
    curate_files(source, tmp_path / "again", recipe, partitions=60, part_rows=75)
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "out")


def test_a_tweet_that_is_there_twice_has_the_same_place_everywhere(tmp_path: Path) -> None:
    texts = [f"the words of version {n}" for n in range(6)]
    rows = frame(texts, tweet_id=["7"] * 6, created_at=[None] * 6)
    for number, order in enumerate(([0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 2, 4])):
        source = written(tmp_path / f"in{number}", *(rows[[one]] for one in order))
        curate_files(source, tmp_path / f"out{number}", STANDARD, partitions=6, part_rows=2)
    assert bytes_of(tmp_path / "out0") == bytes_of(tmp_path / "out1")
    twice = written(tmp_path / "twice", rows[:1], rows[:1])
    result = rows_of(curate_files(twice, tmp_path / "out", STANDARD))
    assert result["reason"].to_list() == [None, "duplicate"]


def test_the_corpus_gives_the_bytes_of_its_files(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    mynah("import", KEEPER, home=home.root)
    result = curate_corpus(home, ["keeper_of_the_light"], tmp_path / "out", STANDARD)
    again = curate_files(result.path, tmp_path / "again", STANDARD, partitions=3)
    assert bytes_of(again.path) == bytes_of(result.path)
    ended = mynah(
        *("curate", "@Keeper_Of_The_Light", "-o", tmp_path / "told", "--partitions", "2", "--json"),
        home=home.root,
    )
    assert bytes_of(tmp_path / "told") == bytes_of(result.path)
    assert ended.json() == result.to_json() | {
        "path": str(tmp_path / "told"),
        "manifest": str(tmp_path / "told" / "mynah.manifest.json"),
    }
    mynah("verify", tmp_path / "told", home=home.root)
    left = {path.name for path in home.root.iterdir()}
    assert not {name for name in left if name.startswith(".")}
    with pytest.raises(InputRefused, match="no tweets of @nobody"):
        curate_corpus(home, ["nobody"], tmp_path / "none", STANDARD)


def test_types_that_hold_the_same_values(tmp_path: Path) -> None:
    rows = many(200)
    curate_files(written(tmp_path / "in", rows), tmp_path / "out", STANDARD)
    other = rows.with_columns(
        pl.col("tweet_id").cast(pl.Int64),
        pl.col("handle", "kind").cast(pl.Categorical),
        pl.col("created_at")
        .dt.convert_time_zone("Asia/Tokyo")
        .cast(pl.Datetime("ms", "Asia/Tokyo")),
        pl.col("favourites").cast(pl.UInt16),
        pl.lit(1).alias("something_else"),
    ).drop("note_id", "urls")
    naive = rows.with_columns(pl.col("created_at").dt.replace_time_zone(None))
    for number, like in enumerate((other, naive)):
        source = written(tmp_path / f"like{number}", like)
        curate_files(source, tmp_path / f"out{number}", STANDARD)
        assert bytes_of(tmp_path / f"out{number}") == bytes_of(tmp_path / "out")


def refused(source: Path | list[Path], out: Path, match: str) -> None:
    before = bytes_of(out.parent)
    with pytest.raises(InputRefused, match=match):
        curate_files(source, out, STANDARD)
    assert bytes_of(out.parent) == before


Change = Callable[[pl.DataFrame], pl.DataFrame]
WRONG: dict[str, Change] = {
    "text_escaped, kind are missing": lambda rows: rows.drop("text_escaped", "kind"),
    "lang is missing": lambda rows: rows.drop("lang"),
    "column created_at of .* has the type String": lambda rows: rows.with_columns(
        pl.col("created_at").cast(pl.String)
    ),
    "column text_escaped of .* has the type Int": lambda rows: rows.with_columns(
        pl.col("text_escaped").cast(pl.Int8)
    ),
    "id '1' and the handle None": lambda rows: rows.with_columns(handle=pl.lit(None, pl.String)),
    "the handle 'NASA'": lambda rows: rows.with_columns(handle=pl.lit("NASA")),
    "the handle '@nasa'": lambda rows: rows.with_columns(handle=pl.lit("@nasa")),
    "the id None": lambda rows: rows.with_columns(tweet_id=pl.lit(None, pl.String)),
    "There are no tweets in": lambda rows: rows.clear(),
}


@pytest.mark.parametrize("match", WRONG)
def test_what_is_no_tweet_is_refused_in_words(tmp_path: Path, match: str) -> None:
    rows = WRONG[match](frame(["one two three"] * 3))
    refused(written(tmp_path / "in", rows), tmp_path / "out", match)


@pytest.mark.slow
def test_places_that_will_not_do(tmp_path: Path) -> None:
    source = written(tmp_path / "in", frame(["one two three"]))
    refused(tmp_path / "nowhere", tmp_path / "out", "no file or folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", tmp_path / "out", "no Parquet file")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    refused(tmp_path / "broken.parquet", tmp_path / "out", "cannot be read as Parquet")
    refused(source, source, "cannot lie in")
    refused(source, source / "out", "cannot lie in")
    refused(source / "000.parquet", source, "lies in the output's folder")
    refused(source, tmp_path / "broken.parquet", "is a file")
    refused(source, tmp_path, "lies in the output's folder")
    (tmp_path / "empty" / "letter.txt").write_text("dear")
    refused(source, tmp_path / "empty", "holds other files")


def test_an_export_is_told_from_tweets_and_not_overwritten(tmp_path: Path) -> None:
    curated = curate(frame(["one two three", "four five six"]), STANDARD)
    export(curated, tmp_path / "hf", format="hf", recipe=STANDARD, what="all")
    source = written(tmp_path / "in", frame(["one two three"]))
    refused(tmp_path / "hf", tmp_path / "out", "It is an export")
    refused(source, tmp_path / "hf", "holds other files")


def test_an_earlier_output_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = curate_files(written(tmp_path / "in", many(50)), out, STANDARD, part_rows=10)
    assert len(first.files) == 5
    curate_files(written(tmp_path / "few", many(12, 2)), out, STANDARD, part_rows=10)
    curate_files(tmp_path / "few", tmp_path / "fresh", STANDARD, part_rows=10)
    assert bytes_of(out) == bytes_of(tmp_path / "fresh")


@pytest.mark.parametrize("asked", [0, 1, 4, 9, 13])
def test_stopping_leaves_everything_as_it_was(tmp_path: Path, asked: int) -> None:
    source = written(tmp_path / "in", many(60))
    out = tmp_path / "out"
    curate_files(source, out, load_recipe("classic"))
    before = bytes_of(tmp_path)
    answers = iter([*[False] * asked, *[True] * 99])
    with pytest.raises(Interrupted):
        curate_files(source, out, STANDARD, partitions=3, cancelled=lambda: next(answers))
    assert bytes_of(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_a_changed_part_is_found_out(tmp_path: Path) -> None:
    result = curate_files(written(tmp_path / "in", many(60)), tmp_path / "out", STANDARD)
    (file,) = result.files
    place = result.path / file.name
    pl.read_parquet(place).with_columns(kept=pl.lit(value=True)).write_parquet(place)
    assert any("not the file that was written" in one for one in verify(result.path).problems)


def test_counts_that_do_not_add_up_over_several_parts_are_found_out(tmp_path: Path) -> None:
    source = written(tmp_path / "in", many(60))
    result = curate_files(source, tmp_path / "out", STANDARD, part_rows=25)
    manifest = json.loads(result.manifest.read_text(encoding="utf-8"))
    assert verify(result.path).ok
    counts = manifest["handles"]["a"]
    for name in ("downloaded", "retweets", "exported"):
        counts[name] += 1
    del manifest[OWN_SHA256]
    result.manifest.write_text(text_of(sealed(manifest)), encoding="utf-8")
    assert verify(result.path).problems == [
        "3 files have 60 rows by the manifest, but those of its accounts make 61."
    ]


def test_a_worker_elsewhere_says_what_is_amiss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputRefused, match="does not see"):
        Job.opened(tmp_path)
    Job.begin(tmp_path, STANDARD, 10)
    assert Job.opened(tmp_path).recipe.hash == STANDARD.hash
    monkeypatch.setattr("core.bulk.job.__version__", "0.0.1")
    with pytest.raises(InputRefused, match=r"A worker has mynah 0\.0\.1 with polars"):
        Job.opened(tmp_path)


def test_progress_counts_every_tweet_in_every_phase(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    curate_files(
        written(tmp_path / "in", many(60)),
        tmp_path / "out",
        STANDARD,
        partitions=4,
        progress=lambda moved: seen.setdefault(moved.phase, []).append((moved.done, moved.total)),
    )
    assert list(seen) == ["sorting", "curating", "writing"]
    assert all(total == 60 for told in seen.values() for _, total in told)


@given(st.lists(st.integers(1, 9), max_size=8), st.integers(1, 12))
def test_partitions_hold_whole_accounts(sizes: list[int], least: int) -> None:
    partitions = cut([(f"{number}", rows) for number, rows in enumerate(sizes)], least)
    borders = {sum(sizes[:number]) for number in range(len(sizes) + 1)}
    first = 0
    for number, partition in enumerate(partitions):
        assert partition.first == first
        first += partition.rows
        assert first in borders
        assert partition.rows >= least or number == len(partitions) - 1
    assert first == sum(sizes)


def test_words_that_do_not_go_together(tmp_path: Path) -> None:
    source = written(tmp_path / "in", frame(["one two three"]))
    with pytest.raises(WrongUsage, match="not an engine"):
        curate_files(source, tmp_path / "out", STANDARD, engine="spark")  # type: ignore[arg-type]
    with pytest.raises(WrongUsage, match="Only Ray has an address"):
        curate_files(source, tmp_path / "out", STANDARD, address="auto")
    with pytest.raises(WrongUsage, match="less than one"):
        curate_files(source, tmp_path / "out", STANDARD, partitions=0)
    both = mynah("curate", source, "@someone", "-o", tmp_path / "out", code=2)
    assert "cannot be curated together" in both.err
    missing = mynah("curate", source, "-o", tmp_path / "out", "--recipe", "none", code=3)
    assert "no recipe called 'none'" in missing.err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_columns_of_the_output(tmp_path: Path) -> None:
    result = curate_files(written(tmp_path / "in", many(10)), tmp_path / "out", STANDARD)
    assert rows_of(result).columns == [
        *tweet_schema(),
        *("clean_text", "kept", "reason", "trigger"),
    ]


def test_an_output_whose_parts_were_being_replaced_is_made_anew(tmp_path: Path) -> None:
    out = tmp_path / "out"
    curate_files(written(tmp_path / "in", many(50)), out, STANDARD, part_rows=10)
    parts = sorted(path.name for path in out.glob("part-*"))
    (out / ".mynah-unfinished").write_text(json.dumps(parts))  # as a killed process leaves it
    (out / HF_NAME).unlink()
    curate_files(written(tmp_path / "few", many(12, 2)), out, STANDARD, part_rows=10)
    curate_files(tmp_path / "few", tmp_path / "fresh", STANDARD, part_rows=10)
    assert bytes_of(out) == bytes_of(tmp_path / "fresh")
