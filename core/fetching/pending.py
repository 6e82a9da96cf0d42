"""Pages that were paid for and could not be stored: files in the home until the next fetch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.fetching.posts import XAccount
from core.fetching.ranges import Covered
from core.files import write_text_whole
from core.json_lines import parse_json

if TYPE_CHECKING:
    from core.home import Home


@dataclass(frozen=True)
class PaidPage:
    """An answer as X gave it, with what it covers and what it cost."""

    account: XAccount
    body: dict[str, Any]
    since: int | None
    until: int | None
    covers: Covered | None
    cost: Decimal


def save_pending(home: Home, page: PaidPage) -> Path:
    """Write the page to a file only its owner can read; complete or not there at all."""
    bounds = page.covers.newest if page.covers else 0
    path = _folder(home) / f"{page.account.handle}-{bounds}.json"
    _write(path, asdict(page))
    return path


def pending_pages(home: Home, handle: str) -> Iterator[tuple[Path, PaidPage]]:
    """Pending pages of one account; a file that cannot be read is left where it is."""
    for path in sorted(_folder(home).glob(f"{handle}-*.json")):
        try:
            page = _read(parse_json(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, ArithmeticError):
            continue
        if page.account.handle == handle:
            yield path, page


def drop_pending(home: Home, handles: Sequence[str], *, dry_run: bool = False) -> int:
    """Delete the pages of accounts, readable or not; returns how many (``dry_run``: would go)."""
    names = "|".join(map(re.escape, handles))
    # a page, or the part of one that a killed process left
    named = re.compile(rf"\.?({names})-\d+\.(json|part)(\.[0-9a-f-]+\.part)?")
    gone = 0
    for path in list(_folder(home).glob("*")):
        if named.fullmatch(path.name):
            if not dry_run:
                path.unlink()
            gone += 1
    return gone


def drop_pending_post(home: Home, tweet_id: str, *, dry_run: bool = False) -> int:
    """Take one post out of every page that holds it; returns how many did.

    The page and what it covers stay, for it was paid for.
    """
    gone = 0
    for path in sorted(_folder(home).glob("*.json")):
        try:
            saved = parse_json(path.read_text(encoding="utf-8"))
            held = _without(saved["body"], tweet_id)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue
        if held:
            if not dry_run:
                _write(path, saved)
            gone += 1
    return gone


def _write(path: Path, saved: dict[str, Any]) -> None:
    write_text_whole(path, json.dumps(saved, default=str), private=True)


def _without(body: dict[str, Any], tweet_id: str) -> bool:
    """Takes the post out of an answer's ``data`` and ``includes``; whether it was there."""
    included = body.get("includes")
    lists = [(body, "data")]
    if isinstance(included, dict):
        lists += [(included, "tweets"), (included, "posts")]
    found = False
    for around, key in lists:
        posts = around.get(key)
        if isinstance(posts, list):
            kept = [p for p in posts if not (isinstance(p, dict) and p.get("id") == tweet_id)]
            found = found or len(kept) < len(posts)
            around[key] = kept
    return found


def _folder(home: Home) -> Path:
    return home.root / "fetch-pending"


def _read(saved: dict[str, Any]) -> PaidPage:
    account = XAccount(**saved["account"])
    if isinstance(account.created, str):
        account = replace(account, created=datetime.fromisoformat(account.created))
    covers = Covered(**saved["covers"]) if saved["covers"] else None
    body, since, until = saved["body"], saved["since"], saved["until"]
    if not isinstance(body, dict):
        raise TypeError("the answer is no object")
    if not all(bound is None or type(bound) is int for bound in (since, until)):
        raise TypeError("a bound is no number")
    return PaidPage(account, body, since, until, covers, Decimal(saved["cost"]))
