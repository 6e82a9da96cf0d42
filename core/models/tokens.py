"""Counting tokens without torch: only the ``tokenizers`` library is loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from core.errors import MynahError
from core.models.catalogue import default_base, resolve

# Texts whose counts a counter remembers, in some 100 bytes each; then it begins anew.
_REMEMBERED: Final = 65_536


def token_counter(base_name: str | None = None) -> Callable[[list[str]], list[int]] | None:
    """A function from texts to their numbers of tokens, end marks not counted.

    The same function for the same tokenizer, in one process: the app reads the tweets again with
    every change of the accounts, and most texts have been counted by then.

    None when nobody can know yet: ``scratch`` makes its vocabulary from the tweets themselves, and
    a model that is not converted or downloaded, or is damaged, has no tokenizer here.
    """
    try:
        folder = resolve(base_name or default_base()).folder
    except MynahError:
        return None
    path = folder / "tokenizer.json" if folder else None
    if path is None or not path.is_file():
        return None
    try:
        return _counter(str(path), path.stat().st_mtime_ns)
    except Exception:  # the library raises no other for a file that it cannot read
        return None


@lru_cache(maxsize=1)
def _counter(path: str, changed: int) -> Callable[[list[str]], list[int]]:
    """Loading takes a tenth of a second; ``changed`` is the file's, so that a new one is seen."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(path)
    known: dict[int, int] = {}  # by a text's hash: 64 bits do not meet by chance

    def count(texts: list[str]) -> list[int]:
        hashes = [hash(text) for text in texts]
        counts = [known.get(one) for one in hashes]
        open_ = [index for index, one in enumerate(counts) if one is None]
        # The fast variant leaves offsets out, which nobody asked for.
        encoded = tokenizer.encode_batch_fast(
            [texts[index] for index in open_], add_special_tokens=False
        )
        found = {index: len(one.ids) for index, one in zip(open_, encoded, strict=True)}
        if len(known) + len(found) > _REMEMBERED:
            known.clear()
        if len(found) <= _REMEMBERED:
            known.update((hashes[index], tokens) for index, tokens in found.items())
        return [found[index] if one is None else one for index, one in enumerate(counts)]

    return count
