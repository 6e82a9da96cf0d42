"""The blind test: fair pairs, answers that are kept, a score in words."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from core.errors import InputRefused, Interrupted
from core.report.blind import (
    BlindResult,
    BlindTest,
    blind_result,
    clean,
    pair,
    prepare_blind,
    why_fewer,
)
from core.runs.folder import Run
from core.sampling.request import Copy, Sample, SampleRequest, Stopped, Verdict
from core.sampling.store import StoredSample, as_stored
from core.sampling.voices import tuned_voice
from tests.unit.report_words import Writes


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "run.json").write_text(json.dumps({"handles": ["keeper"]}))
    return Run(tmp_path)


def sample(run: Run, text: str, stopped: Stopped = "eos", copy: Verdict = "new") -> StoredSample:
    made = Sample(0, 1, "", text, 9, stopped, Copy(copy, 3, None), 0)
    return as_stored(tuned_voice(run), "abc", SampleRequest(seed=1), made)


def test_why_there_are_fewer_questions_is_said() -> None:
    assert why_fewer(20, 20, unseen=50, drawn=40) == ""
    assert why_fewer(15, 20, unseen=15, drawn=40) == (
        "15 questions, not 20: the run held out no more tweets that have words."
    )
    assert why_fewer(1, 20, unseen=1, drawn=40).startswith("1 question, not 20: the run")
    assert why_fewer(15, 20, unseen=50, drawn=40).startswith(
        "15 questions, not 20: of the 40 texts that it wrote this time no more were whole, new"
    )


def test_both_sides_are_cleaned_alike() -> None:
    assert clean("Look @kim_k,  at\nhttps://t.co/abc &amp; tell @bo.") == (
        "Look @name, at [link] & tell @name."
    )
    assert clean("mail me@home.org now") == "mail me@home.org now"
    assert clean("no &#" + "9" * 5000 + "; sign") == "no \ufffd sign"


def test_pairs_are_of_similar_length_and_of_what_is_new_and_whole(run: Run) -> None:
    tweets = [(str(at), "a lamp is " + "very " * at + "bright") for at in range(40)]
    drawn = [sample(run, "the gull was " + "so " * (at * 2) + "rude") for at in range(40)]
    unfit = [
        sample(run, "the fog is very thick", stopped="length"),
        sample(run, "the fog is very thick now", copy="near"),
        sample(run, "the fog is very near now", copy="verbatim"),
        sample(run, "two words"),
        sample(run, drawn[3].text),
        sample(run, tweets[5][1].upper()),
    ]
    questions = pair(tweets, [*drawn, *unfit], 20, seed=4)
    assert len(questions) == 20
    assert questions == pair(tweets, [*drawn, *unfit], 20, seed=4)
    assert questions != pair(tweets, [*drawn, *unfit], 20, seed=5)
    assert {one.sample_id for one in questions} <= {made.id for made in drawn}
    for key in ("sample_id", "tweet_id"):
        assert len({getattr(one, key) for one in questions}) == 20, "each text is shown once"
    for one in questions:
        apart = abs(len(one.real) - len(one.generated))
        assert apart <= max(12, 0.3 * max(len(one.real), len(one.generated)))
        assert one.texts == (
            (one.real, one.generated) if one.real_first else (one.generated, one.real)
        )
        assert one.is_right(1) is one.real_first
        assert one.is_right(2) is not one.real_first
    orders = [one.real_first for seed in range(10) for one in pair(tweets, drawn, 20, seed)]
    assert 70 < sum(orders) < 130, "either stands first as often"


@pytest.mark.parametrize(
    ("real", "made", "similar"),
    [(20, 32, True), (32, 20, True), (20, 33, False), (70, 100, True), (69, 100, False)],
)
def test_lengths_are_similar_within_twelve_characters_or_a_third(
    run: Run, real: int, made: int, similar: bool
) -> None:
    tweet = f"a b {'c' * (real - 4)}"
    drawn = sample(run, f"d e {'f' * (made - 4)}")
    assert len(pair([("1", tweet)], [drawn], 5, seed=1)) == similar


def test_the_closest_in_length_is_asked_about_as_often_as_there_are_texts(run: Run) -> None:
    tweets = [("1", "one two three"), ("2", "four five six")]
    drawn = [sample(run, "seven and eight more"), sample(run, "seven and eight")]
    (first, second) = pair(tweets, drawn, 5, seed=1)
    assert [first.generated, second.generated] == ["seven and eight", "seven and eight more"]
    assert len(pair(tweets, drawn, 1, seed=1)) == 1
    assert len(pair(tweets, drawn[:1], 5, seed=1)) == 1
    assert pair(tweets, [sample(run, "two wordsandmore")], 5, seed=1) == []
    far = sample(run, "w " * 30)
    (only,) = pair([("0", "x y " + "z" * 90), *tweets], [far, drawn[1]], 5, seed=2)
    assert only.generated == "seven and eight", "a tweet without a partner is passed over"


def test_long_texts_find_no_short_partner(run: Run) -> None:
    assert pair([("1", "a short one")], [sample(run, "word " * 50)], 5, seed=1) == []


def test_answers_are_kept_and_scored_for_the_present_model(run: Run) -> None:
    assert blind_result(run) is None
    tweets = [(str(at), f"tweet number {at} of some") for at in range(20)]
    drawn = [sample(run, f"drawn number {at} by it") for at in range(20)]
    test = BlindTest(run, "@keeper", 7, tuned_voice(run).hash(), pair(tweets, drawn, 20, 7))
    for number, question in enumerate(test.questions):
        real, other = (1, 2) if question.real_first else (2, 1)
        assert test.answer(number, real if number < 11 else other) is (number < 11)
    result = blind_result(run)
    assert result is not None
    assert (
        result.in_words() == "You picked the real one in 11 of 20 questions (guessing: half; "
        "95 % interval 34 % to 74 %): no better than chance."
    )
    assert result.for_a_report().startswith("In one blind test, people were shown")
    assert "@keeper" in result.for_a_report()
    measured = result.to_json()
    assert (measured["value"], measured["n"], measured["of"]["chance"]["value"]) == (0.55, 20, 0.5)
    lines = (run.folder / "blind.jsonl").read_text()
    assert "tweet number" not in lines, "ids only"
    assert "drawn number" not in lines
    again = BlindTest(run, "@keeper", 8, test.model_hash, test.questions)
    assert again.answer(0, 1 if again.questions[0].real_first else 2)
    run.folder.rename(run.folder.with_name("deleted"))
    assert again.answer(1, 1 if again.questions[1].real_first else 2)
    assert not run.folder.exists(), "or it could not be restored"
    run.folder.with_name("deleted").rename(run.folder)
    both = blind_result(run)
    assert both is not None
    assert (both.right, both.answers, both.sittings) == (12, 21, 2)
    assert both.for_a_report().startswith("In 2 blind tests, people were shown")
    assert blind_result(run, seed=7) == result
    only = blind_result(run, seed=8)
    assert only is not None
    assert only.in_words("They").startswith("They picked the real one in 1 of 1 question (guess")
    assert blind_result(run, seed=9) is None
    with (run.folder / "blind.jsonl").open("a") as file:
        file.write('{"right": "yes"}\n')
    assert blind_result(run) == both, "a line that says nothing"
    with (run.folder / "blind.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"right": True, "model_hash": test.model_hash, "seed": [1]}) + "\n")
    other = blind_result(run)
    assert other is not None
    assert (other.answers, other.sittings) == (22, 3), "a seed of another kind is one"
    (run.model / "config.json").write_text('{"another": 1}')
    assert blind_result(run) is None, "those were of another model"
    (run.model / "config.json").unlink()
    run.model.rmdir()
    assert blind_result(run) is None


@pytest.mark.parametrize(
    ("right", "answers", "verdict"),
    [
        (20, 20, "better than chance, so the model's texts can be told from real ones"),
        (2, 20, "worse than chance, so the model's texts pass for the real ones"),
        (3, 3, "no better than chance"),
    ],
)
def test_the_verdict_follows_the_interval(right: int, answers: int, verdict: str) -> None:
    assert BlindResult("@a", right, answers).verdict == verdict


def test_nothing_answered_is_no_score() -> None:
    assert BlindResult("@a", 0, 0).in_words() == "No question was answered."
    assert BlindResult("@a", 1, 2).for_a_report().startswith("In one blind test, people")
    assert BlindResult("@a", 0, 0).verdict == "no better than chance"


# ── preparing one ────────────────────────────────────────────────────────────────────────


def ready_to_ask(monkeypatch: pytest.MonkeyPatch, held_out: list[str], sampler: Writes) -> None:
    unseen = pl.DataFrame({"tweet_id": [*map(str, range(len(held_out)))], "text": held_out})
    frozen = SimpleNamespace(valid=unseen)
    monkeypatch.setattr("core.report.blind.load_frozen", lambda _: frozen)
    monkeypatch.setattr("core.sampling.voices.Voice.sampler", lambda *_: sampler)


def test_a_blind_test_asks_about_unseen_tweets_and_drawn_texts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Writes("gulls are rude", "crabs are rude")
    ready_to_ask(monkeypatch, ["the lamp &amp; the light", "two @words", "a b"], sampler)
    test = prepare_blind(run, 1, seed=7)
    (only,) = test.questions
    assert (only.real, only.generated) == ("the lamp & the light", "gulls are rude")
    assert (test.who, test.seed, test.fewer) == ("@keeper", 7, "")
    assert test.model_hash == tuned_voice(run).hash()
    two = prepare_blind(run, 2, seed=7)
    assert (len(two.questions), two.fewer) == (1, why_fewer(1, 2, unseen=1, drawn=2))
    prepare_blind(run, 100, seed=7)
    assert sampler.asked[0].n > 1
    assert sampler.asked[-1].n > 150, "from many texts some are as long as a tweet"
    with pytest.raises(Interrupted, match="blind test was stopped"):
        prepare_blind(run, seed=7, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("held_out", "texts", "why"),
    [
        (["two words", "@a b"], ["a text that is whole"], "It held out no tweets"),
        (["a real tweet"], [], "None of 0 texts is whole, new"),
        (["a real tweet"], ["two words", "a b"], "None of 2 texts is whole, new"),
    ],
)
def test_why_there_is_no_blind_test_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, held_out: list[str], texts: list[str], why: str
) -> None:
    ready_to_ask(monkeypatch, held_out, Writes(*texts))
    with pytest.raises(InputRefused, match="no blind test of") as refused:
        prepare_blind(run, seed=1)
    assert refused.value.why.startswith(why)
