"""The tokenizer of a model folder: where a text begins and ends, and what is never drawn."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sampling_models import blank
from tokenizers import Tokenizer, models

from core.errors import InputRefused
from core.sampling.language import Language


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Special tokens 0 to 3, of which 0 stands between tweets; 400 tokens."""
    shutil.copy(blank() / "tokenizer.json", tmp_path)
    return tmp_path


def declare(folder: Path, name: str, end: object) -> None:
    field = "eos_token" if name == "tokenizer_config" else "eos_token_id"
    (folder / f"{name}.json").write_text(json.dumps({field: end}), "utf-8")


def test_a_text_ends_at_each_end_that_the_model_declares(folder: Path) -> None:
    assert (Language(folder).separator, Language(folder).stops) == (0, {0})
    for token in ("<|im_end|>", {"content": "<|im_end|>", "lstrip": False}):
        declare(folder, "tokenizer_config", token)
        assert Language(folder).stops == {0, 2}
    declare(folder, "tokenizer_config", "no token")
    declare(folder, "generation_config", [1, 3])
    declare(folder, "config", 7)
    language = Language(folder)
    assert (language.separator, language.stops) == (0, {0, 1, 3, 7})
    declare(folder, "config", None)
    for damaged in ("[1]", "{", ""):
        (folder / "generation_config.json").write_text(damaged)
        assert Language(folder).stops == {0}


def test_a_model_of_other_ends_has_the_first_of_them_between_tweets(tmp_path: Path) -> None:
    Tokenizer(models.WordLevel({"a": 0, "</s>": 1, "<end>": 2}, "a")).save(
        str(tmp_path / "tokenizer.json")
    )
    with pytest.raises(InputRefused, match="no token that ends a text"):
        Language(tmp_path)
    declare(tmp_path, "tokenizer_config", "<end>")
    declare(tmp_path, "generation_config", 1)
    language = Language(tmp_path)
    assert (language.separator, language.stops) == (1, {1, 2})
    assert language.prompt_ids("a") == [1, 0]


def test_what_is_never_drawn_are_marks_that_end_nothing_and_rows_without_a_token(
    folder: Path,
) -> None:
    declare(folder, "tokenizer_config", "<|im_end|>")
    language = Language(folder)
    assert language.banned(403) == [1, 3, 400, 401, 402]
    assert language.banned(400) == [1, 3]


def test_marks_that_a_person_types_are_text_and_marks_of_a_model_are_none(folder: Path) -> None:
    language = Language(folder)
    ids = language.encode("a <|endoftext|> b")
    assert not {0, 1, 2, 3} & set(ids)
    assert language.decode([0, *ids, 2]) == "a <|endoftext|> b"
    assert language.prompt_ids("a") == [0, *language.encode("a")]
    assert language.prompt_ids("") == [0]
