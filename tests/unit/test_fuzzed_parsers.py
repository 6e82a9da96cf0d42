"""Changed inputs to what mynah reads, beside whole imports: some of `python -m benchmarks.fuzz`."""

from __future__ import annotations

import random
import struct
import sys
import time
from pathlib import Path

import pytest

from benchmarks.fuzz import HANG_SECONDS, main
from core.errors import InputRefused
from tests.fixtures.fuzzed.parsers import other_parsers

PARSERS = other_parsers()
del PARSERS["model-config"]  # its library takes seconds to import; one of its inputs is below
INPUTS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


@pytest.mark.parametrize("name", PARSERS)
def test_a_few_changed_inputs(name: str, folder: Path) -> None:
    parser = PARSERS[name]()
    for number in range(INPUTS):
        parser.read(parser.make(random.Random(f"{name} test {number}")), folder)


def test_the_benchmark_reads_so_many_of_each_parser_from_a_number_on(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sys, "argv", "fuzz --parser map --parser dates --inputs 120 --first 7 --jobs 2".split()
    )
    with pytest.raises(SystemExit, match="0"):
        main()
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert [line[:3] for line in lines[:2]] == [
        ["map", "120", "inputs"],
        ["dates", "150", "inputs"],
    ]
    # the dates of one column share a number
    assert [line[line.index("next") + 1] for line in lines[:2]] == ["127", "10"]


# inputs that broke a reader once
DEEP = b"[" * 60_000
DAMAGED_MODELS = [
    b'{"model_type": "llama", "num_hidden_layers": "[bold]x[/]"}',
    b'{"model_type": "llama", "dtype": "float{32"}',
    b'{"model_type": "llama", "num_attention_heads": 0}',
    b'{"model_type": "llama", "dtype": Infinity}',
    b'{"model_type": "llama", "more": ' + DEEP,
    b"7",
]
BROKE = [
    ("metrics.jsonl", b'{"kind": "train", "step": {}, "loss": []}\n{"kind": ["eval"]}\n'
                      b'{"kind": "train", "step": 1' + b"0" * 400 + b"}\n"),
    ("samples.jsonl", b'{"step": [], "text": "a"}\n{"step": Infinity, "text": "b"}\n'),
    ("run.json", b'{"handles": ["\\ud800"], "reason": "\\ud800", "settings": ' + b"[" * 5000),
    ("pending", b'{"account": {"account_id": "1", "handle": "harbour_gull"}, "body": "x", '
                b'"since": {}, "until": null, "covers": null, "cost": "0"}'),
    ("tracked", DEEP),
    ("tracked", b'{"": null}'),
    ("report.json", b'{"inputs": {"n": 1e400, "seed": 1, "model": "x"}, "result": {}}'),
    ("recipe", b"[rules]\nmin_words = " + b"9" * 5000),
    ("recipe", b"about = " + DEEP),
    ("config", b"[train]\nminutes = " + b"9" * 400),
    ("config", b"[train]\nminutes = " + b"9" * 5000),
    ("sweep", b"[space]\nlr = " + DEEP),
    ("sweep", b"[space]\nmax_steps = [1, 1" + b"0" * 400 + b"]"),
    ("prices", b"as_of = 1e" + b"9" * 400),
    ("zip", struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 9, 9, 5, 999) + b"a.csv"),
    ("html", b"&#" + b"9" * 5000),
    ("ids", b"9" * 5000),
    ("csv-rows", b"id,text\n\xef\xbb\xbf1,a\n2,b\n"),
    ("json-lines", b'{"id": "1", "text": "a", "other": ' + b"9" * 5000 + b"}\n"),
    ("favourites.jsonl", b'{"id": "a", "text": false, "run": "r", "prompt": "p", "settings": true, '
                         b'"when": "2026-11-21T15:51:31+00:00", "copy": {"verdict": "near", '
                         b'"longest": 1, "tweet_id": ["1"], "tweet_ids": true}}\n'),
    ("generated.jsonl", b'{"id": "a", "created_at": "2026-03-01T10:00:00+00:00", "model": "tuned", '
                        b'"model_hash": "x", "index": 0, "seed": 1, "prompt": true, "text": "the", '
                        b'"tokens": 2, "stopped": "eos", "redrawn": 0, "settings": {"seed": 1}, '
                        b'"copy": {"verdict": "new", "longest": 1, "tweet_id": null}}\n'),
    ("published.json", b'[{"to": "hub", "more": ' + DEEP),
    # these took minutes
    ("blind.jsonl", b"\n" * 3_000_000),
    ("json-stream", b'{"a"' + b"\n" * 60_000),
    ("metrics.jsonl", b"{\n" * 150_000),
    ("x-js", b"window.YTD.tweets.part0 = [" + b"1,2\n" * 1_000_000),
    ("json-stream", b'{"tweet":' * 20_000),
    ("html", b"<a " * 20_000),
    ("html", b"<a b=" * 12_000),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content"), BROKE, ids=[name for name, _ in BROKE])
def test_what_broke_a_reader_once(name: str, content: bytes, folder: Path) -> None:
    start = time.process_time()
    PARSERS[name]().read(content, folder)
    # not how fast it is, but that it ends: these took many times as long
    assert time.process_time() - start < 6 * HANG_SECONDS


@pytest.mark.parametrize("content", DAMAGED_MODELS, ids=range(len(DAMAGED_MODELS)))
def test_a_damaged_configuration_of_a_model_is_refused(content: bytes, tmp_path: Path) -> None:
    from core.models.load import context_of

    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(InputRefused, match="cannot be read"):
        context_of(tmp_path)
