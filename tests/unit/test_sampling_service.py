"""What the sampling process says to its owner, and when, without a model or a process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputRefused
from core.sampling import child
from core.sampling.engine import unchecked
from core.sampling.request import Copy, Deltas, Done, Restarted, Sample, SampleRequest

ROOT = Path(__file__).resolve().parents[2]
COPY = Copy("near", 7, "1", 0.5, ("1",), ((0, 3),))
SAMPLE = Sample(1, 5, "", "ab", 2, "eos", COPY, 0)


class Engine:
    """Gives these events; each as many seconds after the one before as stands beside it."""

    tokens_drawn = 40

    def __init__(self, clock: list[float], *events: tuple[float, Any]) -> None:
        self._clock, self._events = clock, events
        self.asked: list[SampleRequest] = []
        self.stopping: Callable[[], bool] = lambda: False

    def generate(self, request: SampleRequest, **others: Any) -> Iterator[Any]:
        self.asked.append(request)
        self.stopping = others["stopping"]
        for seconds, event in self._events:
            self._clock[0] += seconds
            if isinstance(event, Exception):
                raise event
            self.tokens_drawn += 3
            yield event


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(child.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> child._Service:
    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    return child._Service(io.StringIO())


def said(service: child._Service) -> list[dict[str, Any]]:
    wire = service._wire
    assert isinstance(wire, io.StringIO)
    assert wire.getvalue().endswith("\n") or not wire.getvalue()
    lines = [json.loads(line) for line in wire.getvalue().splitlines()]
    wire.seek(0)
    wire.truncate()
    return lines


def give(service: child._Service, *orders: object) -> int | str | None:
    """Reads the orders to their end; the code that the process leaves with."""
    with pytest.raises(SystemExit) as left:
        service.read([one if isinstance(one, str) else json.dumps(one) for one in orders])
    return left.value.code


def test_text_is_sent_in_batches_and_all_of_it_before_what_follows(
    service: child._Service, clock: list[float]
) -> None:
    engine = Engine(
        clock,
        (0.1, Deltas([(0, "a")])), (0.03, Deltas([(1, "b")])), (0.02, Deltas([(0, "c"), (1, "d")])),
        (0.01, Deltas([(0, "e")])), (0.01, Restarted(0, "copy")), (0.5, Deltas([(0, "f")])),
        (0.01, Done(SAMPLE)), (0.01, Deltas([(2, "g")])),
    )  # fmt: skip
    request = SampleRequest("x", n=3, seed=5)
    assert give(service, {"op": "generate", "id": 7, "request": request.to_json()}) == 0
    service.serve(engine, unchecked)  # type: ignore[arg-type]
    assert engine.asked == [request]
    assert said(service) == [
        {"event": "deltas", "id": 7, "items": [[0, "a"]]},
        {"event": "deltas", "id": 7, "items": [[1, "b"], [0, "c"], [1, "d"]]},
        {"event": "deltas", "id": 7, "items": [[0, "e"]]},
        {"event": "restarted", "id": 7, "index": 0, "reason": "copy"},
        {"event": "deltas", "id": 7, "items": [[0, "f"]]},
        {"event": "done", "id": 7, "sample": SAMPLE.to_json()},
        {"event": "deltas", "id": 7, "items": [[2, "g"]]},
        {
            "event": "finished", "id": 7, "samples": 1, "tokens": 24, "seconds": 0.69,
            "tokens_per_second": round(24 / 0.69, 2),
        },
    ]  # fmt: skip


def test_a_request_that_takes_no_time_has_no_speed(
    service: child._Service, clock: list[float]
) -> None:
    give(service, {"op": "generate", "id": 1, "request": {}})
    service.serve(Engine(clock), unchecked)  # type: ignore[arg-type]
    (finished,) = said(service)
    assert (finished["samples"], finished["tokens_per_second"]) == (0, 0.0)


def test_a_stop_is_for_one_request_alone(service: child._Service, clock: list[float]) -> None:
    orders = [{"op": "generate", "id": number, "request": {}} for number in (1, 2, 1)]
    give(service, orders[0], {"op": "stop", "id": 1}, *orders[1:])
    stopped = []
    for _ in orders:
        engine = Engine(clock, (0, Done(SAMPLE)))
        original = service._pass_on

        def passed(number: Any, events: Any, asked: Engine = engine, on: Any = original) -> int:
            next(events)
            stopped.append(asked.stopping())
            return int(on(number, events))

        service._pass_on = passed  # type: ignore[method-assign]
        service.serve(engine, unchecked)  # type: ignore[arg-type]
        service._pass_on = original  # type: ignore[method-assign]
    assert stopped == [True, False, False], "it is forgotten with the request"


def test_an_error_says_what_why_and_what_next_and_ends_nothing(
    service: child._Service, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    refused = InputRefused("It is too long.", "It has 9 tokens.", "Give fewer.")
    for event in (refused, ValueError("odd"), RuntimeError()):
        give(service, {"op": "generate", "id": 3, "request": {}})
        service.serve(Engine(clock, (0, event)), unchecked)  # type: ignore[arg-type]
    give(service, {"op": "generate", "id": 4, "request": {"no": "such"}})
    service.serve(Engine(clock), unchecked)  # type: ignore[arg-type]
    told, odd, silent, unknown = said(service)
    assert told == {
        "event": "error", "id": 3, "what": refused.what, "why": refused.why,
        "next": refused.next_step, "code": 3,
    }  # fmt: skip
    assert (odd["what"], odd["code"], odd["id"]) == ("Generating failed.", 1, 3)
    assert "odd" in odd["why"]
    assert "RuntimeError" in silent["why"]
    assert (unknown["id"], unknown["code"]) == (4, 1)
    assert odd["next"]
    assert "ValueError: odd" in capsys.readouterr().err


def test_an_order_that_is_none_is_refused_and_the_next_ones_are_read(
    service: child._Service, clock: list[float]
) -> None:
    wrong = ["no order", "[]", "{}", {"op": "sing"}, {"op": "generate"},
             {"op": "generate", "request": 5}]  # fmt: skip
    right = {"op": "generate", "id": 9, "request": {}}
    assert give(service, *wrong, right, {"op": "close"}, "not read any more") == 0
    errors = said(service)
    assert len(errors) == len(wrong)
    for error in errors:
        assert (error["event"], error["id"], error["code"]) == ("error", None, 2)
    assert "'sing'" in errors[3]["why"]
    service.serve(Engine(clock), unchecked)  # type: ignore[arg-type]
    assert said(service)[0]["id"] == 9


def test_the_process_ends_when_nobody_is_there_to_hear_it(
    service: child._Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(text: str) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(service._wire, "write", gone)
    with pytest.raises(SystemExit) as left:
        service.send(event="ready")
    assert left.value.code == 0


def test_what_a_library_prints_or_reads_is_no_part_of_the_protocol() -> None:
    script = (
        "import sys; from core.sampling.child import _take_pipes; asked, wire = _take_pipes();"
        "print('noise'); print([sys.stdin.read()]); print([asked.read()]); wire.write('said\\n')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, input="an order\n", capture_output=True, text=True
    )
    assert (ran.stdout, ran.stderr) == ("said\n", "noise\n['']\n['an order\\n']\n")
