"""Changed inputs to what mynah reads beside imports: some of `python -m benchmarks.fuzz`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

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


# inputs that broke a reader once
DAMAGED_MODEL = b'{"model_type": "llama", "num_hidden_layers": "[bold]x[/]"}'
DEEP = b"[" * 60_000
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
]  # fmt: skip


@pytest.mark.parametrize(("name", "content"), BROKE, ids=[name for name, _ in BROKE])
def test_what_broke_a_reader_once(name: str, content: bytes, folder: Path) -> None:
    PARSERS[name]().read(content, folder)


def test_a_damaged_configuration_of_a_model_is_refused(tmp_path: Path) -> None:
    from core.models.load import context_of

    (tmp_path / "config.json").write_bytes(DAMAGED_MODEL)
    with pytest.raises(InputRefused, match="cannot be read"):
        context_of(tmp_path)
