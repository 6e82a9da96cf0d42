"""Counting tokens without torch: only the ``tokenizers`` library is loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from core.errors import MynahError
from core.models.catalogue import default_base, resolve

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def token_counter(base_name: str | None = None) -> Callable[[list[str]], list[int]] | None:
    """A function from texts to their numbers of tokens, end marks not counted.

    None when nobody can know yet: ``scratch`` makes its vocabulary from the tweets themselves, and
    a model that is not converted or downloaded has no tokenizer here.
    """
    try:
        folder = resolve(base_name or default_base()).folder
    except MynahError:
        return None
    path = folder / "tokenizer.json" if folder else None
    if path is None or not path.is_file():
        return None
    tokenizer = _tokenizer(str(path), path.stat().st_mtime_ns)

    def count(texts: list[str]) -> list[int]:
        # The fast variant leaves offsets out, which nobody asked for.
        encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [len(one.ids) for one in encoded]

    return count


@lru_cache(maxsize=1)
def _tokenizer(path: str, changed: int) -> Tokenizer:
    """Loading takes a tenth of a second; ``changed`` is the file's, so that a new one is seen."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)
