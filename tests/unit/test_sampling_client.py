"""The owner's side of the sampling process, with a child that says what a test tells it to."""

from __future__ import annotations

import os
import queue
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from core.errors import InputRefused, MynahError, ServiceRefused, WrongUsage
from core.models.answering import Answering
from core.sampling import client
from core.sampling.client import Sampler
from core.sampling.learned import Learned
from core.sampling.request import Copy, Deltas, Done, Finished, Ready, Restarted, Sample
from core.sampling.request import SampleRequest as Request

READY = {"event": "ready", "device": "cpu", "dtype": "int8", "parameters": 9, "seconds": 0.5,
         "tweets": 3}  # fmt: skip
FINISHED = {"event": "finished", "samples": 1, "tokens": 8, "seconds": 2.0,
            "tokens_per_second": 4.0}  # fmt: skip
SAMPLE = Sample(0, 5, "", "ab", 2, "eos", Copy("new", 0, None), 0)


class Child:
    """As a `_Child`: ``says`` are events, to which the number of the request is added."""

    says: tuple[dict[str, Any] | None, ...] = ()
    made: list[Child]

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.orders: list[dict[str, Any]] = []
        self.events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.ready: Ready | None = None
        self.code: int | None = None
        self.ended = False
        self.process = SimpleNamespace(poll=lambda: self.code, pid=7)
        self.made.append(self)

    def send(self, **order: Any) -> None:
        self.orders.append(order)
        if order["op"] == "generate":
            for event in self.says:
                self.events.put(event and {"id": order["id"], **event})

    def end(self) -> None:
        self.ended, self.code = True, 0

    def lives_on(self) -> bool:
        return self.code is None

    def why_gone(self) -> MynahError:
        return MynahError("gone")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Child, "made", [], raising=False)
    monkeypatch.setattr(client, "_Child", Child)
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def says(monkeypatch: pytest.MonkeyPatch, *events: dict[str, Any] | None) -> None:
    monkeypatch.setattr(Child, "says", events)


def test_events_are_those_of_this_request_in_their_order(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"event": "deltas", "id": 77, "items": [[0, "left early"]]}
    says(
        monkeypatch, {**READY, "id": None}, other, {**FINISHED, "id": 77},
        {"event": "deltas", "items": [[0, "a"], [1, "b"]]},
        {"event": "restarted", "index": 1, "reason": "empty"}, {"event": "of a newer version"},
        {"event": "done", "sample": SAMPLE.to_json()}, FINISHED, other,
    )  # fmt: skip
    sampler, request = Sampler(model), Request("x", seed=4)
    assert list(sampler.generate(request)) == [
        Ready("cpu", "int8", 9, 0.5, 3), Deltas([(0, "a"), (1, "b")]), Restarted(1, "empty"),
        Done(SAMPLE), Finished(1, 8, 2.0, 4.0),
    ]  # fmt: skip
    (child,) = Child.made
    (first,) = child.orders
    assert Request(**first["request"]) == request
    list(sampler.generate(Request()))
    assert Child.made == [child]
    assert [order["op"] for order in child.orders] == ["generate", "generate"]
    assert child.orders[1]["id"] != first["id"]
    assert child.orders[1]["request"]["seed"] is not None


def test_who_leaves_early_or_stops_has_it_stopped(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, READY, {"event": "deltas", "items": []}, FINISHED)
    sampler = Sampler(model)
    sampler.stop()
    events = sampler.generate(Request())
    next(events)
    (child,) = Child.made
    number = child.orders[0]["id"]
    sampler.stop()
    child.ready = Ready("cpu", "int8", 9, 0.5, 3)
    assert [type(event) for event in events] == [Deltas, Finished], "what has begun still comes"
    assert child.orders[1:] == [{"op": "stop", "id": number}]
    sampler.stop()
    assert len(child.orders) == 2, "nothing is running"
    for _ in sampler.generate(Request()):
        break
    # which ends when the iterator does
    assert child.orders[-1] == {"op": "stop", "id": child.orders[-2]["id"]}
    assert child.lives_on()


def test_a_stop_before_the_model_is_there_ends_at_once(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch)
    sampler = Sampler(model)
    events = sampler.generate(Request())
    sampler.stop()
    assert list(events) == [Finished(0, 0, 0.0, 0.0)]
    (child,) = Child.made
    assert {order["op"] for order in child.orders[1:]} == {"stop"}
    assert sampler.pid == 7
    assert not child.ended


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1, MynahError), (2, WrongUsage), (3, InputRefused), (4, ServiceRefused), (99, MynahError)],
)
@pytest.mark.parametrize("lives", [True, False])
def test_what_it_cannot_do_is_raised_as_what_it_was(
    model: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[MynahError], lives: bool
) -> None:
    error = {"event": "error", "what": "W.", "why": "Y.", "next": "N.", "code": code}
    says(monkeypatch, error if lives else {**error, "id": None})
    sampler = Sampler(model)
    sampler.start()
    (child,) = Child.made
    child.lives_on = lambda: lives  # type: ignore[method-assign]
    with pytest.raises(MynahError) as caught:
        list(sampler.generate(Request()))
    assert type(caught.value) is kind
    assert (caught.value.what, caught.value.why, caught.value.next_step) == ("W.", "Y.", "N.")
    assert child.ended is not lives
    assert (sampler.pid is None) is not lives
    assert [order["op"] for order in child.orders] == ["generate"], "nothing is left to stop"


def test_one_that_has_gone_is_an_error_and_one_that_was_closed_is_none(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, None)
    sampler = Sampler(model)
    monkeypatch.setattr(Child, "lives_on", lambda self: False)
    with pytest.raises(MynahError, match="gone"):
        list(sampler.generate(Request()))
    assert sampler.pid is None
    says(monkeypatch, READY, None)
    events = sampler.generate(Request())
    next(events)
    assert len(Child.made) == 2
    sampler.close()
    assert list(events) == []
    assert Child.made[1].ended
    sampler.close()


def test_a_model_is_loaded_anew_when_it_was_written_or_its_process_died(model: Path) -> None:
    with Sampler(model) as sampler:
        sampler.start()
        first, *more = Child.made
        assert not more
        os.utime(model / "config.json", ns=(1, 1))
        sampler.start()
        assert (len(Child.made), first.ended, Child.made[1].ended) == (2, True, False)
        Child.made[1].code = 1
        assert sampler.pid is None
        sampler.start()
        sampler.start()
        assert len(Child.made) == 3
        assert sampler.pid == 7
        assert sampler.ready is None
        Child.made[2].ready = ready = Ready("cpu", "int8", 9, 0.5, 3)
        assert sampler.ready == ready
        assert sampler.written() == 1
        (model / "config.json").unlink()
        assert sampler.written() == 0
    assert Child.made[2].ended
    assert sampler.ready is None


def test_the_child_is_told_what_was_learned_and_where_it_lies(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model)
    plain = Sampler(Path(), device="cpu")
    plain.start()
    assert Child.made[0].arguments == [str(model), "--device", "cpu", "--dtype", "auto"]
    learned = Learned(lines=True, answering=Answering())
    Sampler(model, Path("t.parquet"), dtype="float32", learned=learned).start()
    folder, *options = Child.made[1].arguments
    said = dict(zip(options[:4:2], options[1:4:2], strict=True))
    assert (folder, said) == (str(model), {"--device": "auto", "--dtype": "float32"})
    lines, answering, form, train, tweets = options[4:]
    assert (lines, answering, train) == ("--lines", "--answering", "--train")
    assert msgspec.json.decode(form, type=Answering) == Answering()
    assert tweets == str(model / "t.parquet")
