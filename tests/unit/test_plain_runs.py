"""Train, Sample and Report in the plain mode, with real runs of a small model."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from core.home import Home
from core.models.catalogue import at_hand
from core.report.last import keep_measures
from core.runs.folder import Run, all_runs
from core.runs.housekeeping import delete_run, deleted_runs
from core.runs.summary import run_summary
from core.sampling.favourites import favourites, keep_favourite, keep_sample
from core.sampling.request import Copy, Sample, SampleRequest
from core.sampling.store import as_stored, store_samples
from core.sampling.voices import Voice, tuned_voice
from tests.fixtures import reports
from tests.fixtures.five_tweets import home_with_five_tweets
from tests.fixtures.sweeps import run_of, told_sweep
from tests.unit.cli import home_with_a_run, home_with_samples
from tests.unit.conversation import say_all, sentence, talk
from tui.plain.console import Console
from tui.plain.sample import _speak
from tui.plain.session import Session
from tui.report.points import title_of


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.mktemp("plain") / "home"
    shutil.copytree(home_with_a_run(tmp_path_factory), own)
    return own


def the_run(home: Path) -> Run:
    return all_runs(Home(home))[0]


def test_a_run_is_started_left_followed_and_stopped(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("plain") / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    bases = [base.name for base in at_hand()]
    scratch = str(bases.index("scratch") + 1)
    said = sentence(
        talk(
            home,
            "1",
            "3",
            "1",
            "b",
            "4",
            "2",
            scratch,
            "3",
            "2",
            "4",
            "20",
            "5",
            "1",
            "9",
            "3",
            "0.005",
            "b",
            "1",
            "yes",
            "no",
        )
    )
    assert "The base model is scratch." in said
    assert "The preset is quality." in said
    assert "It learns for at most 20 minutes." in said
    assert "It will learn 726 tweets of @keeper_of_the_light, which the recipe standard" in said
    assert "Seed? It is 1 now. An empty line takes 1. > 9 Seed: 9." in said
    assert "Every weight learns, at a rate of 0.005." in said
    assert "5. More settings: 1 of your own" in sentence(
        talk(home, "4", "5", "3", "0.005", "b", "")
    )
    run = the_run(home)
    settings = run.record().settings
    assert (settings["seed"], settings["lr"], settings["minutes"]) == (9, 0.005, 20)
    assert f"The run {run.id} has started. Follow it now?" in said
    assert f"The run {run.id} goes on learning without this window." in said
    assert f"`mynah stop {run.id}` ends it. You have left mynah." in said
    said = sentence(talk(home, "4", "11", "", "x", "b", "6", "1", "9", "s", "yes"))
    assert "learns from @keeper_of_the_light, on the base scratch." in said
    assert "enter says how far it is, s stops it, b leaves it going." in said
    assert "What is new is said as it happens." in said
    assert f"{run.id} goes on. Train: a number from 1 to 11" in said, "b leaves it going"
    assert "8. Follow it 9. Stop it" in said
    assert "has stopped." in said
    assert "9. Take it up again 10. Train further" in said, "the numbers do something else now"
    assert run_summary(the_run(home)).state == "stopped"


def test_too_few_tweets_are_told_before_a_question_is_asked(tmp_path: Path) -> None:
    said = sentence(talk(home_with_five_tweets(tmp_path).root, "4", "1"))
    assert "5 tweets are too few to learn from. The recipe standard keeps 5 of 5" in said
    assert "Start it?" not in said


def test_the_parts_of_the_accounts_of_a_blend(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = home_with_samples(tmp_path_factory)
    said = sentence(talk(home, "1", "3", "1 2", "b", "4", "11", "3", "0", "", "", "1", "no"))
    assert "11. The parts of the accounts: equal Type" in said
    assert "0 is not a number from 0.01 to 1,000." in said
    assert "11. The parts of the accounts: 3:1 Type" in said, "in the order of the questions"
    assert said.count("Expected: @keeper_of_the_light 75 %, @orbit_grandmother 25 %") == 2, "plan"
    assert "The parts of the accounts" not in talk(home, "1", "3", "1", "b", "4")


def test_runs_are_listed_named_and_deleted(home: Path) -> None:
    run = the_run(home)
    said = sentence(
        talk(
            home, "4", "6", "1", "2", "\\B", "2", "night", "3", "", "3", "a first try",
            "1", "10", "yes", "9", "1", "6", "1",
        )
    )  # fmt: skip
    assert f"1. {run.id}, @keeper_of_the_light, finished" in said
    assert f"Run {run.id} learns from @keeper_of_the_light, on the base scratch." in said
    assert "It has finished after 5 steps" in said
    assert "The training loss fell from" in said
    assert "Its name is B." in said
    assert "Its name is night." in said
    assert "It has no note." in said
    assert "learns from 653 tweets, measures on 73 held-out ones" in said, "its log"
    assert "Delete it? The trash keeps it for 7 days." in said
    assert "It is deleted. Deleted runs, in Train, brings it back. Train: a number" in said
    assert f"{run.id} is back among the runs." in said
    assert f"1. night ({run.id})" in said
    assert run.record().note == "a first try"


def test_a_run_is_told_with_its_figures_curves_and_samples(home: Path) -> None:
    said = sentence(
        talk(home, "4", "6", "1", "4", "night shift", "5", "6", "b", "7", "b", "8", "b",
             "find tag:shift", "find -tag:shift", "find lr<", "b")
    )  # fmt: skip
    assert "4. Set its tags: none yet" in said
    assert "name: #night #shift." in said
    assert "step: 5 of 5." in said
    assert re.search(r"perplexity: [\d,]+ \(was [\d,]+\)\.", said)
    assert re.search(r"Tokens a second: first \S+, last \S+, lowest \S+, highest \S+\.", said)
    assert re.search(r"Learning rate: first \S+, last ", said)
    assert re.search(
        r"1\. step 0: held-out loss [\d.]+(, gives back 0 % of training phrases)? 2\. ", said
    )
    assert re.search(r"\d\. step 5: training loss [\d.]+, held-out loss [\d.]+", said)
    assert "Generated by the model while it learned, the newest first: 1. after step " in said
    assert "Its model generates from now on." in said
    assert "1 run found. 1. " in said
    assert "held-out loss" in said[said.index("1 run found.") :]
    assert ", tagged night and shift" in said
    assert "No run matches that. The list is as it was." in said


def test_a_run_goes_on_from_the_weights_of_another_and_the_trash_is_emptied(home: Path) -> None:
    run = the_run(home)
    said = sentence(talk(home, "4", "4", "20", "6", "1", "9", "yes", "yes", "s", "yes"))
    assert f"A new run begins with the weights of {run.id}, which stays as it is, and" in said
    assert "learns for 20 minutes. Start it?" in said
    assert "has stopped." in said
    (made,) = [one for one in all_runs(Home(home)) if one.id != run.id]
    assert run_summary(made).continues == run.id
    for one in (run, made):
        delete_run(Home(home), one)
    said = sentence(talk(home, "4", "9", "remove 2", "no", "remove 1", "yes", "empty", "yes"))
    assert "it goes for good in 7 d" in said
    assert "1 run removed." in said
    assert "1 run removed. Train: a number" in said, "the list is over with its last run"
    assert deleted_runs(Home(home)) == []


def test_two_runs_are_compared(home: Path) -> None:
    run = the_run(home)
    shutil.copytree(run.folder, run.folder.with_name("other"))
    record = json.loads((run.folder / "run.json").read_text())
    record["settings"]["lr"] = 0.5
    (Home(home).runs / "other" / "run.json").write_text(json.dumps(record))
    said = sentence(talk(home, "4", "7", "1"))
    assert "they are as good as each other." in said
    assert "They differ in lr: " in said


def test_a_sweep_is_told_with_its_plot_and_its_trials_are_lines(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    rows = told_sweep(home).trials()
    done = sorted((row.valid_loss or 0.0, row.trial) for row in rows if row.state == "finished")
    said = sentence(talk(home.root, "4", "8", "1", "sort trial", "5", "b", "sort", "b", "b"))
    assert "8. The sweeps: 1 " in said
    assert (
        "1. rates, @keeper_of_the_light, 12 trials begun, which differ in lr, batch_tokens, "
        in said
    )
    assert (
        "on the base smollm2, with the preset fast. It tries lr from 0.0001 to 0.02; batch_" in said
    )
    assert (
        "tokens 128, 256 or 512; warmup from 0 to 0.3; method lora or full. The sampler ran" in said
    )
    assert "9 of 20 trials finished, 1 pruned, 1 failed, 1 at work. The best is trial " in said
    best, number = done[0]
    assert f"The best is trial {number}, with a held-out loss of {best:.3f}: lr " in said
    low, high = done[-3][0], done[-1][0]
    assert f"the 3 with the highest held-out losses ({low:.3f} to {high:.3f}) had lr " in said
    assert "Rank correlation over 9 trials: " in said
    assert "ctrl+c in its terminal stops it, the menu of its run the trial alone. It goes" in said
    assert f"lowest held-out loss first: 1. trial {number}, the best, finished, lr " in said
    assert f"Run {run_of(5)} learns from @keeper_of_the_light" in said, "the fifth trial"
    assert "No column was named. There are: trial, state, lr, batch_tokens, warmup, met" in said
    by_number = said[said.index("Sorted by trial, the lowest first. 1. trial 1, ") :]
    assert by_number.index("5. trial 5, pruned, lr ") < by_number.index("6. trial 6, finished, ")
    last = sentence(talk(home.root, "4", "8", "1", "sort trial", "sort trial", "b", "b"))
    assert "Sorted by trial, the highest first. 1. trial 12, failed, lr " in last
    assert "The disk is full. 2. trial 11, running, " in last


def test_how_likely_each_token_of_a_sample_was(home: Path) -> None:
    said = talk(
        home, "5", "3", "2", "5", "7", "1", "The lamp",
        "tokens 2", "", "unlikely", "b", "tokens 3", "repeat 1", "b",
    )  # fmt: skip
    one = sentence(said)
    assert "Making the sample once more, to get its probabilities." in one
    many = int(re.findall(r"Of (\d+) tokens?: ", one)[0])
    bands = [
        int(found) for found in re.findall(r"(\d+) (?:likely|possible|unlikely|surprising) \(", one)
    ]
    assert sum(bands) == many
    assert "Probability: how likely the model held this token at its place, before temp" in one
    listed = re.findall(r"(?m)^(\d+)\. “(.*?)”, probability (.*?) %, (.*)$", said)
    assert listed[0][0] == "1"
    text = re.findall(r"(?m)^2\. The lamp(.*)$", said)[0]
    assert text.startswith(listed[0][1]), "its tokens, without those of the beginning"
    assert re.search(r"tokens? (was|were) likelier|the likeliest", listed[0][3])
    assert "The same text again, from the same model." in one


def test_samples_are_written_kept_and_explained(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    said = sentence(
        talk(
            home, "5", "3", "2", "5", "9999999999", "7", "4", "0.5",
            "1", "The lamp", "keep 2", "keep 2", "keep 3", "why 1", "why", "1", "b",
            "6", "1", "note 1 the best", f"file {file}", "drop 1", "6",
        )
    )  # fmt: skip
    run = the_run(home)
    assert "9999999999 is not a whole number from 0 to 2,147,483,647." in said
    assert f"Generated by {run.id} (seed 7); not written by a person." in said
    assert "1. The lamp" in said
    assert "Number 2 is kept among the favourites." in said
    assert "3 is not a number from 1 to 2. Type it behind the word, as in: keep 1" in said
    assert "No number was named. Type it behind the word, as in: why 1" in said
    assert "1 favourite written to" in said
    assert "Number 1 is no longer a favourite." in said
    assert "There are no favourites yet." in said
    kept = json.loads(file.read_text())
    assert kept["text"].startswith("The lamp")
    assert kept["generated"] is True
    assert kept["note"] == "the best"


def test_favourites_that_say_the_same_are_written_once(home: Path, tmp_path: Path) -> None:
    new = Copy("new", 0, None)
    for text in ("The fog", "the  fog", "A lamp"):
        keep_favourite(Home(home), the_run(home).id, text, SampleRequest(seed=1), new)
    file = tmp_path / "kept.txt"
    said = sentence(talk(home, "5", "6", f"file {file}", "note 1 good", "note 1", "b"))
    assert "2 favourites written to" in said
    assert file.read_text() == "The fog\nA lamp\n"
    assert "It is noted on number 1." in said
    assert "Number 1 has no note." in said


def test_a_favourite_of_the_base_is_not_said_to_be_of_the_run(home: Path) -> None:
    run = the_run(home)
    for point in ("tuned", "base"):
        sample = Sample(0, 7, "", f"A {point} one", 3, "eos", Copy("new", 0, None), 0)
        stored = as_stored(Voice(run, point, run.model), "abc", SampleRequest(seed=7), sample)
        store_samples(run, [stored])
        keep_sample(Home(home), stored)
    said = sentence(talk(home, "5", "6", "1", "2", "b"))
    assert f"A tuned one Generated by {run.id} on" in said
    assert f"A base one Generated by the base of {run.id} on" in said


def test_a_model_that_is_there_is_not_said_to_load(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    say_all(monkeypatch)
    session, voice = Session(Home(home), Console()), tuned_voice(the_run(home))
    request = SampleRequest(n=2, max_tokens=4, seed=7)
    try:
        for loads in (True, False):
            assert _speak(session, voice, request, [])
            said = capfd.readouterr().out
            assert ("The model is loading." in said) is loads
            assert "0 of 2 are there." in said
    finally:
        session.close()


def test_copies_of_the_same_base_are_looked_for_in_the_tweets_of_each_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    session = Session(Home(tmp_path / "home"), Console())
    found = []
    for name in ("one", "two"):
        dataset = session.home.runs / name / "dataset"
        dataset.mkdir(parents=True)
        (dataset / "train.parquet").touch()
        voice = Voice(Run(dataset.parent), "base", base)
        found.append(session.sampler(voice).train_parquet)
        assert session.sampler(voice) is session.sampler(voice)
    assert found == [session.home.runs / name / "dataset/train.parquet" for name in ("one", "two")]


def test_other_samples_are_written_from_those_that_are_there(home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "one.svg"
    said = talk(
        home, "5", "3", "1", "5", "7", "10", "2", "8", "6", "lamp, sea", "6", "none", "b",
        "1", "Oh", "again", "b", "more 1", "b", f"picture 1 {picture}", "keep 1", "b",
        "6", "edit 1 Oh well", "edit 1", "1", "b", "10", "1", "2",
    )  # fmt: skip
    one = sentence(said)
    assert "Longest: 8 tokens." in one
    assert "Never say: lamp, sea." in one
    assert "Never say: none." in one
    assert "2 is not a number from 0.05 to 1." in one
    seeds = re.findall(r"\(seed (\d+)\); not written by a person", one)
    assert len(seeds) == 3
    assert seeds[0] == "7" not in seeds[1:], "the others are new ones"
    first, again, more = re.findall(r"(?m)^1\. (Oh.*)$", said)[:3]
    assert again.startswith("Oh")
    assert more.startswith(" ".join(first.split()[:4])), "it begins like the first"
    assert "AI-generated" in picture.read_text()
    assert "Number 1 is edited." in one
    assert favourites(Home(home))[0].text == "Oh well"
    assert "No words were typed." in one
    assert "Oh well You have edited it since. Generated by" in one


def test_two_models_write_the_same_one_after_the_other(home: Path) -> None:
    run = the_run(home)
    shutil.copytree(run.folder, run.folder.with_name("twin"))
    said = talk(home, "5", "3", "2", "5", "7", "9", "3", "1", "The lamp", "b", "9", "2", "1", "Oh")
    named = sentence(said)
    assert "9. Beside it: nobody" in named
    for one in (run.id, "twin"):
        assert f"Generated by {one} (seed 7); not written by a person." in named
    texts = [line[3:] for line in said.splitlines() if line[:3] in ("1. ", "2. ", "3. ", "4. ")
             and line[3:].startswith("The lamp")]  # fmt: skip
    assert len(texts) == 4
    assert texts[:2] == texts[2:], "the same model, beginning and seed"
    assert "The run began with random weights, which write no words." in named


def test_the_last_report_is_read_out(home: Path) -> None:
    run = the_run(home)
    _keep_a_report(run)
    said = sentence(talk(home, "7", "3", "3", "b", "2", "b", "5"))
    assert "What author means." in said
    assert "The report of Thu 26 Feb 2026, 12:00 UTC, on 200 texts of each kind:" in said
    assert "3 is not a whole number from 20 to 2,000." in said
    assert "Report: a number from 1 to 5" in said
    first = next(one for one in reports.invented(leaks=False) if one.group == "author")
    value, ends = first.points["tuned"].value or 0.0, first.points["tuned"].interval or (0, 0)
    low, high = map(first.in_digits, ends)
    assert f"{title_of(first)}: this model {first.in_digits(value)} % ({low} to {high}); " in said
    assert "There is no tweet to leave out. None came back word for word, or no report" in said


def _keep_a_report(run: Run) -> None:
    found = {
        one.name: {**one.to_json(), "meaning": f"What {one.group} means."}
        for one in reports.invented(leaks=False)
    }
    about = {"n": 200, "seed": 0}
    keep_measures(run, "hash", found, about, leaks=False, made=reports.MADE)
