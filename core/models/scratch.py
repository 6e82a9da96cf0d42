"""A tokenizer and models made from nothing but the tweets of one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from core.models.catalogue import GPT2_SHAPE

SEPARATOR: Final = "<|endoftext|>"
VOCABULARY: Final = 2048
CONTEXT: Final = 1024


def train_tokenizer(texts: Sequence[str]) -> Any:
    """A byte-level BPE tokenizer (transformers') of at most VOCABULARY entries.

    Every byte is in its alphabet, so any text can be written with it. Takes about 0.1 s for a few
    thousand tweets. The same texts give the same tokenizer.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[SEPARATOR],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=SEPARATOR,
        eos_token=SEPARATOR,
        pad_token=SEPARATOR,
        model_max_length=CONTEXT,
    )


def new_model(vocabulary: int, separator: int) -> Any:
    """A Llama-shaped model of about 2 M parameters with random weights (torch's own seed)."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=6,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=separator,
        eos_token_id=separator,
        pad_token_id=separator,
    )
    return LlamaForCausalLM(config)


def gpt2_shape(vocabulary: int, separator: int) -> Any:
    """GPT-2's layers (86 million parameters, dropout 0.1) with random weights, torch's own seed.

    Only the vocabulary is smaller than that of the model that huggingtweets tuned.
    """
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=vocabulary,
        activation_function="gelu_pytorch_tanh",
        bos_token_id=separator,
        eos_token_id=separator,
        pad_token_id=separator,
    )
    return GPT2LMHeadModel(config)


def model_of(base: str, vocabulary: int, separator: int) -> Any:
    """The model of a base that has no weights: random ones, of torch's own seed."""
    make = gpt2_shape if base == GPT2_SHAPE else new_model
    return make(vocabulary, separator)
