"""Fetching an account in the app, from a server that plays the X API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.corpus.reading import accounts
from core.corpus.store import Corpus
from core.home import Home
from tests.fakes.x_api import FakeX
from tests.functional.walk import Heard, screen, settled, until
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets

WALKER = "walker_of_long_shores"


@pytest.fixture
def x(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeX]:
    with FakeX(accounts="small") as server:
        monkeypatch.setenv("MYNAH_X_API_URL", server.url)
        monkeypatch.setenv("MYNAH_X_TOKEN", server.token)
        yield server


async def type_handle(pilot: Pilot[None], handle: str) -> None:
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, AddTweets))
    pilot.app.screen.query_one("#path", Input).value = f"@{handle}"
    await settled(pilot)


def spent(x: FakeX) -> float:
    return float(x.ledger()["cost_usd"])


async def test_the_price_is_said_before_anything_is_asked(home: Home, x: FakeX) -> None:
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await type_handle(pilot, WALKER)
        said = " ".join(screen(pilot).split())
        assert "At most 3,200 posts in 32 pages, at most $16.01" in said
        assert "forbid training models" in said
        assert x.token not in screen(pilot)
        await pilot.press("escape")
        await settled(pilot)
    assert spent(x) == 0
    assert not home.corpus.exists()


async def test_enter_pays_and_fetches(home: Home, x: FakeX) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        await type_handle(pilot, WALKER)
        await pilot.press("enter")
        await until(pilot, lambda: any("is here" in toast for toast in heard.toasts))
        await settled(pilot)
        assert app.state.chosen == [WALKER]
    assert {a.handle: a.tweets for a in accounts(Corpus(home.corpus))} == {WALKER: 130}
    assert any(f"${spent(x):.2f}" in toast for toast in heard.toasts)


async def test_without_a_token_it_says_how_to_give_one(
    home: Home, x: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MYNAH_X_TOKEN")
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await type_handle(pilot, WALKER)
        assert "MYNAH_X_TOKEN" in screen(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, AddTweets), "there is nothing that enter could do"
        assert "MYNAH_X_TOKEN" in screen(pilot), "and it still says why"
        assert "path" not in screen(pilot).partition("@" + WALKER)[2]
        monkeypatch.setenv("MYNAH_X_TOKEN", x.token)
        await pilot.press("enter")
        await settled(pilot)
        assert "enter pays and fetches" in screen(pilot), "a token that has come meanwhile"
    assert spent(x) == 0


async def test_a_protected_account_gets_its_own_words(home: Home, x: FakeX) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        await type_handle(pilot, "behind_the_garden_gate")
        await pilot.press("enter")
        await until(pilot, lambda: any("protected" in toast for toast in heard.toasts))
        await pilot.press("f12")
        await until(pilot, lambda: "protected" in screen(pilot))


async def test_a_rate_limit_is_a_countdown_that_esc_stops(home: Home, x: FakeX) -> None:
    x.schedule(kind="rate_limited", path="/2/users/*/tweets", nth=2, seconds=120)
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        await type_handle(pilot, WALKER)
        await pilot.press("enter")
        await until(pilot, lambda: "goes on in 1:" in screen(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: any("has stopped" in toast for toast in heard.toasts))
        await settled(pilot)
    kept = {a.handle: a.tweets for a in accounts(Corpus(home.corpus))}
    assert 0 < kept[WALKER] < 130, "the page that was paid for stays"
