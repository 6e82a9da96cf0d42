"""One sample while it grows and what becomes of it; which model a voice is, and what it learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from core.curation.recipe import load_recipe
from core.errors import InputRefused
from core.models.answering import Answering
from core.runs.folder import Run
from core.sampling.decoding.banned import BannedWords
from core.sampling.learned import Learned
from core.sampling.request import Copy, Done, Restarted, SampleRequest, Stopped, Verdict
from core.sampling.rows import MOST_REDRAWS, Row
from core.sampling.voices import base_voice, tuned_voice, voice_of

NEW = Copy("new", 0, None)


class Text:
    """As a `TextStream` of a vocabulary of single letters."""

    def __init__(self, text: str = "", ended_by: str | None = None) -> None:
        self.text, self.ended_by = text, ended_by

    def push(self, token: int) -> str:
        self.text += chr(token)
        return chr(token)

    def peek(self, token: int) -> tuple[str, str]:
        return self.text, chr(token)


def row(text: str = "", *, redrawn: int = 0, index: int = 0, **asked: Any) -> Row:
    request = SampleRequest(**{"seed": 0, **asked})
    return Row(request, index, redrawn, cast(Any, Text(text)), [0])


def closed(one: Row, copy: Verdict = "new", stopped: Stopped = "eos") -> Done | Restarted | None:
    return one.close(stopped, lambda text, prompt: Copy(copy, len(text), prompt))


def test_the_numbers_of_a_row_follow_from_seed_place_and_turn() -> None:
    first = row().uniform
    assert 0 <= first < 1
    assert row().uniform == first
    others = [row(seed=1), row(index=1), row(redrawn=1), row(seed=2**63 - 1)]
    assert len({first, *(other.uniform for other in others)}) == 5
    one = row()
    assert one.push(ord("a")) == "a"
    assert (one.tokens, one.ids, one.stream.text) == (1, [0, ord("a")], "a")
    assert one.uniform not in (first, row(redrawn=1).uniform)


def test_a_text_of_its_length_is_over() -> None:
    one = row(stops=("#",))
    assert [one.ended(2), one.push(97), one.ended(2), one.push(97), one.ended(2)] == [
        None, "a", None, "a", "length"
    ]  # fmt: skip
    assert row().ended(0) == "length"
    for end, why in (("\n", "newline"), ("#", "stop_word")):
        ended = Row(SampleRequest(stops=("#",)), 0, 0, cast(Any, Text("a", end)), [])
        assert ended.ended(9) == why


def test_what_is_empty_or_a_copy_is_drawn_again() -> None:
    again = closed(row(" "), stopped="length")
    assert again == Restarted(0, "empty")
    assert closed(row("a copy", index=3), "verbatim") == Restarted(3, "copy")
    assert closed(row("a copy", temperature=0.5), "verbatim") == Restarted(0, "copy")
    assert closed(row("", redrawn=MOST_REDRAWS - 1)) == Restarted(0, "empty")
    for one, copy in (
        (row("near"), "near"),
        (row("new"), "new"),
        (row("a copy", allow_copies=True), "verbatim"),
        (row("a copy", temperature=0), "verbatim"),
        (row("a copy", redrawn=MOST_REDRAWS), "verbatim"),
        (row("", redrawn=MOST_REDRAWS), "new"),
        (row("", temperature=0), "new"),
    ):
        done = closed(one, cast(Verdict, copy))
        assert isinstance(done, Done), one
        assert done.redrawn == one.redrawn
    assert MOST_REDRAWS == 5, "HELP and the guide say so"


def test_what_was_stopped_is_kept_if_it_said_anything() -> None:
    assert closed(row(" "), stopped="stopped") is None
    done = closed(row("a copy", prompt="This is"), "verbatim", "stopped")
    assert isinstance(done, Done)
    assert (done.text, done.stopped, done.sample.seed) == ("This isa copy", "stopped", 0)
    assert done.copy == Copy("verbatim", len("This isa copy"), "This is")
    other = closed(row("a copy", seed=9), "near")
    assert isinstance(other, Done)
    assert other.sample.seed == 9


def test_a_banned_word_is_not_completed() -> None:
    logits = torch.full((128,), -torch.inf)
    logits[[ord("a"), ord("b"), ord("c")]] = torch.tensor([5.0, 1.0, 0.0])
    banned, stops = BannedWords(["xa"]), frozenset([ord("a")])
    one = row("x")
    assert one.allowed(ord("b"), logits, banned, frozenset()) == ord("b")
    assert one.allowed(ord("a"), logits, banned, stops) == ord("a"), "an end is no word"
    drawn = {row("x", seed=seed).allowed(97, logits, banned, frozenset()) for seed in range(20)}
    assert drawn == {ord("b"), ord("c")}
    assert one.allowed(97, logits, banned, frozenset()) == one.allowed(
        97, logits, banned, frozenset()
    )
    assert logits[97] == 5, "those of the model stay as they are"
    begun = row("a", prompt="x")
    assert begun.allowed(ord("!"), logits, BannedWords(["xa!"]), frozenset()) != ord("!")


# ── voices ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "20260101-0000-keeper-aaaa")
    run.model.mkdir(parents=True)
    (run.model / "config.json").write_text("{}", "utf-8")
    (run.folder / "run.json").write_text(
        json.dumps({"base": "scratch", "handles": ["keeper"]}), "utf-8"
    )
    return run


def test_a_hash_is_remembered_until_a_file_changes(run: Run) -> None:
    voice, kept = tuned_voice(run), run.folder / "model_hashes.json"
    first = voice.hash()
    written = json.loads(kept.read_text())
    assert written["tuned"]["hash"] == first
    kept.write_text(json.dumps({"tuned": {**written["tuned"], "hash": "known"}, "base": 1}))
    assert voice.hash() == "known"
    (run.model / "config.json").write_text('{"a": 1}', "utf-8")
    other = voice.hash()
    assert other not in ("known", first)
    assert json.loads(kept.read_text())["base"] == 1
    for damaged in (b"{", b"[]", b"\xff", b'{"tuned": "x"}'):
        kept.write_bytes(damaged)
        assert voice.hash() == other
    kept.unlink()
    kept.mkdir()
    assert voice.hash() == other, "a home that cannot be written is only slower"


def test_a_voice_is_the_runs_model_or_the_one_that_it_began_with(run: Run) -> None:
    assert voice_of(run, "tuned") == tuned_voice(run)
    with pytest.raises(InputRefused, match="no base model to compare"):
        voice_of(run, "base")
    first = Run(run.folder.with_name("20250101-0000-keeper-bbbb"))
    (run.folder / "run.json").write_text(json.dumps({"base": str(first.model), "handles": ["k"]}))
    with pytest.raises(InputRefused) as caught:
        base_voice(run)
    assert caught.value.why.startswith("The base model is not at hand: ")
    first.model.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (first.model / name).write_text("{}", "utf-8")
    (first.model / "model.safetensors").write_bytes(b"")
    found = voice_of(run, "base")
    assert (found.point, found.folder) == ("base", first.model)


# ── what a run has learned ───────────────────────────────────────────────────────────────────


def test_a_tweet_to_answer_is_cleaned_as_those_that_were_learned() -> None:
    recipe = load_recipe("standard", None)
    learned = Learned(answering=Answering(), recipe=recipe, whose="run-1")
    plain, asked = SampleRequest("a"), SampleRequest(reply_to="@bo  tea & toast https://t.co/a")
    for one in (learned, Learned()):
        assert one.asked(plain) == plain
    assert learned.asked(asked).reply_to == "tea & toast"
    assert Learned(answering=Answering()).asked(asked) == asked, "its recipe is not known"
    with pytest.raises(InputRefused, match="Nothing is left"):
        learned.asked(SampleRequest(reply_to="@bo https://t.co/a"))
    with pytest.raises(InputRefused, match="run-1"):
        Learned(whose="run-1").asked(asked)


@pytest.mark.parametrize(
    ("manifest", "lines"),
    [
        ({"files": [], "recipe": {"rules": {"line_breaks": "keep"}}}, True),
        ({"files": [], "recipe": {"rules": {"line_breaks": "space"}}}, False),
        ({"files": [], "recipe": {"rules": {}}}, False), ({"files": [], "recipe": {}}, False),
        ({"files": [], "recipe": {"rules": []}}, False), ({"files": [], "recipe": None}, False),
        ({"files": []}, False), ([], False),
    ],
)  # fmt: skip
def test_what_a_run_learned_is_read_from_its_manifest(
    run: Run, manifest: object, lines: bool
) -> None:
    assert Learned.of(run.folder) == Learned(whose=run.id)
    run.dataset.mkdir()
    (run.dataset / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert Learned.of(run.folder) == Learned(lines=lines, whose=run.id)
    (run.folder / "run.json").write_bytes(b"{")
    assert Learned.of(run.folder) == Learned(lines=lines, whose=run.id)
