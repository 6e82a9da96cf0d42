"""Several authors in one run: the shares that were asked, expected and learned from."""

from __future__ import annotations

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from toy_runs import create_toy, edit_record, follow, toy_tweets, train_here

from core.curation.recipe import load_recipe
from core.dataset.frozen import load_frozen
from core.dataset.shares import Share
from core.errors import WrongUsage
from core.home import Home
from core.runs.folder import Run
from core.runs.launch import start_run
from core.runs.settings import RunRequest, settings_for
from core.runs.shares import planned_shares
from core.runs.summary import list_runs, run_result
from core.training.tweets import RunTweets
from tests.oracles import classic as oracle
from tests.oracles.datasets import freeze
from tests.oracles.frames import in_order
from tests.oracles.one_frame import account_stats, curate

STANDARD = load_recipe("standard", None)


def two_authors(gulls: int = 24, keepers: int = 60) -> pl.DataFrame:
    """The gull comes first by name and is the smaller one."""
    gull = toy_tweets(gulls, "gull").with_columns(
        tweet_id=pl.lit("9") + pl.col("tweet_id"), text=pl.lit("mew ") + pl.col("text")
    )
    return pl.concat([gull, toy_tweets(keepers, "keeper")])


def frozen_run(folder: Path, tweets: pl.DataFrame, handles: list[str], **options: Any) -> RunTweets:
    """What a training process would read, without the process."""
    weights = options.pop("weights", None)
    settings = settings_for(options.pop("preset", "fast"), "scratch", **options)
    run = Run(folder / "run")
    freeze(
        curate(tweets, STANDARD),
        run.dataset,
        recipe=STANDARD,
        seed=settings.seed,
        valid_fraction=settings.valid_fraction,
        weights=weights,
    )
    edit_record(run, handles=handles)
    return RunTweets(run, settings, None)


def test_a_run_knows_whether_its_tweets_hold_entities(tmp_path: Path) -> None:
    tweets = two_authors()
    written = tweets.with_columns(
        text=pl.lit("use &lt; here ") + pl.col("text"), text_escaped=pl.lit(False)
    )
    for name, frame, has in (("a", tweets, False), ("b", written, True)):
        assert frozen_run(tmp_path / name, frame, ["gull", "keeper"]).has_entities == has


def test_a_run_learns_from_each_author_what_was_expected(tmp_path: Path) -> None:
    told: list[tuple[list[Share], bool]] = []
    curated = curate(two_authors(), STANDARD)
    settings = settings_for("fast", "scratch", device="cpu", epochs=2, batch_tokens=128)
    run = start_run(
        Home.at(tmp_path),
        RunRequest(["keeper", "gull"], STANDARD, settings, {"gull": 0.5}),
        [in_order(curated)],
        expect=lambda *expected: told.append(expected),
    )
    ((before, counted),) = told
    assert not counted, "a model from nothing makes its tokenizer in the run"
    assert [share.handle for share in before] == ["gull", "keeper"]
    assert [share.share for share in before] == pytest.approx([1 / 3, 2 / 3])
    assert run.record().handles == ["gull", "keeper"]
    assert run.record().weights == {"gull": 0.5}

    records, state = follow(run)
    assert state == "finished", run.log.read_text()
    end = records[-1]
    assert sum(end["tokens_by_author"].values()) == end["tokens"]
    (start,) = (record for record in records if record["kind"] == "start")
    assert end["tokens"] == pytest.approx(2 * start["epoch_tokens"], rel=0.05)
    shares = run_result(run)["shares"]
    assert shares["gull"]["expected"] == pytest.approx(1 / 3)
    assert shares["gull"]["measured"] == pytest.approx(1 / 3, abs=0.02)
    assert shares["keeper"]["measured"] == pytest.approx(2 / 3, abs=0.02)
    (summary,) = list_runs(Home.at(tmp_path))
    assert summary.to_json()["shares"] == shares


def test_a_run_of_one_author_has_all_of_it(tmp_path: Path) -> None:
    run = create_toy(tmp_path, max_steps=1)
    *lines, end = train_here(run)
    assert run_result(run)["shares"] == {"keeper": {"expected": 1.0, "measured": 1.0}}
    (step,) = (line for line in lines if line["kind"] == "train")
    assert 0 < step["epoch"] < 1, "one step of several"
    assert step["tokens"] == end["tokens"]
    assert step["tokens_per_second"] == pytest.approx(end["tokens_per_second"], rel=1e-3)


def test_damaged_shares_are_unknown_ones(tmp_path: Path) -> None:
    run = create_toy(tmp_path, max_steps=1)
    train_here(run)
    run.metrics.write_text('{"kind": "start", "expected_shares": {"keeper": "all"}}\n')
    for damage in ([], {"keeper": None}, "half", {"keeper": float("nan")}):
        result = {"expected_shares": damage, "tokens_by_author": damage}
        edit_record(run, expected_shares=damage, result=result)
        (summary,) = list_runs(Home.at(tmp_path))
        assert summary.shares["keeper"].to_json() == {"expected": None, "measured": None}


def test_the_order_of_the_handles_changes_nothing_but_classic(tmp_path: Path) -> None:
    rows = pl.concat([two_authors(), toy_tweets(30, "albatross")])
    rows = rows.with_columns(tweet_id=pl.col("handle") + pl.col("tweet_id"))
    parts = {str(key[0]): part for key, part in rows.group_by("handle")}
    seen, classic = set(), set()
    for number, handles in enumerate(itertools.permutations(parts)):
        tweets = pl.concat([parts[handle] for handle in handles])
        data = frozen_run(tmp_path / str(number), tweets, list(handles), weights={"gull": 2})
        folder = tmp_path / str(number) / "run" / "dataset"
        files = tuple(path.read_bytes() for path in sorted(folder.iterdir()))
        seen.add((files, tuple(data.order(0)), tuple(data.order(1)), tuple(data.shares)))
        old = frozen_run(tmp_path / f"c{number}", tweets, list(handles), preset="classic")
        classic.add(tuple(old.order(0)))
    assert len(seen) == 1
    assert len(classic) == 6, "there it matters, as it did"


TWEET = st.lists(
    st.sampled_from(["gull", "lamp", "fog", "é", "漢字", "😀", "sea"]), min_size=3, max_size=12
)
ACCOUNTS = st.lists(st.lists(TWEET, min_size=4, max_size=14), min_size=1, max_size=3)


@examples(max_examples=25, deadline=None)
@given(ACCOUNTS, st.integers(0, 2**31 - 1), st.permutations(["a", "b", "c"]))
def test_the_text_of_the_preset_classic_is_that_of_huggingtweets(
    accounts: list[list[list[str]]], seed: int, names: list[str]
) -> None:
    """To the byte: what the blocks are cut from, read back through the tokenizer."""
    handles = names[: len(accounts)]
    rows = []
    for handle, written in zip(handles, accounts, strict=True):
        own = toy_tweets(len(written), handle)
        texts = [f"{' '.join(words)} {handle}{i}" for i, words in enumerate(written)]
        ids = [f"{handle}{i:03}" for i in range(len(written))]
        rows.append(own.with_columns(text=pl.Series(texts), tweet_id=pl.Series(ids)))
    with TemporaryDirectory() as folder:
        data = frozen_run(
            Path(folder), pl.concat(rows), handles, preset="classic", seed=seed, valid_fraction=0.0
        )
        train = load_frozen(Path(folder) / "run" / "dataset").train
    newest_first = [
        train.filter(pl.col("handle") == handle)["text"].reverse().to_list() for handle in handles
    ]
    expected = oracle.blend(newest_first, seed)
    order = data.order(0)
    stream = [data.separator]
    for tweet in order:
        for row in data.train.rows[tweet]:
            stream += row[1:]
    assert data.tokenizer.decode(stream, clean_up_tokenization_spaces=False) == expected
    assert data.order(1) == order, "all epochs are in one text"

    blocks = [batch.rows[0] for batch in data.plan(0).batches(0, order)]
    whole = [stream[at : at + 1024] for at in range(0, len(stream) - 1023, 1024)]
    assert sorted(blocks) == sorted(whole or [stream])


def test_a_classic_run_of_two_authors(tmp_path: Path) -> None:
    settings = settings_for("classic", "scratch", device="cpu", row_tokens=64, lr=1e-3)
    curated = curate(two_authors(), STANDARD)
    home = Home.at(tmp_path)
    with pytest.raises(WrongUsage, match="no weights"):
        start_run(home, RunRequest(["gull"], STANDARD, settings, {"gull": 2}), [in_order(curated)])
    assert list_runs(home) == []
    run = start_run(home, RunRequest(["keeper", "gull"], STANDARD, settings), [in_order(curated)])
    assert run.record().handles == ["keeper", "gull"], "the order is part of the blend"
    records, state = follow(run)
    assert state == "finished", run.log.read_text()
    start = next(record for record in records if record["kind"] == "start")
    last = [record for record in records if record["kind"] == "train"][-1]
    assert last["step"] == start["steps"]
    assert last["epoch"] == pytest.approx(4, rel=0.02)
    assert records[-1]["tokens"] == 63 * start["steps"], "the first id of a block is only read"
    for share in list_runs(home)[0].shares.values():
        assert share.measured == pytest.approx(share.expected, abs=0.03)


def test_shares_are_known_before_anything_is_frozen(tmp_path: Path) -> None:
    curated = curate(two_authors(), STANDARD)
    fast, classic = settings_for("fast", "scratch"), settings_for("classic", "scratch")
    stats = account_stats(curated)
    gull, keeper = planned_shares(stats, fast, {"gull": 1, "keeper": 3})
    assert (gull.share, keeper.share) == pytest.approx((1 / 4, 3 / 4))
    counted = account_stats(curated, count_tokens=lambda texts: [len(t.split()) for t in texts])
    assert sum(share.tokens for share in planned_shares(counted, fast)) == pytest.approx(
        0.9 * sum(one.tokens or 0 for one in counted), abs=1
    )
    data = frozen_run(tmp_path, two_authors(), ["gull", "keeper"], preset="classic")
    for planned, frozen in zip(planned_shares(stats, classic), data.shares, strict=True):
        assert planned.times == pytest.approx(frozen.times, rel=0.1)
