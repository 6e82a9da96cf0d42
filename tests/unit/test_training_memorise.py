"""The memorisation curve: what is measured, what it costs, and that a run can end on it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_runs import create_toy, lines_of, toy_tweets, train_here

from core.models.scratch import new_model, train_tokenizer
from core.training.decode import continue_rows
from core.training.memorise import (
    TIME_SHARE,
    Allowance,
    Memorisation,
    given_back,
    in_two,
    likeliest,
)

SEPARATOR = 0


def test_a_tweet_is_cut_before_a_word() -> None:
    assert in_two("the lamp is lit and the fog came in") == (
        "the lamp is",
        " lit and the fog came in",
    )
    assert in_two("東京は今日も雨です") == ("東京は", "今日も雨です")
    assert in_two("a") == ("a", "")


@given(st.text())
def test_a_cut_loses_nothing(text: str) -> None:
    assert "".join(in_two(text)) == text


def test_what_is_given_back_is_the_share_of_word_grams() -> None:
    rest = "the fog came in again over a harbour".split()
    assert given_back(rest, rest) == 1.0
    assert given_back(rest, rest[::-1]) == 0.0
    # of the 4-grams one of five, of the 5-grams and the 6-grams none
    assert given_back(rest, ["the", "fog", "came", "in", "yesterday"]) == pytest.approx(1 / 5 / 3)
    # wherever it stands
    assert given_back(rest[:4], ["oh", *rest[:4]]) == 1.0
    assert given_back(["too", "short"], ["too", "short"]) == 0.0


@settings(max_examples=4)
@given(st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=9), min_size=2, max_size=3))
def test_rows_padded_together_are_continued_as_each_alone(prompts: list[list[int]]) -> None:
    torch.manual_seed(1)
    model = new_model(64, SEPARATOR).eval()
    lengths = [2 + len(prompt) % 3 for prompt in prompts]
    device = torch.device("cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # waits for no other process
    try:
        together = continue_rows(
            model, prompts, lengths, likeliest, separator=SEPARATOR, device=device
        )
        alone = [_alone(model, *asked) for asked in zip(prompts, lengths, strict=True)]
    finally:
        torch.set_num_threads(threads)
    assert together == alone


def _alone(model: Any, prompt: list[int], length: int) -> list[int]:
    ids = list(prompt)
    for _ in range(length):
        with torch.no_grad():
            best = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if best == SEPARATOR:
            break
        ids.append(best)
    return ids[len(prompt) :]


class Parrot(torch.nn.Module):
    """Goes on with what stood after the last id in one text that it knows."""

    def __init__(self, known: list[int], vocabulary: int) -> None:
        super().__init__()
        self._after = dict(itertools.pairwise(known))
        self._vocabulary = vocabulary

    def forward(self, input_ids: torch.Tensor, **_: Any) -> Any:
        logits = torch.zeros(len(input_ids), 1, self._vocabulary)
        for row, token in enumerate(input_ids[:, -1].tolist()):
            logits[row, 0, self._after.get(token, SEPARATOR)] = 1.0
        return type("Out", (), {"logits": logits, "past_key_values": None})


def test_a_parrot_gives_back_what_it_knows_and_nothing_else() -> None:
    known = "one two three four five six seven eight nine ten eleven twelve"
    other = "red orange yellow green blue indigo violet white black grey brown pink"
    tokenizer = train_tokenizer([known, other])
    ids = tokenizer(known, add_special_tokens=False)["input_ids"]
    assert len(set(ids)) == len(ids)
    measure = Memorisation(
        [known], [other], tokenizer, separator=SEPARATOR, seed=1, context=256,
        device=torch.device("cpu"),
    )  # fmt: skip
    found = measure.measure(Parrot(ids, len(tokenizer)))
    assert (found.train, found.held_out, found.excess, found.tweets) == (1.0, 0.0, 1.0, 1)


def test_short_tweets_say_nothing() -> None:
    tokenizer = train_tokenizer(["good morning all"])
    measure = Memorisation(
        ["good morning all"] * 3, ["hi"], tokenizer, separator=SEPARATOR, seed=1, context=256,
        device=torch.device("cpu"),
    )  # fmt: skip
    assert not measure.possible


def test_no_more_than_its_share_of_the_time_is_spent() -> None:
    allowance = Allowance(135_000_000, "cpu")
    assert not allowance.enough(60.0, last=True)
    assert allowance.enough(3600.0)
    assert not allowance.enough(None)
    assert not Allowance(1_000, "cpu").enough(1.0, last=True), "the smallest model takes some, too"
    spent = 0
    while allowance.enough(600.0):
        allowance.add(3.0)
        spent += 3
    assert allowance.enough(600.0, last=True)
    assert spent + 3 <= TIME_SHARE * 600


@pytest.mark.slow
def test_a_run_writes_the_curve_and_ends_once_too_much_is_learned_by_heart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.training.memorise.TIME_SHARE", 1e3)  # whatever the machine
    monkeypatch.setattr("core.training.setup.GLIMPSE_TOKENS", 2)
    tweets = toy_tweets(40)
    asked = {"max_steps": 120, "batch_tokens": 256, "eval_tokens": 64, "eval_seconds": 1e-9}
    run = create_toy(tmp_path / "free", tweets=tweets, **{**asked, "max_steps": 3})
    end = train_here(run)[-1]
    curve = [line for line in lines_of(run) if line["kind"] == "memorisation"]
    assert [line["step"] for line in curve] == [1, 2, 3]
    assert all(0 <= line["train"] <= 1 and line["tweets"] > 0 for line in curve)
    assert end["memorised_train"] == curve[-1]["train"]

    run = create_toy(
        tmp_path / "limited", tweets=tweets, **asked, max_memorised=0.0, keep_best=False
    )
    end = train_here(run)[-1]
    assert end["state"] == "finished"
    assert end["steps"] < 120
    assert "more of the tweets that it learns from" in end["reason"]
    curve = [line for line in lines_of(run) if line["kind"] == "memorisation"]
    assert all(line["train"] <= line["held_out"] for line in curve if line["step"] < end["steps"])
    assert end["best_step"] is not None
    assert end["best_step"] < end["steps"]
