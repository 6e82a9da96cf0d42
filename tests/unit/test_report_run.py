"""A report on a real run: a tuned model, its base, unseen tweets, a parrot and somebody else."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from report_runs import CREW, KEEPER, at, make_home, surely_above
from sampling_models import blank

from core.dataset.frozen import load_frozen
from core.errors import InputRefused, Interrupted
from core.home import Home
from core.locks import held_lock
from core.report.blind import BlindResult
from core.report.last import last_measures, last_report
from core.report.leaks import leaked_ids
from core.report.markdown import escaped, to_markdown
from core.report.measures import POINTS
from core.report.report import Report, make_report
from core.report.stored import ReportModel, remember, remembered
from core.runs.folder import Run, find_run
from core.runs.settings import Continued
from core.sampling.copies import CopyIndex
from core.workflow.training import train_again, train_without_leaks
from tests.shared import made_once
from tests.unit.cli import home_with_a_run, mynah

N = 60


def make(root: Path) -> None:
    """The home with its report, so that each test process only compares what was drawn."""
    make_report(Home.at(root), make_home(root), n=N, leaks=True, device="cpu")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.at(made_once(tmp_path_factory, "report", make))


@pytest.fixture(scope="module")
def run(home: Home) -> Run:
    return find_run(home, "latest")


@pytest.fixture(scope="module")
def report(home: Home, run: Run) -> Report:
    return make_report(home, run, n=N, leaks=True, device="cpu")


@pytest.fixture(scope="module")
def measures(report: Report) -> dict[str, Any]:
    found = report.to_json()
    assert json.loads(json.dumps(found)) == found
    return found


# ── the four points, and other people ────────────────────────────────────────────────────


def test_every_measure_says_value_and_of_what(measures: dict[str, Any]) -> None:
    assert {"loss", "bits_per_byte", "verbatim", "near", "distinct_1", "distinct_2", "self_bleu",
            "sounds_like", "style", "delta", "extracted", "membership_auc", "length",
            "emoji_distance", *(f"novelty_{n}" for n in range(2, 13))} <= set(measures)  # fmt: skip
    for name, measure in measures.items():
        assert {"value", "of", "n", "interval", "meaning"} <= set(measure), name
        for point in ("tuned", *measure["of"]):
            found = at(measure, point)
            if found["interval"] is not None:
                low, high = found["interval"]
                assert low <= found["value"] <= high, (name, point)


def test_a_parrot_copies_and_nobody_else_does(measures: dict[str, Any]) -> None:
    assert at(measures["verbatim"], "parrot")["value"] == 1
    for point in ("tuned", "held_out", "base", "impostors"):
        assert surely_above(measures["verbatim"], "parrot", point), point
    # the author puts all tweets together from the same few phrases, others from none of them
    for point in ("base", "impostors"):
        assert surely_above(measures["copied"], "parrot", point), point
    assert at(measures["verbatim"], "held_out")["value"] == 0
    assert at(measures["novelty_5"], "parrot")["value"] == 0
    assert at(measures["novelty_5"], "impostors")["value"] == 1
    assert surely_above(measures["novelty_5"], "base", "held_out")


def test_the_tuned_model_sounds_like_the_author_and_the_base_does_not(
    measures: dict[str, Any],
) -> None:
    for name in ("sounds_like", "style"):
        for point in ("tuned", "held_out", "parrot"):
            assert surely_above(measures[name], point, "base"), (name, point)
            assert surely_above(measures[name], point, "impostors"), (name, point)
    for point in ("base", "impostors"):
        assert surely_above(measures["delta"], point, "tuned"), point
        assert surely_above(measures["capitals_distance"], point, "tuned"), point


def test_tuning_has_taught_it_something(measures: dict[str, Any]) -> None:
    assert surely_above(measures["loss"], "base", "tuned")
    assert surely_above(measures["bits_per_byte"], "base", "tuned")
    loss, bits = measures["loss"], measures["bits_per_byte"]
    assert loss["value"] > bits["value"] > 0


def widest_row(page: str) -> int:
    return max(len(line) for line in page.splitlines() if line.startswith("|"))


def test_the_page_says_what_it_means(report: Report) -> None:
    page = to_markdown(report)
    assert page.startswith(f"# @{KEEPER}: report on ")
    assert f"of its texts sound like @{KEEPER} to a classifier; so do " in page
    assert "it copies no more than @keeper does." in page or "less than @keeper" in page
    assert f"@{CREW}" in page
    assert page.count("\n## ") >= 6
    assert widest_row(page) < 120
    assert "by people" not in page
    told = to_markdown(report, blind=BlindResult("@keeper_", 11, 20, sittings=2))
    assert told.count("\n## ") == page.count("\n## ") + 1
    assert "In 2 blind tests, people were shown" in told
    assert (
        "They picked the real one in 11 of 20 questions (guessing: half; "
        "95 % interval 34 % to 74 %): no better than chance." in told
    )
    narrow = to_markdown(report, width=80)
    assert widest_row(narrow) <= 90
    assert re.findall(r"^- .*", narrow, re.MULTILINE) == re.findall(r"^- .*", page, re.MULTILINE)
    assert str(report.base) not in page, "a path of this machine is nobody's business"


def test_what_was_drawn_is_not_drawn_again(home: Home, run: Run, report: Report) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in run.report.iterdir()}
    assert {"texts-base.json", "texts-tuned.json", "leaks.json"} <= set(before)
    again = make_report(home, run, n=N, leaks=True, device="cpu")
    assert again.to_json() == report.to_json()
    assert {path.name: path.stat().st_mtime_ns for path in run.report.iterdir()} == before


def test_no_tweet_is_kept_with_the_report(run: Run, report: Report) -> None:
    kept = "".join(path.read_text("utf-8") for path in run.report.iterdir())
    written = {*report.texts["tuned"], *report.texts["base"]}
    assert not [text for text in report.real.train if text not in written and text in kept]


def test_the_command_writes_a_page_and_data(home: Home, report: Report, tmp_path: Path) -> None:
    page = tmp_path / "report.md"
    given = "report", "latest", "-n", str(N), "--leaks", "--device", "cpu"
    done = mynah(*given, "--json", "-o", page, home=home.root)
    assert done.json() == report.to_json()
    assert page.read_text("utf-8") == to_markdown(report)


def test_a_card_finds_the_last_report_of_the_model_that_is_there(
    home: Home, run: Run, report: Report, tmp_path: Path
) -> None:
    assert last_measures(run) == report.to_json(tweets=False)
    other = Run(tmp_path / run.id)
    shutil.copytree(run.folder, other.folder)
    assert last_measures(other) == report.to_json(tweets=False)
    without = make_report(home, other, n=N, device="cpu")
    assert without.leaked is None, "leaks are looked for where somebody asks for them"
    assert not {"extracted", "membership_auc"} & set(without.to_json())
    assert last_measures(other) == last_measures(run), "what was found of leaks stays"
    (other.model / "config.json").write_text("{}", "utf-8")
    assert last_measures(other) is None, "it was of another model"
    assert last_measures(Run(tmp_path)) is None
    assert last_report(Run(tmp_path)) is None


def test_the_last_report_is_read_back_as_it_was_made(
    run: Run, report: Report, measures: dict[str, Any], tmp_path: Path
) -> None:
    last = last_report(run)
    assert last is not None
    assert [one.name for one in last.measures] == [one.name for one in report.measures]
    for one, made in zip(last.measures, report.measures, strict=True):
        assert list(one.points) == [point for point in POINTS if point in made.points] or (
            one.name == "membership_auc"
        )
        read = {**made.to_json(), **({"tweets": one.more["tweets"]} if one.more else {})}
        assert one.to_json() == read, one.name
        assert last.meanings[one.group] == measures[one.name]["meaning"]
    assert last.leaks is not None
    assert {leak.tweet_id: text for leak, text in last.leaks} == report.leaked
    assert (last.who, last.n, last.others, last.no_base) == (f"@{KEEPER}", N, 1, "")
    assert last.is_of(run)
    other = Run(tmp_path / run.id)
    shutil.copytree(run.folder, other.folder)
    (other.model / "config.json").write_text("{}", "utf-8")
    shutil.rmtree(other.dataset)
    gone = last_report(other)
    assert gone is not None
    assert not gone.is_of(other)
    assert gone.leaks is not None
    assert {text for _, text in gone.leaks} <= {""}
    (other.report / "report.json").write_text('{"inputs": {}, "result": {"loss": 3}}', "utf-8")
    assert last_report(other) is None


# ── what cannot be said ──────────────────────────────────────────────────────────────────


def test_a_run_without_a_model_is_refused(home: Home, run: Run, tmp_path: Path) -> None:
    bare = tmp_path / "runs" / run.id
    shutil.copytree(run.folder, bare, ignore=shutil.ignore_patterns("model", "report"))
    with pytest.raises(InputRefused, match="no model yet"):
        make_report(home, Run(bare))


def test_two_reports_on_a_run_are_not_made_at_once(home: Home, run: Run) -> None:
    with held_lock(run.report_lock), pytest.raises(InputRefused, match="Another report"):
        make_report(home, run, n=N, device="cpu")


@pytest.mark.slow
def test_a_run_from_nothing_has_no_base(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = home_with_a_run(tmp_path_factory)
    page = mynah("report", "latest", "-n", "20", "--leaks", "--device", "cpu", home=home).text
    assert "- base: 0 · The run began with random weights, which write no words." in page
    assert "Without the base it was not measured whether one can tell" in page
    others = "@orbit_grandmother, @second_breakfast_club"
    assert f"- others: 20 · real tweets by 2 other accounts ({others})" in page


def test_who_asks_to_stop_is_heard_before_anything_is_drawn(home: Home, run: Run) -> None:
    with pytest.raises(Interrupted):
        make_report(home, run, n=N + 1, cancelled=lambda: True)


def test_without_unseen_tweets_and_other_people_it_says_so(
    home: Home, run: Run, report: Report
) -> None:
    from dataclasses import replace

    from core.report.measures import of_authors, of_copying

    real = replace(report.real, held_out=[], to_learn=report.real.to_learn[:10])
    points = {**report.texts, "held_out": []}
    index = CopyIndex.from_parquet(run.dataset / "train.parquet")
    few = of_authors(real, points) + of_copying(index, real.train, points)
    page = to_markdown(replace(report, real=real, texts=points, measures=few, leaked=None))
    assert "Too few to say who it sounds like: a classifier needs 50 real tweets" in page
    assert "With 0 unseen tweets of @keeper it is too few to say" in page


# ── leaks ─────────────────────────────────────────────────────────────────────────────────


def test_leaked_ids_are_those_that_came_back_whole(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert leaked_ids(run) == []
    found = [
        {"tweet_id": "7", "words": 9, "back": 9},
        {"tweet_id": "8", "words": 9, "back": 6},
    ]
    remembered(run, "leaks", {}, lambda: {"found": found, "asked": 3, "unseen": []})
    assert leaked_ids(run) == ["7"]
    for other in (5, None, [], {"asked": 3}, {"found": [5], "asked": 3, "unseen": []}):
        remember(run, "leaks", {}, other)
        assert leaked_ids(run) == []


def test_a_new_run_is_made_without_them(home: Home, report: Report, tmp_path: Path) -> None:
    here = Home.at(tmp_path / "home")
    shutil.copytree(home.root, here.root)
    first = find_run(here, "latest")
    found = [{"tweet_id": one, "words": 9, "back": 9} for one in report.real.train_ids[:7]]
    remember(first, "leaks", {}, {"found": found, "asked": 300, "unseen": []})
    again = train_without_leaks(here, first, torchrun=True)
    assert again.record().settings == first.record().settings
    frozen, before = load_frozen(again.dataset), load_frozen(first.dataset)
    left = {*frozen.train["tweet_id"], *frozen.valid["tweet_id"]}
    assert left == {*before.train["tweet_id"], *before.valid["tweet_id"]} - {
        one["tweet_id"] for one in found
    }
    counted = frozen.manifest.content["handles"][KEEPER]
    assert counted["dropped"] == {"leaked": 7}
    assert counted["kept"] == 353

    more = {"tweet_id": report.real.train_ids[7], "words": 9, "back": 9}
    remember(again, "leaks", {}, {"found": [more], "asked": 300, "unseen": []})
    fewer = train_without_leaks(here, again, torchrun=True)
    for made in (fewer, train_again(here, fewer, torchrun=True)):
        dropped = load_frozen(made.dataset).manifest.content["handles"][KEEPER]["dropped"]
        assert dropped == {"leaked": 8}, "what came back once stays out"

    later = Run(first.folder.with_name("29990101-0000-later-aaaa"))
    shutil.copytree(first.folder, later.folder)
    later.update_record(
        continues=Continued(first.id, "tiny"),
        base=str(first.model),
        settings=first.record().settings | {"base": str(first.model)},
    )
    record = train_without_leaks(here, later, torchrun=True).record()
    assert (record.base, record.continues) == (first.record().base, None), "not in its weights"


def test_without_leaks_no_run_is_made(home: Home, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="No tweet is known to come back"):
        train_without_leaks(home, Run(tmp_path))


# ── what is kept, and what is shown ──────────────────────────────────────────────────────


def test_it_is_made_again_only_for_other_inputs(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(len(made))
        return made[:]

    run = Run(tmp_path)
    assert remembered(run, "x", {"a": (1, 2)}, make) == [0]
    assert remembered(run, "x", {"a": (1, 2)}, make) == [0]
    assert remembered(run, "x", {"a": (1, 3)}, make) == [0, 1]
    (run.report / "x.json").write_text("{", "utf-8")
    assert remembered(run, "x", {"a": (1, 3)}, make) == [0, 1, 2]
    remember(run, "x", {"a": (1, 3)}, ["a word"])
    assert remembered(run, "x", {"a": (1, 3)}, make, list[int]) == [0, 1, 2, 3]


def test_another_model_has_another_hash(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(blank(), tmp_path / name)
    one, two = (ReportModel.at("tuned", tmp_path / name).hash for name in ("one", "two"))
    assert one == two
    weights = tmp_path / "two" / "model.safetensors"
    os.truncate(weights, weights.stat().st_size - 1)
    assert ReportModel.at("tuned", tmp_path / "two").hash != one


def test_text_from_outside_is_no_markup() -> None:
    assert escaped("a|b <i>*x*</i> [l](u) `c` \x1b[31m\n# no") == (
        r"a\|b \<i\>\*x\*\</i\> \[l\](u) \`c\` ␛\[31m ⏎ # no"
    )
    assert escaped("@a_b _c_") == r"@a_b \_c\_"
