"""DAG-CBOR, as far as atproto's data model uses it (ipld.io/specs/codecs/dag-cbor).

Strict: definite lengths, shortest integers, text keys, links as tag 42, floats of 64 bits only.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

_DEEPEST: Final = 64
_LINK: Final = 42


class NotDagCbor(ValueError):
    """The bytes are no DAG-CBOR."""


@dataclass(frozen=True)
class Link:
    """A content identifier, as its bytes."""

    cid: bytes


def loads(data: bytes) -> Any:
    """The one value that ``data`` holds; raises NotDagCbor."""
    value, at = read(data, 0)
    if at != len(data):
        raise NotDagCbor("there are bytes behind the value")
    return value


def read(data: bytes, at: int, depth: int = 0) -> tuple[Any, int]:
    """A value and where it ends; raises NotDagCbor."""
    if at >= len(data):
        raise NotDagCbor("the data ends too early")
    if depth > _DEEPEST:
        raise NotDagCbor("nested too deeply")
    major, low = data[at] >> 5, data[at] & 31
    if major == 7:
        return _simple(data, at, low)
    number, at = _number(data, at + 1, low)
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        piece = data[at : at + number]
        if len(piece) != number:
            raise NotDagCbor("the data ends too early")
        if major == 2:
            return piece, at + number
        try:
            return piece.decode(), at + number
        except UnicodeDecodeError:
            raise NotDagCbor("text that is not UTF-8") from None
    if major == 4:
        items = []
        for _ in range(_count(number, data, at)):
            item, at = read(data, at, depth + 1)
            items.append(item)
        return items, at
    if major == 5:
        found: dict[str, Any] = {}
        for _ in range(_count(number, data, at)):
            key, at = read(data, at, depth + 1)
            if not isinstance(key, str) or key in found:
                raise NotDagCbor("a key that is no text, or is there twice")
            found[key], at = read(data, at, depth + 1)
        return found, at
    inner, at = read(data, at, depth + 1)
    if number != _LINK or not isinstance(inner, bytes) or not inner.startswith(b"\0"):
        raise NotDagCbor("a tag that is no link")
    return Link(inner[1:]), at


def _number(data: bytes, at: int, low: int) -> tuple[int, int]:
    if low < 24:
        return low, at
    if low > 27:
        raise NotDagCbor("a length that is not told")
    size = 1 << (low - 24)
    piece = data[at : at + size]
    if len(piece) != size:
        raise NotDagCbor("the data ends too early")
    number = int.from_bytes(piece, "big")
    if number < (24, 1 << 8, 1 << 16, 1 << 32)[low - 24]:
        raise NotDagCbor("a number that is longer than it need be")
    return number, at + size


def _count(number: int, data: bytes, at: int) -> int:
    if number > len(data) - at:  # an item takes at least a byte
        raise NotDagCbor("the data ends too early")
    return number


def _simple(data: bytes, at: int, low: int) -> tuple[Any, int]:
    if low in (20, 21, 22):
        return {20: False, 21: True, 22: None}[low], at + 1
    if low == 27 and len(data) >= at + 9:
        number = struct.unpack(">d", data[at + 1 : at + 9])[0]
        if math.isfinite(number):
            return number, at + 9
    raise NotDagCbor("a sign that DAG-CBOR does not have")
