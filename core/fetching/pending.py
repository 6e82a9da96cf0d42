"""Pages that were paid for and could not be stored: kept in the home until the next fetch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.fetching.posts import XAccount
from core.fetching.ranges import Covered

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


def set_aside(home: Home, page: PaidPage) -> Path:
    """Write the page to a file only its owner can read; complete or not there at all."""
    folder = home.root / "fetch-pending"
    folder.mkdir(parents=True, exist_ok=True)
    bounds = page.covers.newest if page.covers else 0
    path = folder / f"{page.account.handle}-{bounds}.json"
    draft = path.with_suffix(".part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(asdict(page), stream, default=str)
    draft.replace(path)
    return path


def set_aside_pages(home: Home, handle: str) -> Iterator[tuple[Path, PaidPage]]:
    """Those of one account; a file that cannot be read is left where it is."""
    folder = home.root / "fetch-pending"
    for path in sorted(folder.glob(f"{handle}-*.json")) if folder.is_dir() else ():
        try:
            page = _read(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, ArithmeticError):
            continue
        if page.account.handle == handle:
            yield path, page


def _read(saved: dict[str, Any]) -> PaidPage:
    account = XAccount(**saved["account"])
    if isinstance(account.created, str):
        account = replace(account, created=datetime.fromisoformat(account.created))
    covers = Covered(**saved["covers"]) if saved["covers"] else None
    return PaidPage(
        account, saved["body"], saved["since"], saved["until"], covers, Decimal(saved["cost"])
    )
