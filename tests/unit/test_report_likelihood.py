"""What a model makes of given texts: what they cost it, and what it gives back of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sampling_models import TWEETS, blank, parrot

from core.models.load import context_of
from core.report.leaks import beginning_and_rest, membership
from core.report.likelihood import GivenBack, LanguageModel
from core.sampling.engine import Engine
from core.sampling.language import Language
from core.sampling.request import Done, SampleRequest

OTHERS = [
    "There is a great deal of paperwork in heaven, and none of it is filed by colour.",
    "My neighbour sells his opinions by the pound, wrapped in yesterday's newspaper.",
    "A good umbrella remembers where it was left, which is more than I can say of myself.",
]

MARKS = ["<|endoftext|>", "<|im_end|>"]  # the parrot ends its tweets with the first


@pytest.fixture(scope="module")
def by_heart() -> LanguageModel:
    return LanguageModel(parrot() / "model", "cpu")


def test_what_comes_back_is_counted_in_whole_words(by_heart: LanguageModel) -> None:
    begun, rest = beginning_and_rest(TWEETS[0]) or ("", "")
    wanted = rest.split()
    other = f" {' '.join(wanted[:3])} umbrella"
    half = f"{rest[: rest.index(wanted[3]) + 3]}zz"  # the fourth word begins as it should
    pairs = [(begun, rest), (begun, other), (begun, half), (begun, " zebra"), (begun, "")]
    assert by_heart.given_back(pairs) == [
        GivenBack(len(wanted), len(wanted)), GivenBack(4, 3), GivenBack(4, 3), GivenBack(1, 0),
        GivenBack(0, 0),
    ]  # fmt: skip
    marked = by_heart.given_back([(begun, f"{rest}{mark}") for mark in MARKS])
    assert [one.extracted for one in marked] == [False, False], "its letters are no end mark"


def test_a_tokenizer_that_adds_a_mark_of_its_own_asks_for_the_same(
    by_heart: LanguageModel, tmp_path: Path
) -> None:
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing

    folder = tmp_path / "model"
    shutil.copytree(parrot() / "model", folder)
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    mark = ("<|im_start|>", words.token_to_id("<|im_start|>"))
    words.post_processor = TemplateProcessing(single=f"{mark[0]} $A", special_tokens=[mark])
    words.save(str(folder / "tokenizer.json"))
    pairs = [pair for text in TWEETS if (pair := beginning_and_rest(text))]
    marked = LanguageModel(folder, "cpu")
    assert marked.given_back(pairs) == by_heart.given_back(pairs)
    assert marked.nats(TWEETS) == by_heart.nats(TWEETS)


def test_what_is_too_long_to_be_read_at_once_is_not_asked_for(by_heart: LanguageModel) -> None:
    language = Language(parrot() / "model")
    read = []
    for length in range(1, 400):
        rest = " a" * length
        tokens = len(language.prompt_ids("The")) + len(language.prompt_ids(rest)) - 1
        if by_heart.given_back([("The", rest)])[0].words:
            read.append(tokens)
    assert max(read) == context_of(parrot() / "model") == 256


def test_given_back_is_what_greedy_decoding_gives(by_heart: LanguageModel) -> None:
    engine = Engine.of(parrot() / "model", "cpu")
    pairs = [beginning_and_rest(text) for text in [*TWEETS, *OTHERS]]
    found = by_heart.given_back([pair for pair in pairs if pair])
    for pair, one in zip(pairs, found, strict=True):
        assert pair is not None
        request = SampleRequest(pair[0], n=1, temperature=0, seed=1, allow_copies=True)
        (text,) = [e.sample.text for e in engine.generate(request) if isinstance(e, Done)]
        assert one.extracted == text.startswith("".join(pair))
        asked = pair[1].split()
        assert one.words == len(asked)
        assert one.extracted or text[len(pair[0]) :].split()[: one.back] == asked[: one.back]
    assert sum(one.extracted for one in found[: len(TWEETS)]) >= len(TWEETS) - 1
    assert not any(one.extracted for one in found[len(TWEETS) :])


def test_reading_packed_is_reading_padded() -> None:
    from core.models.load import load_model
    from core.report.likelihood import PaddedReader
    from core.sampling.decoding.decoder import LeanDecoder
    from core.sampling.decoding.packed import PackedReader

    folder = parrot() / "model"
    language = Language(folder)
    padded = PaddedReader(load_model(folder)[0].eval())
    packed = PackedReader(LeanDecoder(load_model(folder)[0].eval(), "float32"))
    rows = [language.prompt_ids(text) for text in [*TWEETS, *OTHERS, *TWEETS[:2]]]
    rows += [rows[0][:4], rows[0][:2], [*rows[0][:5], *rows[1][5:]]]
    done: list[int] = []
    nats = packed.nats(rows, lambda _: None)
    assert nats == pytest.approx(padded.nats(rows, done.append), rel=1e-4)
    assert done == sorted(done)
    assert done[-1] == len(rows)
    assert padded.nats([], done.append) == []
    pairs = [(row[:at], row[at:]) for row in rows for at in (1, 2, len(row) // 2) if row[at:]]
    found = packed.followed(pairs, done.append)
    done = []
    assert found == padded.followed(pairs, done.append)
    assert done[0] > 0
    assert done == sorted(done)
    assert done[-1] == len(pairs)
    assert padded.followed([], done.append) == []
    assert {0, 1, len(rows[0]) // 2} <= set(found), "some part at once, some later, some never"


def test_what_was_learned_is_told_from_what_was_not(by_heart: LanguageModel) -> None:
    base = LanguageModel(blank(), "cpu")
    sides = [
        list(zip(base.nats(texts), by_heart.nats(texts), strict=True)) for texts in (TWEETS, OTHERS)
    ]
    assert membership(*sides).value == 1
    assert membership(sides[0], sides[0]).value == 0.5


def unusual(folder: Path) -> Path:
    """A model with an activation that is not read packed, and words like those of ``blank``."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shutil.copytree(blank(), folder)
    torch.manual_seed(3)
    config = LlamaConfig.from_pretrained(folder, hidden_act="relu", initializer_range=0.5)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("packed", [True, False])
def test_nats_are_those_of_the_model(tmp_path: Path, packed: bool) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = parrot() / "model" if packed else unusual(tmp_path / "model")
    model, words = (kind.from_pretrained(folder) for kind in (AutoModelForCausalLM, AutoTokenizer))
    for text, found in zip(TWEETS, LanguageModel(folder, "cpu").nats(TWEETS), strict=True):
        ids = torch.tensor([[0, *words(text, add_special_tokens=False)["input_ids"], 0]])
        with torch.no_grad():
            loss = model(input_ids=ids, labels=ids).loss
        assert found.tokens == ids.shape[1] - 1
        assert found.nats == pytest.approx(float(loss) * found.tokens, rel=1e-4)
