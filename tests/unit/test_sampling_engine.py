"""The decoding loop: reproducible, bounded, and free of special tokens."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from sampling_models import SPECIAL, TWEETS, blank, parrot
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

from core.errors import InputRefused, MynahError, WrongUsage
from core.sampling.decoding import loading
from core.sampling.decoding.loading import load
from core.sampling.decoding.products import CentredHead, has_int8
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


def test_a_model_that_diverged_says_so(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(blank(), folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.model.norm.weight.fill_(torch.nan)
    model.save_pretrained(folder)
    with pytest.raises(MynahError, match="diverged"):
        samples(Engine.of(folder, "cpu"), SampleRequest(n=1))


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    with pytest.raises(InputRefused, match="cannot be loaded"):
        Engine.of(tmp_path, "cpu")
    shutil.copytree(blank(), tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").write_text("{", "utf-8")
    with pytest.raises(InputRefused, match="tokenizer"):
        Engine.of(tmp_path / "model", "cpu")
    config = json.loads((blank() / "config.json").read_text("utf-8"))
    config["num_hidden_layers"] = 3  # one layer that the file does not have
    (tmp_path / "model" / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(InputRefused, match="lacks"):
        load(tmp_path / "model", "cpu")
    with pytest.raises(WrongUsage, match="device"):
        load(blank(), "toaster")


@pytest.mark.parametrize("arithmetic", ["bfloat16", "int8"])
def test_a_rounded_model_keeps_its_distribution(arithmetic):
    if arithmetic == "int8" and not has_int8():
        pytest.skip("fbgemm is for x86")
    ids = [0, 40, 50, 60]
    exact = load(blank(), "cpu", "float32").decoder.score(ids).softmax(-1)
    loaded = load(blank(), "cpu", arithmetic)
    rounded = loaded.decoder.score(ids).softmax(-1)
    assert loaded.arithmetic == arithmetic
    assert 0 < (exact - rounded).abs().sum(-1).max() < 0.02


def test_a_centred_head_survives_logits_far_from_zero():
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(500, 64, generator=generator) / 8
    hidden = torch.randn(20, 64, generator=generator)
    weight = weight - 100 * hidden.mean(0) / hidden.mean(0).norm() ** 2
    exact = (hidden @ weight.T).softmax(-1)
    plain = (hidden.bfloat16() @ weight.bfloat16().T).float().softmax(-1)
    head = CentredHead(weight, None, torch.bfloat16)
    assert (head(hidden) - hidden @ weight.T).abs().max() < 0.1
    ours = head(hidden.bfloat16()).softmax(-1)
    assert (ours - exact).abs().sum(-1).mean() < 0.02
    assert (plain - exact).abs().sum(-1).mean() > 0.1


def test_bfloat16_on_a_processor_is_reproducible_too():
    engine = Engine.of(blank(), "cpu", "bfloat16")
    ten = samples(engine, SampleRequest("The", n=10, seed=4, max_tokens=40))
    assert samples(engine, SampleRequest("The", n=4, seed=4, max_tokens=40)) == ten[:4]


def test_the_faster_type_is_measured_once_and_then_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(loading, "_WORTH_MEASURING", 0)
    parameters = load(blank(), "cpu").parameters
    record = tmp_path / "cache" / "decoding.json"
    ((key, seconds),) = json.loads(record.read_text("utf-8")).items()
    processor = Path("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", processor.read_text()) if processor.exists() else None
    assert key == (
        f"{name[1].strip() if name else loading._processor()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, llama of {parameters}"
    )
    assert set(seconds) == {"float32", "bfloat16", *(["int8"] if has_int8() else [])}
    assert all(0 < one < 10 for one in seconds.values())
    for seconds, chosen in (
        ({"float32": 1.1, "bfloat16": 1.0}, "float32"),
        ({"float32": 1.2, "bfloat16": 1.0}, "bfloat16"),
        ({"float32": 1.2, "bfloat16": 1.0, "int8": 0.9}, "int8"),
        ({"bfloat16": 0.5}, "float32"),
    ):
        record.write_text(json.dumps({"another": {"float32": 1}, key: seconds}), "utf-8")
        assert load(blank(), "cpu").arithmetic == chosen
        assert json.loads(record.read_text("utf-8")) == {"another": {"float32": 1}, key: seconds}
    for other in ("[]", json.dumps({key: 1.3}), json.dumps({key: {}}), "{", '{"a": {"b": "c"}}'):
        record.write_text(other, "utf-8")
        load(blank(), "cpu")
        assert list(json.loads(record.read_text("utf-8"))) == [key]
    record.unlink()
    record.mkdir()
    load(blank(), "cpu")  # where nothing can be written it is measured each time


def test_what_is_small_is_not_measured_and_int8_only_where_it_can_be_had(tmp_path, monkeypatch):
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path / "cache"))
    record = tmp_path / "cache" / "decoding.json"
    assert load(blank(), "cpu").arithmetic == "float32"
    assert not record.exists()
    config = Qwen2Config(
        vocab_size=20, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "model")
    monkeypatch.setattr(loading, "_WORTH_MEASURING", 0)
    load(tmp_path / "model", "cpu")
    (seconds,) = json.loads(record.read_text("utf-8")).values()
    assert set(seconds) == {"float32", "bfloat16"}


def test_line_breaks_of_a_prompt_stay_for_a_model_that_learned_them(engine):
    request = SampleRequest("The  fog\ncame", n=1, max_tokens=4, temperature=0)
    (one_line,) = samples(engine, request)
    assert one_line.prompt == "The fog came"
    assert one_line.text.startswith("The fog came")
    (several,) = samples(Engine.of(blank(), "cpu", lines=True), request)
    assert several.prompt == "The fog\ncame"
    assert several.text.startswith("The fog\ncame")
