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


class Letters:
    """A tokenizer that makes one id of each word of one letter, and an answer before each."""

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        return {"input_ids": [ord(word) for word in text.split()]}

    def decode(self, ids: list[int], **_: Any) -> str:
        return " ".join(map(chr, ids))


def drawn(texts: list[str], context: int = 256, **given: Any) -> Memorisation:
    return Memorisation(
        texts, ["a b c d e f g h i"], Letters(), separator=SEPARATOR, seed=1, context=context,
        device=torch.device(given.pop("device", "cpu")), **given,
    )  # fmt: skip


def test_what_is_read_and_what_should_follow() -> None:
    letters = "a b c d e f g h i j k l"
    ((task,), _) = drawn([letters])._sides
    assert task.prompt == [SEPARATOR, *map(ord, "abcd")], "a third, to the end of its word"
    assert (task.rest, task.length) == (list("efghijkl"), 8)
    ((task,), _) = drawn([letters], answered=([[~7, ~8]], []))._sides
    assert task.prompt[:4] == [SEPARATOR, ~7, ~8, ord("a")]
    long = " ".join(chr(ord("a") + n % 26) for n in range(60))
    ((task,), _) = drawn([long])._sides
    assert (len(task.rest), task.length) == (20, 20), "no more can be written"
    # one id for the mark, four that are read, eight that are written
    assert [bool(drawn([letters], context=n)._sides[0]) for n in (13, 12)] == [True, False]
    # what follows has to have four words
    assert [bool(drawn([text])._sides[0]) for text in ("a b c d e f", "a b c d e")] == [True, False]
    assert not drawn(["a b c d e"]).possible
    assert drawn([letters]).possible
    many = [letters] * 200
    assert [len(drawn(many, device=kind)._sides[0]) for kind in ("cpu", "mps", "cuda")] == [
        16, 16, 128,
    ]  # fmt: skip
    assert len(drawn(["x", letters, "y", letters])._sides[0]) == 2


def test_what_the_measure_may_cost() -> None:
    allowance = Allowance(30_000_000, "cpu")
    assert (allowance.cost, allowance.spent) == (1.2, 0.0)
    assert Allowance(3_000_000_000, "cuda").cost == 1.2
    assert [allowance.enough(seconds, last=True) for seconds in (23.9, 24.1)] == [False, True]
    assert [allowance.enough(seconds) for seconds in (47.9, 48.1)] == [False, True]
    allowance.add(2.0)
    allowance.add(3.0)
    assert (allowance.cost, allowance.spent) == (3.0, 5.0)
    assert [allowance.enough(seconds) for seconds in (219.0, 221.0)] == [False, True]
    assert not allowance.enough(None, last=True)


def test_places_of_rows_that_are_padded_together() -> None:
    """What stands before a shorter prompt counts for nothing: neither as a place nor as a word."""
    seen: list[dict[str, Any]] = []

    def model(**given: Any) -> Any:
        seen.append({name: value.tolist() for name, value in given.items() if "_" in name
                     and isinstance(value, torch.Tensor)})  # fmt: skip
        logits = torch.zeros(len(given["input_ids"]), 1, 10)
        logits[:, 0, 5] = 1.0
        return type("Out", (), {"logits": logits, "past_key_values": "past"})

    written = continue_rows(
        model, [[1, 2, 3], [4]], [1, 2], likeliest, separator=SEPARATOR, device="cpu"
    )
    assert written == [[5], [5, 5]]
    assert seen == [
        {"input_ids": [[1, 2, 3], [0, 0, 4]], "attention_mask": [[1, 1, 1], [0, 0, 1]],
         "position_ids": [[0, 1, 2], [0, 0, 0]]},
        {"input_ids": [[5], [5]], "attention_mask": [[1, 1, 1, 1], [0, 0, 1, 1]],
         "position_ids": [[3], [1]]},
    ]  # fmt: skip
    seen.clear()
    written = continue_rows(model, [[1], [4]], [0, 1], likeliest, separator=SEPARATOR, device="cpu")
    assert written == [[], [5]], "a length of 0 is nothing"
    assert [list(given) for given in seen] == [["input_ids"]], "without padding no mask is needed"
    assert continue_rows(model, [], [], likeliest, separator=SEPARATOR, device="cpu") == []
    assert continue_rows(model, [[1]], [9], likeliest, separator=5, device="cpu") == [[]]


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
