"""Whose a Mastodon archive is: ``actor.json`` beside ``outbox.json``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.handles import normal_handle
from core.sources.archive_files import open_files
from core.sources.content import tar_member
from core.sources.mastodon_rows import author_of, html_text
from core.sources.source import Account, Detected
from core.sources.times import parse_times
from core.sources.x_tweet import text_of

_LARGEST: Final = 1 << 20


def read_actor(found: Detected) -> Account | None:
    """The account, or None when there is no actor.json that can be read."""
    try:
        actor = json.loads(_bytes(found))
    except (InputRefused, OSError, ValueError, KeyError, RecursionError):
        return None
    if not isinstance(actor, dict):
        return None
    name = text_of(actor.get("preferredUsername"))
    address = author_of(text_of(actor.get("id"))) or author_of(text_of(actor.get("url")))
    if not name and not address:
        return None
    try:
        handle = normal_handle(address or name or "")
    except InputRefused:
        return None
    created = parse_times(pl.Series([text_of(actor.get("published"))], dtype=pl.String))[0]
    bio: Any = text_of(actor.get("summary"))
    return Account(
        handle=handle,
        name=text_of(actor.get("name")) or name,
        account_id=text_of(actor.get("id")),
        bio=html_text(bio[:_LARGEST]) if bio else None,
        created=created if isinstance(created, datetime) else None,
    )


def _bytes(found: Detected) -> bytes:
    if found.member is None:
        path: Path = found.root.with_name("actor.json")
        if path.stat().st_size > _LARGEST:
            return b""
        return path.read_bytes()
    name = f"{found.member.rpartition('/')[0]}/actor.json".lstrip("/")
    if found.tar:
        with tar_member(found.root, name) as inner:
            data: bytes = inner.read(_LARGEST)
            return data
    with open_files(found.root) as files:
        return files.read(name)
