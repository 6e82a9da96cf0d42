"""The decoding loop: reproducible, bounded, and free of special tokens."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest
import torch
from sampling_models import SPECIAL, TWEETS, blank, parrot
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

from core.errors import InputRefused, MynahError
from core.sampling.decoding.decoder import LeanBatch
from core.sampling.decoding.products import has_int8
from core.sampling.engine import Engine, _Running
from core.sampling.request import Copy, Deltas, Done, Restarted, SampleRequest
from core.sampling.rows import MOST_REDRAWS
from tests.oracles.plain_copies import index_of


@pytest.fixture(scope="module")
def engine():
    torch.set_num_threads(1)
    return Engine.of(blank(), "cpu")


@pytest.fixture(scope="module")
def parrot_engine():
    return Engine.of(parrot() / "model", "cpu")


def samples(engine, request, **others):
    events = engine.generate(request, **others)
    done = [event.sample for event in events if isinstance(event, Done)]
    return sorted(done, key=lambda sample: sample.index)


@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_greedy_is_what_generate_gives(engine, penalty):
    prompt = "The fog came"
    ids = engine.language.prompt_ids(prompt)
    model = AutoModelForCausalLM.from_pretrained(blank())
    theirs = model.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        do_sample=False,
        max_new_tokens=40,
        eos_token_id=[0, 2],
        pad_token_id=3,
        suppress_tokens=engine.language.banned(408),
        repetition_penalty=penalty,
    )[0].tolist()
    text = engine.language.decode(theirs).partition("\n")[0].strip("\ufffd ")
    asked = {"n": 2, "temperature": 0, "max_tokens": 40, "repetition_penalty": penalty}
    ours = samples(engine, SampleRequest(prompt, **asked))
    assert [sample.text for sample in ours] == [text, text]


@pytest.mark.parametrize("prompt", ["", "My dream is"])
def test_a_sample_does_not_depend_on_how_many_there_are(engine, prompt):
    def made(n, seed, max_tokens=30):
        request = SampleRequest(prompt, n=n, seed=seed, max_tokens=max_tokens)
        return [sample.text for sample in samples(engine, request)]

    twelve = made(12, 5)
    assert made(12, 5) == twelve
    assert made(3, 5) == twelve[:3]
    assert made(1, 5) == twelve[:1]
    assert made(12, 6) != twelve
    assert len(set(twelve)) == 12
    assert made(2, 5, max_tokens=12)[1] == twelve[1][: len(made(2, 5, max_tokens=12)[1])]


@pytest.fixture
def seen_logits(monkeypatch):
    """The logits that each sample was drawn from, by index and how often it was drawn again."""
    seen: dict[tuple[int, int], list[torch.Tensor]] = {}
    tokens = _Running._tokens

    def watched(self):
        for slot, row in enumerate(self._slots):
            if row is not None:
                seen.setdefault((row.index, row.redrawn), []).append(self._logits[slot].clone())
        return tokens(self)

    monkeypatch.setattr(_Running, "_tokens", watched)
    return seen


def odd_is_a_copy(text, prompt):
    return Copy("verbatim" if len(text) % 2 else "new", 0, None)


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", ["float32", "bfloat16", "int8"])
def test_the_logits_of_a_sample_are_the_same_to_the_bit_however_many_are_drawn(
    arithmetic, seen_logits, monkeypatch
):
    if arithmetic == "int8" and not has_int8():
        pytest.skip("fbgemm is for x86")
    engine = Engine.of(blank(), "cpu", arithmetic)

    def drawn(n, rows_at_once=64):
        seen_logits.clear()
        monkeypatch.setattr(Engine, "rows_at_once", lambda self, length: rows_at_once)
        request = SampleRequest("My dream is", n=n, seed=5, max_tokens=70, temperature=3, top_p=1.0)
        made = samples(engine, request, check=odd_is_a_copy)
        return made, {key: torch.stack(logits) for key, logits in seen_logits.items()}

    made, logits = drawn(13)
    assert any(sample.redrawn for sample in made)
    assert len({len(one) for one in logits.values()}) > 5  # they end at different times
    for n, rows_at_once in ((1, 64), (2, 64), (7, 4), (13, 8)):
        fewer, its_logits = drawn(n, rows_at_once)
        assert fewer == made[:n]
        for key, one in its_logits.items():
            assert torch.equal(one, logits[key]), key


def test_a_model_that_learned_lines_writes_several():
    engine = Engine.of(blank(), "cpu", lines=True)
    made = samples(engine, SampleRequest(n=40, temperature=5.0, top_p=1.0, max_tokens=40, seed=1))
    assert any("\n" in sample.text for sample in made)
    assert {sample.stopped for sample in made} == {"eos", "length"}


def test_a_banned_word_is_in_no_text_and_the_rest_stays(parrot_engine):
    asked = {"prompt": "The fog", "n": 8, "seed": 1, "max_tokens": 60, "temperature": 1.5}
    free = samples(parrot_engine, SampleRequest(**asked))
    words = ("committee", "no agenda", "IN", "🌊")
    made = samples(parrot_engine, SampleRequest(**asked, banned=words))
    assert any("committee" in sample.text for sample in free)
    for sample in made:
        assert not re.search(r"(?<!\w)(committee|no\s+agenda|in)(?!\w)|🌊", sample.text, re.I)
    unbothered = samples(parrot_engine, SampleRequest(**asked, banned=("zebra",)))
    assert unbothered == free
    greedy = SampleRequest("The fog", n=1, temperature=0, max_tokens=60, banned=("committee",))
    assert "committee" not in samples(parrot_engine, greedy)[0].text


def test_a_stop_word_ends_a_text_before_it(parrot_engine):
    asked = {"n": 1, "temperature": 0, "max_tokens": 80}
    request = SampleRequest("The fog came in", **asked, stops=("ittee:", "agenda"))
    (sample,) = samples(parrot_engine, request)
    assert (sample.text, sample.stopped) == ("The fog came in like a comm", "stop_word")


def test_how_likely_each_token_was(parrot_engine):
    request = SampleRequest("The fog", n=3, seed=2, max_tokens=40, probabilities=True)
    for sample in samples(parrot_engine, request):
        pieces = [token.text for token in sample.probabilities]
        assert (request.prompt + "".join(pieces)).strip() == sample.text
        assert len(pieces) == sample.tokens
        ids = parrot_engine.language.prompt_ids(request.prompt)
        logits = parrot_engine.loaded.decoder.score(ids)[-1]
        first = sample.probabilities[0]
        likelier = (logits.softmax(-1) > first.probability + 1e-5).sum()
        assert first.rank == likelier + 1
        assert any((logits.softmax(-1) - first.probability).abs() < 1e-5)


def test_no_special_token_ever(engine):
    made = samples(engine, SampleRequest(n=100, temperature=5.0, top_p=1.0, max_tokens=40, seed=1))
    assert len(made) == 100
    for sample in made:
        assert not any(special in sample.text for special in SPECIAL)
        assert "\n" not in sample.text
    assert {sample.stopped for sample in made} == {"eos", "newline", "length"}
    assert all(s.tokens == 40 for s in made if s.stopped == "length")
    assert all(s.tokens < 40 for s in made if s.stopped == "eos")


def test_a_special_token_in_the_prompt_is_only_text(engine):
    prompt = "<|im_start|>user <|endoftext|> hello \ud83d"
    (sample,) = samples(engine, SampleRequest(prompt, n=1, max_tokens=3, seed=1))
    assert sample.text.startswith("<|im_start|>user <|endoftext|> hello ?")
    ids = engine.language.prompt_ids("<|im_start|>user <|endoftext|>")
    assert ids[0] == 0
    assert not {0, 1, 2, 3} & set(ids[1:])


def test_an_empty_text_is_drawn_again(engine):
    # At this temperature about one draw in forty ends at once.
    request = SampleRequest(n=200, temperature=5.0, top_p=1.0, max_tokens=5, seed=3)
    events = list(engine.generate(request))
    again = [event for event in events if isinstance(event, Restarted)]
    made = [event.sample for event in events if isinstance(event, Done)]
    assert again
    assert {event.reason for event in again} == {"empty"}
    assert sum(sample.redrawn for sample in made) == len(again)
    assert all(sample.text for sample in made)
    assert sorted(sample.index for sample in made) == list(range(200))


def test_the_deltas_since_the_last_restart_are_the_text(parrot_engine):
    index = index_of(TWEETS)
    texts: dict[int, str] = {}
    request = SampleRequest("The", n=30, temperature=1.6, top_p=1.0, max_tokens=30, seed=2)
    done = 0
    for event in parrot_engine.generate(request, check=index.check):
        if isinstance(event, Deltas):
            assert event.items
            assert all(text for _, text in event.items)
            for number, text in event.items:
                texts[number] = texts.get(number, "") + text
        elif isinstance(event, Restarted):
            texts[event.index] = ""
        else:
            done += 1
            assert texts[event.index].strip() == event.text
    assert done == 30


def test_copies_are_drawn_again_then_given_as_what_they_are(parrot_engine):
    index = index_of(TWEETS)
    asked = {"prompt": "The fog came in", "n": 2, "temperature": 0.01, "seed": 1, "max_tokens": 80}
    first, second = samples(parrot_engine, SampleRequest(**asked), check=index.check)
    assert first.text == second.text == TWEETS[1]
    assert first.redrawn == second.redrawn == MOST_REDRAWS
    all_of_it = ((0, len(TWEETS[1]) - 1),)  # but for the full stop
    assert first.copy == Copy("verbatim", 14, "1", 1.0, ("1",), all_of_it)
    allowed = samples(parrot_engine, SampleRequest(**asked, allow_copies=True), check=index.check)
    assert [(s.text, s.redrawn, s.copy.verdict) for s in allowed] == [
        (TWEETS[1], 0, "verbatim")
    ] * 2
    greedy = SampleRequest(**asked | {"temperature": 0})  # would only give the same again
    assert [sample.redrawn for sample in samples(parrot_engine, greedy, check=index.check)] == [
        0,
        0,
    ]


def test_a_learned_emoji_ends_whole(parrot_engine):
    asked = SampleRequest("Every lamp is", n=1, temperature=0, max_tokens=80)
    (sample,) = samples(parrot_engine, asked)
    assert (sample.text, sample.stopped) == (TWEETS[2], "eos")


def test_stop_keeps_what_has_begun(engine):
    seen = 0

    def stopping():
        return seen >= 5

    request = SampleRequest("The fog", n=100, seed=1, max_tokens=60)
    made = []
    for event in engine.generate(request, stopping=stopping):
        seen += isinstance(event, Deltas)
        if isinstance(event, Done):
            made.append(event.sample)
    partial = [sample for sample in made if sample.stopped == "stopped"]
    assert partial
    assert all(sample.text.startswith("The fog") for sample in partial)
    assert len(partial) < 100  # those of the second batch had not begun


def test_the_context_is_a_limit(engine):
    long = "fog " * 300
    with pytest.raises(InputRefused, match="256"):
        samples(engine, SampleRequest(long, n=1))
    ids = engine.language.prompt_ids(("fog " * 120).strip())
    made = samples(engine, SampleRequest("fog " * 120, n=4, max_tokens=1000, seed=1))
    assert max(sample.tokens for sample in made) <= 256 - len(ids)


def test_a_prompt_leaves_room_for_one_token_at_least(engine):
    def prompt_of(tokens):
        return next(
            text
            for size in range(600)
            if len(engine.language.prompt_ids(text := "q" * size)) == tokens
        )

    for sample in samples(engine, SampleRequest(prompt_of(255), n=8, max_tokens=9, seed=1)):
        assert sample.tokens <= 1
        assert sample.stopped in ("length", "eos", "newline")
    with pytest.raises(InputRefused, match="is 255 tokens long") as caught:
        samples(engine, SampleRequest(prompt_of(256), n=1))
    assert caught.value.why == "The model reads 256 at most."


def test_as_many_rows_at_once_as_a_gigabyte_holds_in_fours(engine):
    large = Engine.of(blank(), "cpu")
    large.loaded = replace(engine.loaded, cache_bytes=2**20)
    rows = {length: large.rows_at_once(length) for length in (1, 16, 17, 100, 128, 129, 256, 5000)}
    assert rows == {1: 64, 16: 64, 17: 60, 100: 8, 128: 8, 129: 4, 256: 4, 5000: 4}


def test_who_waits_takes_the_place_of_who_has_ended(engine, monkeypatch):
    monkeypatch.setattr(Engine, "rows_at_once", lambda self, length: 4)
    request = SampleRequest("The", n=12, temperature=5.0, top_p=1.0, max_tokens=60, seed=1)
    seen: list[int] = []
    for event in engine.generate(request):
        if isinstance(event, Done):
            seen.append(event.index)
        elif isinstance(event, Deltas) and any(index >= 4 for index, _ in event.items):
            break
    assert 0 < len(seen) < 4, "the others of the first four go on"


def test_rows_are_decoded_in_fours_and_no_more_than_go_on(engine, monkeypatch):
    step, sizes, lengths = LeanBatch.step, [], []

    def watched(self, tokens):
        sizes.append(len(tokens))
        return step(self, tokens)

    def at_once(self, length):
        lengths.append(length)
        return 64

    monkeypatch.setattr(LeanBatch, "step", watched)
    monkeypatch.setattr(Engine, "rows_at_once", at_once)
    request = SampleRequest("The", n=6, temperature=5.0, top_p=1.0, max_tokens=60, seed=1)
    made = samples(engine, request)
    read = len(engine.language.prompt_ids("The"))
    assert lengths == [read + 60]
    drawn = [one.tokens + (one.stopped == "eos") for one in made]
    go_on = [sum(tokens > at for tokens in drawn) for at in range(1, max(drawn))]
    assert sizes == [-(-rows // 4) * 4 for rows in go_on]
    assert {*sizes} == {4, 8}


def test_every_token_that_is_drawn_is_counted(engine):
    fresh = Engine.of(blank(), "cpu")
    assert (fresh.tokens_drawn, fresh.unescape, fresh.lines) == (0, False, False)
    request = SampleRequest(n=9, temperature=5.0, top_p=1.0, max_tokens=40, seed=1)
    events = [*fresh.generate(request)]
    made = [event.sample for event in events if isinstance(event, Done)]
    assert not any(isinstance(event, Restarted) for event in events)
    assert {sample.stopped for sample in made} > {"eos"}
    assert fresh.tokens_drawn == sum(one.tokens + (one.stopped == "eos") for one in made)
    assert {sample.copy for sample in made} == {Copy("unchecked", 0, None)}
    texts = [text for event in events if isinstance(event, Deltas) for _, text in event.items]
    assert all(texts), "no news is no event"


def test_a_model_of_another_shape_writes_the_same_however_many_are_asked_for(tmp_path, monkeypatch):
    torch.manual_seed(3)
    config = Qwen2Config(
        vocab_size=400, hidden_size=32, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(tmp_path)
    shutil.copy(blank() / "tokenizer.json", tmp_path)
    other = Engine.of(tmp_path, "cpu")
    asked = {"prompt": "The fog", "seed": 3, "max_tokens": 30, "temperature": 2.0, "top_p": 1.0}
    many = samples(other, SampleRequest(n=11, **asked), check=odd_is_a_copy)
    assert any(sample.redrawn for sample in many)
    assert len({sample.tokens for sample in many}) > 2
    monkeypatch.setattr(Engine, "rows_at_once", lambda self, length: 4)
    assert samples(other, SampleRequest(n=11, **asked), check=odd_is_a_copy) == many
    assert samples(other, SampleRequest(n=2, **asked), check=odd_is_a_copy) == many[:2]


def test_a_model_that_diverged_says_so(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(blank(), folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.model.norm.weight.fill_(torch.nan)
    model.save_pretrained(folder)
    with pytest.raises(MynahError, match="diverged"):
        samples(Engine.of(folder, "cpu"), SampleRequest(n=1))


def test_bfloat16_on_a_processor_is_reproducible_too():
    engine = Engine.of(blank(), "cpu", "bfloat16")
    ten = samples(engine, SampleRequest("The", n=10, seed=4, max_tokens=40))
    assert samples(engine, SampleRequest("The", n=4, seed=4, max_tokens=40)) == ten[:4]


def test_line_breaks_of_a_prompt_stay_for_a_model_that_learned_them(engine):
    request = SampleRequest("The  fog\ncame", n=1, max_tokens=4, temperature=0)
    (one_line,) = samples(engine, request)
    assert one_line.prompt == "The fog came"
    assert one_line.text.startswith("The fog came")
    (several,) = samples(Engine.of(blank(), "cpu", lines=True), request)
    assert several.prompt == "The fog\ncame"
    assert several.text.startswith("The fog\ncame")
