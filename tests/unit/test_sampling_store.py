"""Samples that were asked for: stored, found by SQL, made again, forgotten."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from sampling_models import parrot

from core.corpus.store import Corpus
from core.errors import InputRefused
from core.home import Home
from core.locks import Locked
from core.query.run import run_query
from core.runs.folder import Run
from core.runs.housekeeping import delete_run, deleted_runs, restore_run
from core.sampling import store
from core.sampling.favourites import keep_sample, note_favourite
from core.sampling.request import Copy, Deltas, Done, Finished, Ready, Sample, SampleRequest
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


def test_a_time_without_a_zone_is_utc(run: Run) -> None:
    first, second = made(run, 0, "one"), made(run, 1, "two")
    store_samples(run, [first])
    line = second.to_json() | {"created_at": "2026-01-02T03:04:05"}
    with run.generated.open("a") as file:
        file.write(json.dumps(line) + "\n")
    assert min(stored_samples(run), key=lambda one: one.created_at).id == second.id


def test_a_run_that_was_deleted_meanwhile_can_be_restored(run: Run) -> None:
    home, voice, one = Home(run.folder.parents[1]), tuned_voice(run), made(run, 0, "one")
    run.update_record(state="finished")
    delete_run(home, run)
    told: list[str] = []
    found = list(store.sample_and_store(voice, cast(Any, Unwritten()), REQUEST, told.append))
    assert len([stored for _, stored in found if stored]) == 2
    assert "The run was deleted" in told[0]
    with pytest.raises(FileNotFoundError):
        store_samples(run, [one])
    assert restore_run(home, deleted_runs(home)[0]).id == run.id


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
    run.generated.unlink()
    store_samples(run, [made(run, number, f"one of {number}") for number in range(6)])
    store_samples(run, [])
    size = run.generated.stat().st_size
    monkeypatch.setattr(store, "MOST_BYTES", size)
    store_samples(run, [made(run, 6, "one of 6")])
    assert len(stored_samples(run)) == 7, "it may be as large as that"
    store_samples(run, [made(run, 7, "one of 7")])
    assert [one.sample.index for one in stored_samples(run)] == [3, 4, 5, 6, 7]


def test_what_would_be_forgotten_is_counted_first(run: Run) -> None:
    home = Home(run.folder.parents[1])
    later = Run(run.folder.with_name("20270101-0000-keeper-bbbb"))
    silent = Run(run.folder.with_name("20260601-0000-keeper-cccc"))
    for one in (later, silent):
        one.folder.mkdir()
        shutil.copy(run.folder / "run.json", one.folder)
    for one in (run, later):
        copies = [Copy("near", 9, None, 0.8, ("5", "7")), NEW]
        store_samples(one, [made(one, at, f"text {at}", copy) for at, copy in enumerate(copies)])
    assert forget_copies(home, {"7"}, dry_run=True) == 2
    assert len(stored_samples(run)) == len(stored_samples(later)) == 2
    assert forget_copies(home, {"8"}) == 0
    assert forget_copies(home, {"7"}) == 2
    assert len(stored_samples(run)) == len(stored_samples(later)) == 1


@pytest.mark.parametrize(
    ("copy", "of"),
    [
        ({"verdict": "verbatim", "tweet_id": "7"}, True),
        ({"verdict": "near", "tweet_id": "7"}, True),
        ({"verdict": "near", "tweet_id": None, "tweet_ids": ["6", "7"]}, True),
        ({"verdict": "near", "tweet_id": "6", "tweet_ids": ["6"]}, False),
        ({"verdict": "new", "tweet_id": "7", "tweet_ids": ["7"]}, False),
        ({"verdict": "near", "tweet_id": "6"}, False), ({}, False), (None, False), ("7", False),
    ],
)  # fmt: skip
def test_what_is_a_copy_of_a_tweet(copy: object, of: bool) -> None:
    assert store.copies_any(copy, {"7"}) is of


def test_an_id_that_could_be_two_samples_finds_none(run: Run) -> None:
    home = Home(run.folder.parents[1])
    both = [replace(made(run, at, f"text {at}"), id=f"abc{at}") for at in range(2)]
    store_samples(run, both)
    assert find_sample(home, "abc1").text == "text 1"
    with pytest.raises(InputRefused, match="'abc' could be 2 samples"):
        find_sample(home, "abc")
    for wanted in ("", "b"):
        with pytest.raises(InputRefused, match="There is no sample"):
            find_sample(home, wanted)


def test_a_stored_sample_says_which_model_made_it_and_how(run: Run) -> None:
    one = replace(made(run, 3, "text"), model="base")
    line = one.to_json()
    assert line["generated"] is True
    assert line["settings"] == {
        "max_tokens": 12, "temperature": 1.3, "top_p": 0.9, "top_k": REQUEST.top_k,
        "allow_copies": False, "min_p": 0.0, "repetition_penalty": 1.0, "banned": [], "stops": [],
    }  # fmt: skip
    read = StoredSample.from_json(run.id, json.loads(json.dumps(line)))
    assert (read.model, read.sample, read.device) == ("base", one.sample, "cpu float32")
    assert StoredSample.from_json(run.id, {**line, "model": "tuned"}).model == "tuned"
    assert read.request(probabilities=True).probabilities is True
    for name, value in (("settings", 5), ("created_at", "noon"), ("copy", 7), ("model", None)):
        damaged = {name: value} if value is None else {**line, name: value}
        run.generated.write_text(json.dumps(damaged) + "\n" + json.dumps(line) + "\n")
        assert [kept.id for kept in stored_samples(run)] == [one.id], name


@pytest.mark.parametrize("damage", [{"stops": True}, {"top_p": "all"}, {"banned": [1]}])
def test_a_damaged_setting_is_refused_by_its_name(run: Run, damage: dict[str, Any]) -> None:
    one = made(run, 3, "text")
    damaged = replace(one, settings={**one.settings, **damage})
    (name,) = damage
    with pytest.raises(InputRefused, match=rf"damaged line: .*\$\.{name}"):
        damaged.request()
    twice = replace(one, settings={**one.settings, "seed": 99, "prompt": "no"})
    assert twice.request() == one.request(), "the sample's own come first"


@pytest.mark.parametrize(
    ("text", "model", "device", "words"),
    [
        ("text", "abc", "cpu float32", "The same text again, from the same model."),
        ("text", "abc", "cuda", "The same text again, from the same model."),
        ("text", "xyz", "cpu float32",
         "The model has changed since that sample was made. The text is the same."),
        ("other", "xyz", "cuda",
         "The model has changed since that sample was made. So this is another text."),
        ("other", "abc", "cuda",
         "Another text: it was made on cpu float32, and now on cuda, which rounds differently."),
        ("other", "abc", "cpu float32",
         "Another text, though the model is the same: another version of mynah made it."),
    ],
)  # fmt: skip
def test_what_came_of_making_it_again(
    run: Run, text: str, model: str, device: str, words: str
) -> None:
    stored = made(run, 0, "text")
    again = store.Repeated(stored, replace(stored.sample, text=text), model, device)
    assert again.in_words == words
    unknown = replace(again, stored=replace(stored, device=""))
    if words.startswith("Another text: it"):
        assert unknown.in_words.startswith("Another text: it was made on another device, and now ")


class Unwritten:
    """As a `Sampler` that has two samples done and one that only began."""

    ready = Ready("cpu", "float32", 1, 0.1, None)

    def __init__(self, *, stopped: bool = False) -> None:
        self._why: Any = "stopped" if stopped else "eos"

    def start(self) -> None: ...

    def generate(self, request: SampleRequest) -> Iterator[Any]:
        assert request.seed is not None
        for index in range(2):
            yield Deltas([(index, f"text {index}")])
            yield Done(Sample(index, request.seed, "", f"text {index}", 1, self._why, NEW, 0))
        yield Finished(2, 2, 0.1, 20.0)


def test_a_disk_that_takes_nothing_is_told_of_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    voice, sampler = tuned_voice(run), cast(Any, Unwritten())
    asked = replace(REQUEST, seed=None)
    found = list(store.sample_and_store(voice, sampler, asked, told.append))
    assert [type(event).__name__ for event, _ in found] == [
        "Deltas", "Done", "Deltas", "Done", "Finished"
    ]  # fmt: skip
    written = [stored for _, stored in found if stored is not None]
    assert [one.text for one in written] == ["text 0", "text 1"]
    assert [one.id for one in stored_samples(run)] == [one.id for one in written]
    assert {(one.device, one.model_hash) for one in written} == {("cpu float32", voice.hash())}
    assert told == []
    for error in (OSError("No space left"), Locked("held")):
        told.clear()
        calls: list[int] = []

        def full(*_: object, error: Exception = error, calls: list[int] = calls) -> None:
            calls.append(1)
            raise error

        monkeypatch.setattr(store, "store_samples", full)
        found = list(store.sample_and_store(voice, sampler, REQUEST, told.append))
        assert len([stored for _, stored in found if stored]) == 2
        assert (told, calls) == ([str(error)], [1])


def test_the_one_that_was_asked_for_is_made_again(run: Run) -> None:
    second = made(run, 1, "text 1")
    again = repeat(second, cast(Any, Unwritten()), "abc")
    assert again is not None
    assert (again.sample.index, again.same, again.device) == (1, True, "cpu float32")
    assert repeat(second, cast(Any, Unwritten(stopped=True)), "abc") is None
    assert repeat(made(run, 2, "text 2"), cast(Any, Unwritten()), "abc") is None
