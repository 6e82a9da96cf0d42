"""Lines of flat JSON objects, a block at a time, where it is beyond doubt what they say.

One program writes one kind of line: the same keys with plain values. Where a few counts prove that
of a whole block, Polars reads it; any other block is read line by line. Both give the same rows.
"""

from __future__ import annotations

import re
from typing import Any, Final

import polars as pl

from core.sources.columns import GUESSES, plain_name

_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_\-. ]{1,60}")
# objects with these get looks inside
_DEEP: Final = {"retweetedstatus", "retweetedtweet", "extendedtweet"}


class FlatLines:
    """Reads blocks of lines that are like the object ``first``."""

    def __init__(self, first: dict[str, Any]) -> None:
        self._keys = list(first)
        known: dict[str, str] = {}
        for key in self._keys:
            known.setdefault(plain_name(key), key)
        self._roles = {
            role: [known[option] for option in options if option in known]
            for role, options in GUESSES.items()
        }
        self._schema = {key: pl.String() for keys in self._roles.values() for key in keys}
        self.possible = (
            all(_PLAIN_KEY.fullmatch(key) for key in self._keys)
            and not _DEEP & set(known)
            and all(isinstance(first[key], (str, int, type(None))) for key in self._schema)
            and bool(self._schema)
        )

    def frame(self, block: bytes) -> pl.DataFrame | None:
        """The columns of GUESSES, or None when the block is not beyond doubt."""
        if _HALF.search(block) or not self._one_kind(block):
            return None
        try:
            frame = pl.scan_ndjson(block, schema=self._schema).collect()
        except pl.exceptions.PolarsError:
            return None
        if frame.height != self._rows or not all(
            self._plain(block, key, frame[key]) for key in self._schema
        ):
            return None
        return frame.select(self._column(role).alias(role) for role in GUESSES)

    def _one_kind(self, block: bytes) -> bool:
        """Whether every line has the keys of the first, and no other: by their number."""
        self._rows = block.count(b'"' + self._keys[0].encode() + b'":')
        keys = block.count(b'":') - block.count(b'\\":')
        return keys == self._rows * len(self._keys) and all(
            block.count(b'"' + key.encode() + b'":') == self._rows for key in self._keys[1:]
        )

    def _plain(self, block: bytes, key: str, column: pl.Series) -> bool:
        """Whether a key's values are texts, whole numbers, truths and nulls, and none is missing.

        Other numbers, lists and objects mean something else to the careful reader.
        """
        name = re.escape(key.encode())
        starts = b'"' + key.encode() + b'":'
        texts = block.count(starts + b' "') + block.count(starts + b'"')
        if texts == self._rows:
            return True
        nulls = block.count(starts + b" null") + block.count(starts + b"null")
        if nulls != column.null_count():
            return False
        rest = len(re.findall(b'"' + name + rb'": ?(?:-?\d+|true|false)(?=[,}\s])', block))
        return texts + nulls + rest == self._rows

    def _column(self, role: str) -> pl.Expr:
        keys = self._roles[role]
        if not keys:
            return pl.lit(None, dtype=pl.String)
        if role == "text":
            return pl.coalesce(keys)
        return pl.coalesce(pl.when(pl.col(key) != "").then(pl.col(key)) for key in keys)
