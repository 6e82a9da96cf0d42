"""Every error of the X API in the app: its own sentence, why and what next; nothing typed is lost.

The same table as for the command line (tests/unit/test_cli_fetch.py), against the same server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.home import Home
from tests.fakes.x_api import WALKER, FakeX
from tests.functional.test_app_fetch import type_handle
from tests.functional.walk import Heard, assert_safe, screen, settled, until
from tests.unit.test_cli_fetch import ERRORS, QUICK, WHO
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.root.mkdir()
    (home.root / "x_api.toml").write_text(QUICK)
    return home


@pytest.mark.parametrize(("name", "fault", "said", "code"), ERRORS, ids=[e[0] for e in ERRORS])
async def test_every_error_has_its_words(
    name: str, fault: dict[str, Any], said: str, code: int,
    home: Home, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    handle = WHO.get(name, WALKER)
    app, heard = MynahApp(home), Heard()
    faults = [{"path": "*/tweets", **fault}] if fault else []
    with FakeX(faults=faults) as x:
        monkeypatch.setenv("MYNAH_X_API_URL", x.url)
        monkeypatch.setenv("MYNAH_X_TOKEN", x.token)
        async with app.run_test(size=(80, 24), message_hook=heard, notifications=True) as pilot:
            await settled(pilot)
            await type_handle(pilot, handle)
            await pilot.press("enter")
            await until(pilot, lambda: app.failures)
            await settled(pilot)
            await pilot.pause()
            (failure,) = app.failures
            assert said in failure
            # and not in the words of another error
            assert [other for other, _, words, _ in ERRORS if words in failure] == [name]
            assert x.token not in "".join(app.failures) + screen(pilot)
            # what, why and next are on the screen
            words = [word for part in _parts(heard) for word in part.split()]
            await until(pilot, lambda: all(word in screen(pilot) for word in words), 5)
            assert_safe(pilot)
            # the same in the log of errors
            await pilot.press("f12")
            await pilot.pause()
            assert said.split()[0] in screen(pilot)
            await pilot.press("escape")
            await settled(pilot)
            # and what was typed is there again
            await pilot.press("a")
            await until(pilot, lambda: isinstance(app.screen, AddTweets))
            await settled(pilot)
            assert app.screen.query_one("#path", Input).value == f"@{handle}"
            assert app.screen.query_one("#path", Input).selected_text == f"@{handle}"
            assert not home.log.exists(), "a refusal is no bug, so there is no traceback"
        assert accounts(Corpus(home.corpus)) == [] or not x.ledger()["posts"]


def _parts(heard: Heard) -> list[str]:
    from textual.notifications import Notify

    errors = [m.notification for m in heard.of(Notify) if m.notification.severity == "error"]
    assert len(errors) == 1
    return [errors[0].title, errors[0].message]
