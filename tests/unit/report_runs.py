"""A real tuned model and its base, small enough for a test: both write their author's sentences."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.home import Home
from core.runs.folder import Run
from tests.unit.toy_runs import create_toy, one_core, toy_tweets, train_here

KEEPER, CREW = "keeper", "crew_of_nine"


def sea(rng: random.Random) -> str:
    """The author that is learned: small letters, long sentences, a full stop."""
    pick = rng.choice
    return (
        f"{pick(['the', 'my', 'one', 'every'])} "
        f"{pick(['lamp', 'fog', 'gull', 'tide', 'harbour', 'kettle', 'rope', 'boat'])} "
        f"{pick(['came in', 'went out', 'sat down', 'turned over', 'kept quiet', 'woke up'])} "
        f"{pick(['again', 'slowly', 'at night', 'before dawn', 'in the rain', 'by itself'])}, "
        f"{pick(['and', 'but', 'so', 'while'])} "
        f"{pick(['nobody', 'the keeper', 'a gull', 'the sea', 'my aunt', 'the dog'])} "
        f"{pick(['minded', 'said so', 'looked up', 'wrote it down', 'laughed', 'left'])}."
    )


def space(rng: random.Random) -> str:
    """Somebody else, whom the base has learned from: capitals, tags, numbers."""
    pick = rng.choice
    return (
        f"{pick(['LIVE', 'WATCH', 'NEW', 'TODAY'])}: the "
        f"{pick(['Crew', 'Rover', 'Probe', 'Lander', 'Dish'])} {rng.randint(1, 9)} "
        f"{pick(['launches', 'lands', 'phones home', 'sees a storm', 'turns over'])} "
        f"{pick(['today', 'tonight', 'this week', 'now', 'again'])} at the base! "
        f"#{pick(['Mars', 'Moon', 'Orbit', 'Sun'])}"
    )


def tweets_by(handle: str, write: Callable[[random.Random], str], count: int) -> pl.DataFrame:
    """``count`` different tweets, canonical."""
    rng, texts = random.Random(handle), dict[str, None]()
    while len(texts) < count:
        texts[write(rng)] = None
    first = 1_000_000 if handle == KEEPER else 2_000_000
    ids = [str(first + number) for number in range(count)]
    return toy_tweets(count, handle).with_columns(
        pl.Series("text", list(texts)), pl.Series("tweet_id", ids)
    )


def make_home(root: Path) -> Run:
    """A home with a corpus of two authors, and a run of the one, tuned from a model of the other.

    The base is trained by hand, the run by mynah.
    """
    own, other = tweets_by(KEEPER, sea, 360), tweets_by(CREW, space, 200)
    base = _base(root / "base", other["text"].to_list(), own["text"].to_list())
    home = Home.at(root)
    bring_in(home, pl.concat([own, other]))
    run = create_toy(
        root,
        tweets=own,
        base=str(base),
        method="full",
        lr=0.01,
        epochs=12,
        batch_tokens=1024,
        eval_tokens=500,
        row_tokens=64,
    )
    train_here(run)
    return run


def _base(folder: Path, texts: list[str], more: list[str]) -> Path:
    """A tiny model that has learned ``texts``; its tokens serve for ``more``, too."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([*texts, *more], trainer)
    torch.manual_seed(3)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=made.get_vocab_size(),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=128,
            bos_token_id=0,
            eos_token_id=0,
            tie_word_embeddings=True,
        )
    )
    rows = [[0, *made.encode(text).ids, 0] for text in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    labels = torch.tensor([row + [-100] * (longest - len(row)) for row in rows])
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with one_core():
        for step in range(60):
            some = torch.arange(step * 40, step * 40 + 40) % len(rows)
            model(input_ids=ids[some], labels=labels[some]).loss.backward()
            optimiser.step()
            optimiser.zero_grad()
    model.eval().save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    settings = {"eos_token": "<|endoftext|>", "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    return folder


def at(measure: dict[str, Any], point: str) -> dict[str, Any]:
    """What a measure of a report's JSON says of a point."""
    found = measure if point == "tuned" else measure["of"][point]
    assert isinstance(found, dict)
    return found


def surely_above(measure: dict[str, Any], one: str, other: str) -> bool:
    """Whether all of the interval of ``one`` lies above that of ``other``."""
    return bool(at(measure, one)["interval"][0] > at(measure, other)["interval"][1])


def bring_in(home: Home, tweets: pl.DataFrame) -> None:
    """Through the door that everybody's tweets come in by."""
    for (handle,), rows in tweets.group_by("handle", maintain_order=True):
        file = home.root / f"{handle}.jsonl"
        at = pl.col("created_at").dt.to_string("iso:strict")
        rows.select(pl.col("tweet_id").alias("id"), "text", at).write_ndjson(file)
        import_path(Corpus(home.corpus), file, handle=str(handle))
