"""Samples that were asked for: stored, found by SQL, made again, forgotten."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sampling_models import parrot

from core.corpus.store import Corpus
from core.errors import InputRefused
from core.home import Home
from core.query.run import run_query
from core.runs.folder import Run
from core.sampling import store
from core.sampling.favourites import keep_sample, note_favourite
from core.sampling.request import Copy, Done, Sample, SampleRequest
from core.sampling.store import (
    StoredSample,
    as_stored,
    device_of,
    find_sample,
    forget_copies,
    repeat,
    store_samples,
    stored_samples,
)
from core.sampling.voices import base_voice, tuned_voice

REQUEST = SampleRequest("The lamp", n=4, max_tokens=12, temperature=1.3, top_p=0.9, seed=11)

NEW = Copy("new", 1, None)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = tmp_path / "home" / "runs" / "20260101-0000-keeper-aaaa"
    shutil.copytree(parrot(), folder)
    (folder / "run.json").write_text(json.dumps({"base": "scratch", "handles": ["keeper"]}))
    return Run(folder)


def made(run: Run, index: int, text: str, copy: Copy = NEW) -> StoredSample:
    sample = Sample(index, 11, "The", text, 5, "eos", copy, 0)
    return as_stored(tuned_voice(run), "abc", REQUEST, sample, "cpu float32")


def ask(run: Run, sql: str) -> list[dict[str, object]]:
    home = Home(run.folder.parents[1])
    return run_query(Corpus(home.corpus), home, sql).frame.to_dicts()


def test_a_sample_is_made_again_from_what_is_stored(run: Run, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    voice = tuned_voice(run)
    with voice.sampler("cpu") as sampler:
        before = voice.hash()
        samples = [
            as_stored(voice, before, REQUEST, event.sample, device_of(sampler))
            for event in sampler.generate(REQUEST)
            if isinstance(event, Done)
        ]
        store_samples(run, samples)
        kept = sorted(stored_samples(run), key=lambda one: one.sample.index)
        assert [one.sample for one in kept] == sorted(
            (one.sample for one in samples), key=lambda one: one.index
        )
        assert len({one.text for one in kept}) > 1
        for one in kept[1:3]:
            again = repeat(one, sampler, voice.hash())
            assert again is not None
            assert again.same
            assert not again.model_changed
            assert again.in_words == "The same text again, from the same model."
        part = replace(kept[0].sample, text="The lamp", stopped="stopped")
        again = repeat(replace(kept[0], sample=part), sampler, voice.hash())
        assert again is not None
        assert again.in_words.startswith("That sample was stopped before its end")
    # the run learns on, and its model is another one
    weights = run.model / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-4096:] = bytes(4096)
    weights.write_bytes(changed)
    with voice.sampler("cpu") as sampler:
        after = voice.hash()
        assert after != before
        again = repeat(kept[0], sampler, after)
    assert again is not None
    assert again.model_changed
    assert again.in_words.startswith("The model has changed since that sample was made.")


def test_sql_reads_them_with_favourites_and_what_it_wrote_while_it_learned(run: Run) -> None:
    home = Home(run.folder.parents[1])
    first = made(run, 0, "The gull", Copy("near", 7, "100", 0.5, ("100", "101"), ((0, 3),)))
    store_samples(run, [first, made(run, 1, "The fog")])
    run.samples.write_text('{"kind": "sample", "time": 1e9, "step": 8, "text": "The early"}\n')
    note_favourite(home, keep_sample(home, first).id, "for Monday")
    gull, fog, early = ask(run, "FROM samples ORDER BY step NULLS FIRST, index")
    assert gull["id"] == first.id
    assert (gull["seed"], gull["index"], gull["model_hash"]) == (11, 0, "abc")
    assert (gull["temperature"], gull["top_p"], gull["max_tokens"]) == (1.3, 0.9, 12)
    assert json.loads(str(gull["settings"]))["allow_copies"] is False
    assert (gull["tokens"], gull["stopped"], gull["model"]) == (5, "eos", "tuned")
    assert (gull["verdict"], gull["longest"], gull["tweet_ids"]) == ("near", 7, ["100", "101"])
    assert (gull["favourite"], gull["note"], fog["favourite"]) == (True, "for Monday", False)
    assert gull["created_at"] == first.created_at.replace(
        microsecond=first.created_at.microsecond // 1000 * 1000
    )
    assert (early["step"], early["id"], early["kind"]) == (8, None, "sample")
    assert str(early["created_at"]) == "2001-09-09 01:46:40+00:00"
    run.generated.unlink()
    (alone,) = ask(run, "FROM samples WHERE favourite")
    assert (alone["text"], alone["seed"], alone["note"]) == ("The gull", 11, "for Monday")


def test_damage_is_passed_over_and_what_is_unknown_is_refused(run: Run) -> None:
    one = made(run, 2, "The tide")
    store_samples(run, [one])
    with run.generated.open("ab") as file:
        file.write(b'{"id": "x"}\n[1]\n{"id": "half')
    store_samples(run, [replace(one, id="1" * 32, settings={**one.settings, "mirostat": 5})])
    kept, later = stored_samples(run)
    assert kept.sample == one.sample
    assert kept.request() == replace(REQUEST, prompt="The", n=3)
    with pytest.raises(InputRefused, match="mirostat"):
        later.request()
    home = Home(run.folder.parents[1])
    assert find_sample(home, one.id[:8]).text == "The tide"
    for wanted in ("", "nothing"):
        with pytest.raises(InputRefused, match="SELECT id"):
            find_sample(home, wanted)
    with pytest.raises(InputRefused, match="random weights"):
        base_voice(run)


def test_what_copies_a_forgotten_tweet_goes_and_the_file_is_bounded(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(run.folder.parents[1])
    copies = [Copy("verbatim", 9, "7"), Copy("near", 6, "8", 0.9, ("8", "7")), Copy("new", 2, "7")]
    store_samples(run, [made(run, at, f"text {at}", copy) for at, copy in enumerate(copies)])
    assert forget_copies(home, {"7"}) == 2
    assert [one.text for one in stored_samples(run)] == ["text 2"]
    assert "text 0" not in run.generated.read_text()
    monkeypatch.setattr(store, "MOST_BYTES", 1000)
    for number in range(8):
        store_samples(run, [made(run, number, f"more {number}")])
    texts = [one.text for one in stored_samples(run)]
    assert texts[-1] == "more 7"
    assert len(texts) < 6
