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
BROKE = {
    "metrics.jsonl": b'{"kind": "train", "step": {}, "loss": []}\n{"kind": ["eval"]}\n'
                     b'{"kind": "train", "step": 1' + b"0" * 400 + b"}\n",
    "samples.jsonl": b'{"step": [], "text": "a"}\n{"step": Infinity, "text": "b"}\n',
    "run.json": b'{"handles": ["\\ud800"], "reason": "\\ud800", "settings": ' + b"[" * 5000,
    "pending": b'{"account": {"account_id": "1", "handle": "harbour_gull"}, "body": "x", '
               b'"since": {}, "until": null, "covers": null, "cost": "0"}',
    "model-config": b'{"model_type": "llama", "num_hidden_layers": "[bold]x[/]"}',
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in BROKE if name in PARSERS])
def test_what_broke_a_reader_once(name: str, folder: Path) -> None:
    PARSERS[name]().read(BROKE[name], folder)


def test_a_damaged_configuration_of_a_model_is_refused(tmp_path: Path) -> None:
    from core.models.load import context_of

    (tmp_path / "config.json").write_bytes(BROKE["model-config"])
    with pytest.raises(InputRefused, match="cannot be read"):
        context_of(tmp_path)
