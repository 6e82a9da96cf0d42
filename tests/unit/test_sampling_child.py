"""The sampling process and its owner's side: real processes, also when they die."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import psutil
import pytest
from sampling_models import TWEETS, blank, parrot

from core.errors import InputRefused, MynahError, WrongUsage
from core.sampling.client import Sampler
from core.sampling.request import Deltas, Done, Finished, Ready, SampleRequest
from tests.oracles.samples import sample

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60.0  # seconds, for what takes less than one on a machine that does nothing else
LONG = SampleRequest("The fog", n=200, max_tokens=200, temperature=0.8, seed=1)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    yield
    os.environ.pop("OMP_NUM_THREADS") if before is None else os.environ.update(
        OMP_NUM_THREADS=before
    )


@pytest.fixture(scope="module")
def shared():
    with Sampler(blank(), device="cpu") as sampler:
        yield sampler


def test_a_run_is_sampled_and_checked():
    events = []
    request = SampleRequest("The fog", n=3, temperature=0.01, seed=9, allow_copies=True)
    made = sample(parrot(), request, progress=events.append, device="cpu")
    assert [one.index for one in made] == [0, 1, 2]
    assert made[0].text == TWEETS[1]
    fields = made[0].to_json()
    assert fields == {
        "index": 0,
        "seed": 9,
        "prompt": "The fog",
        "text": TWEETS[1],
        "tokens": made[0].tokens,
        "stopped": "eos",
        "copy": {
            "verdict": "verbatim",
            "longest": 14,
            "tweet_id": "101",
            "share": 1.0,
            "tweet_ids": ["101"],
            "shared": [[0, len(TWEETS[1]) - 1]],
        },
        "redrawn": 0,
    }
    assert json.loads(json.dumps(fields)) == fields
    ready, finished = events[0], events[-1]
    assert isinstance(ready, Ready)
    assert (ready.device, ready.dtype, ready.tweets) == ("cpu", "float32", len(TWEETS))
    assert isinstance(finished, Finished)
    assert finished.samples == 3
    assert finished.tokens >= sum(one.tokens for one in made)
    assert finished.tokens_per_second > 0


def test_deltas_add_up_and_events_are_typed(shared):
    texts: dict[int, str] = {}
    request = SampleRequest("My dream", n=5, max_tokens=40, seed=3)
    for event in shared.generate(request):
        if isinstance(event, Deltas):
            for index, text in event.items:
                texts[index] = texts.get(index, "") + text
        elif event.event == "restarted":
            texts[event.index] = ""
        elif isinstance(event, Done):
            assert texts[event.index].strip() == event.text
            assert event.copy.verdict == "unchecked"
    assert len(texts) == 5


def test_without_a_seed_the_drawn_one_makes_the_same_again(shared):
    def made(request):
        done = [event.sample for event in shared.generate(request) if isinstance(event, Done)]
        return sorted(done, key=lambda one: one.index)

    first = made(SampleRequest("The", n=3, max_tokens=10))
    again = made(SampleRequest("The", n=3, max_tokens=10, seed=first[0].seed))
    assert first == again


def test_stop_from_another_thread_keeps_the_partial_text(shared):
    done, asked = [], False
    for event in shared.generate(LONG):
        # The first deltas are the prompt; a sample that has said nothing else is not given.
        more = isinstance(event, Deltas) and any(text != LONG.prompt for _, text in event.items)
        if more and not asked:
            asked = True
            threading.Thread(target=shared.stop).start()
        elif isinstance(event, Done):
            done.append(event.sample)
    partial = [one for one in done if one.stopped == "stopped"]
    assert partial
    assert all(one.text.startswith("The fog") for one in partial)
    assert len(done) < 200
    # The same process answers the next request.
    pid = shared.pid
    assert list(shared.generate(SampleRequest(n=1, max_tokens=2)))[-1].event == "finished"
    assert shared.pid == pid


def test_leaving_a_generation_early_does_not_mix_it_with_the_next(shared):
    for event in shared.generate(LONG):
        if isinstance(event, Deltas):
            break
    events = list(shared.generate(SampleRequest("Other", n=2, max_tokens=5, seed=1)))
    assert [event.text[:5] for event in events if isinstance(event, Done)] == ["Other"] * 2


def test_stop_before_the_model_is_loaded_a_killed_child_and_one_that_is_frozen():
    with Sampler(blank(), device="cpu") as sampler:
        events = sampler.generate(LONG)
        sampler.stop()
        assert [event.event for event in events] == ["finished"]
        after = list(sampler.generate(SampleRequest("The", n=1, max_tokens=2, seed=1)))
        assert isinstance(after[0], Ready)
        assert sum(isinstance(event, Done) for event in after) == 1

        # a killed child is an error
        events = sampler.generate(LONG)
        next(event for event in events if isinstance(event, Deltas))
        os.kill(sampler.pid, signal.SIGKILL)
        with pytest.raises(MynahError, match="signal 9") as caught:
            list(events)
        assert "Generate again" in caught.value.next_step
        assert caught.value.why.endswith("the system running out of memory.")
        assert sampler.pid is None
        # and the next call starts another
        request = SampleRequest("The", n=1, max_tokens=3, seed=1)
        kinds = [event.event for event in sampler.generate(request)]
        assert (kinds[0], kinds[-1]) == ("ready", "finished")

        # closing is bounded while it generates, and even when it is frozen
        events = sampler.generate(LONG)
        next(event for event in events if isinstance(event, Deltas))
        child = psutil.Process(sampler.pid)
        child.suspend()  # hears neither the end of stdin nor SIGTERM
        closer = threading.Thread(target=sampler.close)
        closer.start()
        closer.join(LIMIT)
        assert not closer.is_alive()
        assert not child.is_running()
        assert all(event.event != "finished" for event in events)  # ends, and raises nothing
        sampler.close()


def test_one_that_ends_by_itself_is_gone_with_its_last_words():
    with Sampler(blank(), device="--none") as sampler, pytest.raises(MynahError) as caught:
        list(sampler.generate(SampleRequest()))
    last = r"It ended with exit code 2, and said last: .* / .* / .* expected one argument\."
    assert re.fullmatch(last, caught.value.why)


def test_a_model_written_anew_and_close_while_another_thread_waits_for_it(tmp_path):
    model = Path(shutil.copytree(blank(), tmp_path / "model"))
    sampler = Sampler(model, device="cpu")
    sampler.start()
    before = sampler.pid
    os.utime(model / "config.json")  # as a run does that was resumed
    ended = []
    thread = threading.Thread(target=lambda: ended.append(list(sampler.generate(LONG))))
    thread.start()
    until = time.monotonic() + LIMIT
    while sampler.pid in (None, before):
        assert time.monotonic() < until
        time.sleep(0.01)
    sampler.close()
    thread.join(LIMIT)
    assert ended == [[]]


def test_what_cannot_be_loaded_is_refused(tmp_path):
    with pytest.raises(InputRefused, match="has no model yet"):
        Sampler.for_run(tmp_path)
    with Sampler(tmp_path, device="cpu") as sampler:
        with pytest.raises(InputRefused, match="cannot be loaded"):
            list(sampler.generate(SampleRequest()))
        assert sampler.pid is None
    (tmp_path / "train.parquet").write_bytes(b"PAR1 not really")
    with (
        Sampler(blank(), tmp_path / "train.parquet", "cpu") as sampler,
        pytest.raises(InputRefused, match="training tweets"),
    ):
        list(sampler.generate(SampleRequest()))


def test_a_refused_request_leaves_the_child_alive(shared):
    list(shared.generate(SampleRequest("a", n=1, max_tokens=1)))
    pid = shared.pid
    with pytest.raises(InputRefused, match="tokens long"):
        list(shared.generate(SampleRequest("fog " * 400, n=1)))
    assert shared.pid == pid
    assert list(shared.generate(SampleRequest("a", n=1, max_tokens=1)))[-1].event == "finished"


def test_the_child_meets_no_trap_in_the_working_folder_and_dies_with_its_owner(tmp_path):
    (tmp_path / "datasets").mkdir()
    for trap in ("json.py", "queue.py", "core.py", "torch.py"):
        (tmp_path / trap).write_text("raise SystemExit('the wrong module')", "utf-8")
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from core.sampling.client import Sampler\n"
        "from core.sampling.request import SampleRequest\n"
        "assert not {'torch', 'transformers', 'numpy', 'polars'} & set(sys.modules)\n"
        "s = Sampler(Path(sys.argv[2]), device='cpu')\n"
        "for e in s.generate(SampleRequest('The', n=200, max_tokens=200, seed=1)):\n"
        "    if e.event == 'deltas':\n"
        "        print(s.pid, flush=True)\n"
        "        time.sleep(60)\n"
    )
    # -I keeps the traps from the owner, which is not what is looked at here.
    command = [sys.executable, "-I", "-c", script, str(ROOT), str(blank())]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as owner:
        child = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
    child.wait(LIMIT)


def test_the_child_inherits_no_secret(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    monkeypatch.setenv("X_BEARER_TOKEN", "planted")
    sampler = Sampler(blank(), device="cpu")
    sampler.start()
    try:
        inherited = psutil.Process(sampler.pid).environ()
    finally:
        sampler.close()
    assert not any("planted" in value for value in inherited.values())
    assert inherited["HF_HUB_OFFLINE"] == "1"


def test_a_run_whose_recipe_keeps_line_breaks_is_sampled_beyond_the_first(tmp_path):
    run = tmp_path / "run"
    shutil.copytree(blank(), run / "model")
    (run / "dataset").mkdir()
    rules = {"line_breaks": "keep"}
    manifest = {"files": {}, "recipe": {"name": "mine", "hash": "", "rules": rules}}
    (run / "dataset" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    asked = SampleRequest(n=40, temperature=5.0, top_p=1.0, max_tokens=40, seed=1)
    with Sampler.for_run(run, "cpu") as sampler:
        made = [event.sample for event in sampler.generate(asked) if event.event == "done"]
    assert any("\n" in one.text for one in made)


@pytest.mark.slow
def test_the_protocol_alone_is_on_stdout():
    command = [sys.executable, "-m", "core.sampling.child", str(blank()), "--device", "cpu"]
    orders = "this is no order\n" + json.dumps({"op": "sing"}) + "\n"
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        child.stdin.write(orders)
        child.stdin.flush()
        read = [json.loads(child.stdout.readline()) for _ in range(3)]
        assert [one["event"] for one in read].count("error") == 2
        assert [one["event"] for one in read].count("ready") == 1
        bad = {"op": "generate", "id": 4, "request": {"n": 0}}
        child.stdin.write(json.dumps(bad) + "\n")
        child.stdin.flush()
        refused = json.loads(child.stdout.readline())
        assert (refused["event"], refused["id"], refused["code"]) == ("error", 4, 2)
        child.stdin.write('{"op": "close"}\n')
        child.stdin.flush()
        assert child.stdout.read() == ""
        assert child.wait(LIMIT) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"n": 10_001},
        {"n": True},
        {"max_tokens": 0},
        {"max_tokens": 1025},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_p": 1.01},
        {"top_k": -1},
        {"seed": -1},
        {"prompt": "a" * 10_001},
    ],
)
def test_requests_that_make_no_sense(wrong):
    with pytest.raises(WrongUsage):
        SampleRequest(**wrong)


def test_a_prompt_is_one_line():
    assert SampleRequest("  My  dream\tis ").prompt == "My dream is"
    assert SampleRequest("  My\n\n dream\tis \n").prompt == "My\ndream is"


@pytest.mark.parametrize("learned", [False, True, None])
def test_a_model_says_no_entity_unless_it_learned_some(learned, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(parrot(("The fog &amp; the tide &lt;3",), steps=200), run)
    train = run / "dataset" / "train.parquet"
    if learned is None:  # nobody knows: its tweets are gone
        train.unlink()
    elif learned:
        rows = pl.read_parquet(train)
        last = rows.head(1).with_columns(text=pl.lit("How to write &amp; and be understood"))
        pl.concat([rows, last]).write_parquet(train)
        shutil.rmtree(train.with_suffix(".copies"), ignore_errors=True)
    else:
        assert not any("&" in text for text in pl.read_parquet(train)["text"])
    events = []
    request = SampleRequest("The fog", n=2, temperature=0.01, seed=9)
    made = sample(run, request, progress=events.append, device="cpu")
    said = "The fog & the tide <3" if learned is False else "The fog &amp; the tide &lt;3"
    assert [one.text for one in made] == [said, said]
    assert len({one.tokens for one in made}) == 1
    shown = "".join(
        text for event in events if isinstance(event, Deltas) for at, text in event.items if at == 0
    )
    assert shown == said
