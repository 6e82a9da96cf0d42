"""Two tiny models for the sampling tests: one that knows nothing, one that knows a few tweets."""

from __future__ import annotations

import atexit
import json
import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import polars as pl
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

TWEETS = (
    "My dream is a quiet Tuesday with a working kettle and nobody at the door.",
    "The fog came in like a committee: slowly, and with no agenda at all.",
    "Every lamp is a promise that somebody made to a stranger at sea 🌊",
    "I asked the gull for directions and it gave me opinions 🐦‍⬛ instead.",
    "Rust is only iron that has started to tell the truth about the weather.",
    "Tonight the stars are out and so, regrettably, is the tide.",
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<pad>"]


def tokenizer() -> Tokenizer:
    """Byte-level BPE of 400 entries: an emoji is several tokens."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(TWEETS, trainer)
    return made


def _model(vocabulary: int, context: int = 256) -> LlamaForCausalLM:
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config)


def _folder(name: str) -> Path:
    made = Path(mkdtemp(prefix=f"sampling-{name}-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _save(model: LlamaForCausalLM, words: Tokenizer) -> Path:
    folder = _folder("model")
    model.save_pretrained(folder)
    words.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}), "utf-8")
    return folder


@lru_cache
def blank() -> Path:
    """A model with random weights and 8 rows of vocabulary that no token has."""
    words = tokenizer()
    return _save(_model(words.get_vocab_size() + 8), words)


@lru_cache
def parrot(says: tuple[str, ...] = TWEETS, steps: int = 60) -> Path:
    """A model that has learned ``says`` by heart, in the folder of a run that learned TWEETS."""
    words = tokenizer()
    model = _model(words.get_vocab_size())
    rows = [[0, *words.encode(tweet).ids, 0] for tweet in says]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [3] * (longest - len(row)) for row in rows])
    labels = ids.masked_fill(ids == 3, -100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as fast for so small a model, and much faster on a busy machine
    for _ in range(steps):
        model(input_ids=ids, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    torch.set_num_threads(threads)
    folder = _save(model.eval(), words)
    run = _folder("run")
    folder.rename(run / "model")
    (run / "dataset").mkdir()
    pl.DataFrame(
        {
            "handle": ["keeper"] * len(TWEETS),
            "tweet_id": [str(number) for number in range(100, 100 + len(TWEETS))],
            "created_at": [None] * len(TWEETS),
            "text": TWEETS,
        }
    ).write_parquet(run / "dataset" / "train.parquet")
    return run
