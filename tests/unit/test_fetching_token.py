"""The token: found where it is kept, kept where only its owner reads it, and shown nowhere."""

from __future__ import annotations

import copy
import logging
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend

from core.errors import InputRefused
from core.fetching.token import Token, find_token, remove_token, store_token, token_file
from core.home import Home

SECRET = "AAAAAAAAAAAAAAAAAAAAAsecret%2Fpart%3Dof"  # noqa: S105


class Drawer(KeyringBackend):
    """A keyring that works, in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Locked(Drawer):
    def get_password(self, service: str, username: str) -> str | None:
        raise OSError("locked")

    set_password = get_password  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def _no_keyring_but_ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("MYNAH_X_TOKEN", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(Locked())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_the_order_in_which_it_is_looked_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_token(home) is None
    assert not home.root.exists()
    stored = store_token(home, f"  {SECRET}\n")
    assert stored.where == f"file {token_file(home)}"
    found = find_token(home)
    assert found is not None
    assert (found.reveal(), found.where) == (SECRET, stored.where)
    keyring.set_keyring(Drawer())
    assert store_token(home, f"Bearer {SECRET}9").where == "keyring"
    assert not token_file(home).exists()  # no second copy stays behind
    found = find_token(home)
    assert found is not None
    assert (found.reveal(), found.where) == (f"{SECRET}9", "keyring")
    monkeypatch.setenv("MYNAH_X_TOKEN", SECRET + "8")
    found = find_token(home)
    assert found is not None
    assert (found.reveal(), found.where) == (f"{SECRET}8", "MYNAH_X_TOKEN environment variable")
    assert remove_token(home) == ["keyring"]
    assert remove_token(home) == []


def test_a_keyring_that_forgets_is_none(home: Home) -> None:
    keyring.set_keyring(keyring.backends.null.Keyring())
    assert store_token(home, SECRET).where.startswith("file ")
    assert remove_token(home) == [f"file {token_file(home)}"]
    assert find_token(home) is None


def test_the_file_is_for_its_owner_alone(home: Home) -> None:
    store_token(home, SECRET)
    file = token_file(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in home.root.iterdir()] == [file.name]
    store_token(home, SECRET + "7")  # again, over the old one
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for mode in (0o640, 0o604, 0o660):
        file.chmod(mode)
        with pytest.raises(InputRefused, match="can be read by others") as refused:
            find_token(home)
        assert "chmod 600" in refused.value.next_step


@pytest.mark.parametrize(
    "text", ["", "short", "two words of text", "line\nbreak-in-it", "naïve-token-here", "x" * 5000]
)
def test_what_is_no_token_is_not_quoted(text: str, home: Home) -> None:
    with pytest.raises(InputRefused) as refused:
        store_token(home, text)
    assert not text or text not in str(refused.value)
    assert not home.root.exists()


def test_a_file_that_is_no_text_is_not_quoted(home: Home) -> None:
    store_token(home, SECRET)
    token_file(home).write_bytes(b"\xff\xfe" + SECRET.encode())
    with pytest.raises(InputRefused) as refused:
        find_token(home)
    assert "AAAA" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_nothing_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    token = Token(SECRET, "test")
    shown = [repr(token), str(token), f"{token}", f"{token!r:>50}", repr([token]), repr({1: token})]
    print(token)
    logging.getLogger("test").warning("%s %r", token, token)
    assert all("secret" not in text for text in (*shown, capsys.readouterr().out))
    assert repr(token) == "<X API token from the test>"
    with pytest.raises(TypeError):
        pickle.dumps(token)
    with pytest.raises(TypeError):
        copy.deepcopy(token)
    with pytest.raises(TypeError):
        vars(token)
    assert token.app_only
    assert not Token("TXluYWhGYWtlOwnerToken", "test").app_only


def test_whose_a_token_is_by_its_beginning() -> None:
    assert Token("A" * 12 + "bcd", "test").app_only
    assert not Token("A" * 11 + "bcd", "test").app_only
