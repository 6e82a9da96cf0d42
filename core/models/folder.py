"""What a model folder must hold before anything in it is loaded."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from core.errors import InputRefused
from core.files import sha256_of
from core.json_lines import parse_json

_HASHED_FILES = ("config.json", "generation_config.json", "tokenizer.json")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")

# One file of several that hold the weights of a model.
_PART = re.compile(r"-\d{5}-of-(\d{5})\.safetensors$")


def is_model_folder(folder: Path) -> bool:
    """Whether ``folder`` holds config, safetensors weights and a tokenizer."""
    return not _lacking(folder)


def check_model_folder(folder: Path) -> None:
    """Raises InputRefused saying what ``folder`` lacks, or why it cannot be used.

    Weights are read from safetensors only: older formats can run code when they are opened. For
    the same reason a model that brings its own Python code is refused.
    """
    lacking = _lacking(folder)
    if lacking:
        raise InputRefused(
            f"{folder.name} is not a model that mynah can use.",
            f"It has no {lacking[0]}.",
            "A model folder holds config.json, *.safetensors and tokenizer.json.",
        )
    config = read_config(folder)
    if config is None:
        raise InputRefused(
            f"config.json in {folder.name} cannot be read.", "It holds no JSON object."
        )
    if config.get("auto_map") and not config.get("model_type"):
        raise InputRefused(
            f"{folder.name} brings its own Python code.", "mynah never runs code from a model."
        )


def read_config(folder: Path) -> dict[str, Any] | None:
    """config.json as a dictionary, or None."""
    try:
        content = parse_json((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def hashed_files(folder: Path) -> list[Path]:
    """The files that make a model what it is: settings, tokenizer and weights."""
    found = [folder / name for name in _HASHED_FILES if (folder / name).is_file()]
    return found + sorted(folder.glob("*.safetensors"))


def model_hash(folder: Path) -> str:
    """Names what is in a model folder: a sha256, which takes a second for a small model."""
    listed = "".join(f"{path.name} {sha256_of(path)}\n" for path in hashed_files(folder))
    return hashlib.sha256(listed.encode("utf-8")).hexdigest()


def parameters_in(folder: Path) -> int | None:
    """How many numbers the weights hold, from the safetensors headers alone; None if unreadable.

    Header layout: 8 bytes little-endian length, then JSON with shapes
    (https://huggingface.co/docs/safetensors).
    """
    total = 0
    try:
        for path in sorted(folder.glob("*.safetensors")):
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                header = parse_json(file.read(min(length, 100_000_000)))
            for name, tensor in header.items():
                if name != "__metadata__":
                    size = 1
                    for dimension in tensor["shape"]:
                        size *= int(dimension)
                    total += size
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    return total or None


def _lacking(folder: Path) -> list[str]:
    lacking = []
    if not (folder / "config.json").is_file():
        lacking.append("config.json")
    weights = [path.name for path in folder.glob("*.safetensors")]
    if not weights:
        lacking.append("*.safetensors weights")
    parts = [found for name in weights if (found := _PART.search(name))]
    if parts and len(parts) < int(parts[0][1]):  # a download was broken off
        lacking.append(f"*.safetensors weights but {len(parts)} of {int(parts[0][1])} files")
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        lacking.append("tokenizer")
    return lacking
