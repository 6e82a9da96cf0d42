"""What a report has drawn and computed, kept in the run's folder until its inputs change.

A file holds the inputs, the model's hash among them, and what came of them. Generated text is in
it, and numbers and ids of tweets, but no tweet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.files import write_text_whole
from core.json_lines import parse_json
from core.models.folder import model_hash
from core.runs.folder import Run


@dataclass(frozen=True)
class ReportModel:
    """One of the two models of a report: its folder, and a hash of what is in it."""

    point: Literal["base", "tuned"]
    folder: Path
    hash: str

    @classmethod
    def at(cls, point: Literal["base", "tuned"], folder: Path) -> ReportModel:
        """Hashes weights, tokenizer and settings: about a second for a small model."""
        return cls(point, folder, model_hash(folder))


def remembered(
    run: Run, name: str, inputs: Mapping[str, Any], make: Callable[[], Any], kind: Any = Any
) -> Any:
    """What ``make`` gave for these ``inputs`` (both as JSON has them), as a ``kind``; from
    ``report/NAME.json`` if it is there, and of that kind.
    """
    kept = recall(run, name, kind)
    if kept is not None and kept[0] == json.loads(json.dumps(inputs)):
        return kept[1]
    result = make()
    remember(run, name, inputs, result)
    return msgspec.convert(result, kind)


def remember(run: Run, name: str, inputs: Mapping[str, Any], result: Any) -> None:
    """Writes ``report/NAME.json``, unless that is what it holds."""
    text = json.dumps({"inputs": inputs, "result": result})
    path = run.report / f"{name}.json"
    if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
        write_text_whole(path, text)


def recall(run: Run, name: str, kind: Any = Any) -> tuple[dict[str, Any], Any] | None:
    """The inputs and the result, as a ``kind``, in ``report/NAME.json``; one that cannot be read is
    as good as none.
    """
    try:
        kept = parse_json((run.report / f"{name}.json").read_bytes())
        return dict(kept["inputs"]), msgspec.convert(kept["result"], kind)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def texts_hash(texts: Sequence[str]) -> str:
    """Names a list of texts."""
    return hashlib.sha256(json.dumps(list(texts)).encode("utf-8")).hexdigest()
