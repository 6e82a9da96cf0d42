"""The tokenizer of a model folder, and what its special tokens mean for a tweet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from core.errors import InputRefused
from core.json_lines import parse_json

SEPARATOR = "<|endoftext|>"


class Language:
    """Prompt to token ids and back.

    separator   the id that stands between tweets in training, and before every prompt
    stops       ids that end a text: the separator and every end that the model declares
    """

    def __init__(self, model_dir: Path) -> None:
        path = model_dir / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception
            raise InputRefused(
                f"{path} cannot be read as a tokenizer.",
                f"{error}.",
                "Train the run again, or choose another run.",
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # What a person types is text, also when it spells a special token.
        self._tokenizer.encode_special_tokens = True
        settings = [
            _json(model_dir / name)
            for name in ("tokenizer_config.json", "generation_config.json", "config.json")
        ]
        declared = {
            found
            for value in (SEPARATOR, *(s.get("eos_token") for s in settings))
            if (found := self._id_of(value)) is not None
        }
        for setting in settings:
            ends = setting.get("eos_token_id")
            declared.update(
                e for e in (ends if isinstance(ends, list) else [ends]) if e is not None
            )
        separator = self._id_of(SEPARATOR)
        if separator is None and declared:
            separator = min(declared)
        if separator is None:
            raise InputRefused(
                f"The model in {model_dir} has no token that ends a text.",
                f"Neither {SEPARATOR} nor another end is declared.",
                "Train the run again, or choose another run.",
            )
        self.separator: int = separator
        self.stops: frozenset[int] = frozenset(declared)
        self._special = frozenset(
            number
            for number, token in self._tokenizer.get_added_tokens_decoder().items()
            if token.special
        )
        self._size = self._tokenizer.get_vocab_size(with_added_tokens=True)

    def prompt_ids(self, prompt: str) -> list[int]:
        """The separator, then the prompt; never a special token within."""
        return [self.separator, *self.encode(prompt)]

    def encode(self, text: str) -> list[int]:
        """The ids of ``text`` alone; never a special token within."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """The text of ``ids``, nothing tidied, special tokens left out."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def banned(self, vocabulary: int) -> list[int]:
        """Ids that may never be drawn: special tokens that end nothing, and padding rows."""
        return sorted((self._special - self.stops) | set(range(self._size, vocabulary)))

    def _id_of(self, token: Any) -> int | None:
        if isinstance(token, dict):
            token = token.get("content")
        return self._tokenizer.token_to_id(token) if isinstance(token, str) else None


def _json(path: Path) -> dict[str, Any]:
    try:
        read = parse_json(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
