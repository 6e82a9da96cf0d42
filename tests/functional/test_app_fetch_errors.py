"""Every error of the X API in the app: its own sentence, why and what next; nothing typed is lost.

The same table as for the command line (tests/unit/test_cli_fetch.py), against the same server.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.home import Home
from tests.fakes.x_api import WALKER, FakeX
from tests.functional.walk import assert_safe, mynah, screen, settled, until
from tests.unit.test_cli_fetch import ERRORS, QUICK, WHO
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets
from tui.dialogs.text import TextScreen


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.root.mkdir()
    (home.root / "x_api.toml").write_text(QUICK)
    return home


@pytest.mark.slow
async def test_every_error_has_its_words(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after another in one app: none is hidden by those before it."""
    app = MynahApp(home)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        typed = ""
        for name, fault, said, _ in ERRORS:
            with FakeX(faults=[{"path": "*/tweets", **fault}] if fault else []) as x:
                monkeypatch.setenv("MYNAH_X_API_URL", x.url)
                monkeypatch.setenv("MYNAH_X_TOKEN", x.token)
                (await _asked(pilot, typed)).value = typed = f"@{WHO.get(name, WALKER)}"
                await settled(pilot)
                await _an_error(pilot, x, name, said)
                assert accounts(Corpus(home.corpus)) == [] or not x.ledger()["posts"], name
        await _asked(pilot, typed)
        assert len(app.failures) == len(ERRORS)
        assert not home.log.exists(), "a refusal is no bug, so there is no traceback"


async def _asked(pilot: Pilot[None], typed: str) -> Input:
    """The field of the dialog, in which what was typed before the last error is there again."""
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, AddTweets))
    await settled(pilot)
    field = pilot.app.screen.query_one("#path", Input)
    assert field.value == field.selected_text == typed
    return field


async def _an_error(pilot: Pilot[None], x: FakeX, name: str, said: str) -> None:
    app = mynah(pilot)
    before = len(app.failures)
    app.clear_notifications()
    await pilot.press("enter")
    await until(pilot, lambda: len(app.failures) > before)
    await settled(pilot)
    (failure,) = app.failures[before:]
    assert said in failure
    # and not in the words of another error
    assert [other for other, _, words, _ in ERRORS if words in failure] == [name]
    assert x.token not in failure + screen(pilot)
    # what, why and next are on the screen
    (toast,) = [one for one in app._notifications if one.severity == "error"]
    words = [word for part in (toast.title, toast.message) for word in part.split()]
    await until(pilot, lambda: _missing(words, screen(pilot)) == [], 5)
    assert_safe(pilot)
    # the same in the log of errors, which begins with its last page
    await pilot.press("f12")
    await pilot.pause()
    assert isinstance(app.screen, TextScreen)
    assert said.split()[0] in screen(pilot)
    await pilot.press("escape")
    await pilot.pause()


def _missing(words: list[str], shown: str) -> list[str]:
    return [word for word in words if word not in shown]
