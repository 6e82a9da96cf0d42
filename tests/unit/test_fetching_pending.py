"""Pages that were paid for and wait in the home: read as they were saved, and forgotten."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.fetching.pending import (
    PaidPage,
    drop_pending,
    drop_pending_post,
    pending_pages,
    save_pending,
)
from core.fetching.posts import XAccount
from core.fetching.ranges import Covered
from core.home import Home

CREATED = datetime(2016, 12, 31, 1, 2, 3, tzinfo=timezone.utc)
ANN = XAccount("7", "ann", "Ann", created=CREATED, protected=True, posts=12)
BODY = {
    "data": [{"id": "9", "text": "nine"}, "odd", {"id": "8", "text": "eight"}],
    "includes": {"tweets": [{"id": "9"}, {"id": "5"}], "posts": [{"id": "5"}], "users": []},
}
PAGE = PaidPage(ANN, BODY, 3, 99, Covered(9, 4, posts=2, limited=True), Decimal("0.015"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_pages_come_back_as_they_were_saved(home: Home) -> None:
    path = save_pending(home, PAGE)
    assert path.name == "ann-9.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    empty = replace(PAGE, covers=None, since=None, until=None)
    assert save_pending(home, empty).name == "ann-0.json"
    save_pending(home, replace(PAGE, account=replace(ANN, handle="ann-2", created=None)))
    assert [page for _, page in pending_pages(home, "ann")] == [empty, PAGE]
    ((_, other),) = pending_pages(home, "ann-2")
    assert other.account.created is None


@pytest.mark.parametrize(
    "change",
    [
        {"body": []}, {"since": "3"}, {"until": True}, {"cost": "much"}, {"account": {}},
        {"account": 7}, {"covers": {"newest": 1}}, {"cost": None},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_where_it_is(home: Home, change: dict[str, Any]) -> None:
    saved = json.loads(save_pending(home, PAGE).read_text())
    folder = home.root / "fetch-pending"
    for name, content in (
        ("ann-1.json", json.dumps(saved | change)),
        ("ann-2.json", json.dumps({"account": saved["account"]})),
        ("ann-3.json", "{"),
    ):
        (folder / name).write_text(content)
    (folder / "ann-4.json").mkdir()
    assert [page for _, page in pending_pages(home, "ann")] == [PAGE]
    assert len(list(folder.iterdir())) == 5


def test_pages_of_accounts_are_dropped_and_counted(home: Home) -> None:
    assert drop_pending(home, ["ann"]) == 0
    for handle in ("ann", "ben", "ann_x"):
        for newest in (9, 10):
            covers = Covered(newest, 1)
            save_pending(home, replace(PAGE, account=replace(ANN, handle=handle), covers=covers))
    (home.root / "fetch-pending" / ".ann-9.part").write_text("half of a page")
    assert drop_pending(home, ["ann", "ben"], dry_run=True) == 5
    assert len(list((home.root / "fetch-pending").iterdir())) == 7
    assert drop_pending(home, ["ann", "ben"]) == 5
    assert sorted(path.name for path in (home.root / "fetch-pending").iterdir()) == [
        "ann_x-10.json",
        "ann_x-9.json",
    ]


def test_one_post_is_taken_out_of_every_page(home: Home) -> None:
    path = save_pending(home, PAGE)
    other = save_pending(home, replace(PAGE, body={"data": [{"id": "8"}]}, covers=None))
    for name, content in (
        ("ann-1.json", "{"),
        ("ann-2.json", "[]"),
        ("ann-3.json", "{}"),
        ("ann-4.json", '{"body": 3}'),
    ):
        (home.root / "fetch-pending" / name).write_text(content)
    (home.root / "fetch-pending" / "ann-5.json").mkdir()
    before = path.read_bytes(), other.read_bytes()
    assert drop_pending_post(home, "77") == 0
    assert drop_pending_post(home, "9", dry_run=True) == 1
    assert drop_pending_post(home, "8", dry_run=True) == 2
    assert (path.read_bytes(), other.read_bytes()) == before
    assert drop_pending_post(home, "9") == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    body = json.loads(path.read_text())["body"]
    assert body == {
        "data": ["odd", {"id": "8", "text": "eight"}],
        "includes": {"tweets": [{"id": "5"}], "posts": [{"id": "5"}], "users": []},
    }
    assert drop_pending_post(home, "5") == 1
    assert json.loads(path.read_text())["body"]["includes"] == {
        "tweets": [], "posts": [], "users": [],
    }  # fmt: skip
    assert other.read_bytes() == before[1]
    assert [page.covers for _, page in pending_pages(home, "ann")] == [None, PAGE.covers]
