"""Pagination tokens: opaque to the client, a place in one user's timeline to the server.

A place counts slots from the newest post, so a post that arrives between two pages moves every
later one down and the second page begins with the last post of the first: a duplicate, as happens
with the real service. No post is ever lost by it: deleted and edited posts keep their slots.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass

_FORMAT = ">QIHI"  # user, slot, repeat, checksum
_MASK = b"opaque to everyone"  # so that nobody is tempted to take a token apart


@dataclass(frozen=True)
class Place:
    """``repeat`` tells apart tokens that lead to the same slot (an empty page in between)."""

    slot: int
    repeat: int = 0


def _masked(data: bytes) -> bytes:
    return bytes(byte ^ mask for byte, mask in zip(data, _MASK, strict=True))


def make_token(user_id: int, place: Place) -> str:
    head = struct.pack(">QIH", user_id, place.slot, place.repeat)
    data = head + struct.pack(">I", zlib.crc32(head))
    return base64.b32encode(_masked(data)).decode().rstrip("=").lower()


def read_token(token: str, user_id: int) -> Place | None:
    """None for what this server never gave, or gave for another user."""
    try:
        data = _masked(base64.b32decode(token.upper() + "=" * (-len(token) % 8)))
        owner, slot, repeat, check = struct.unpack(_FORMAT, data)
    except (binascii.Error, ValueError, struct.error):
        return None
    if owner != user_id or check != zlib.crc32(data[:14]):
        return None
    return Place(slot, repeat)
