"""Where data lives, and whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputRefused
from core.handles import normal_handle, normal_handles
from core.home import Home, bundled, cache_dir


def test_home_is_the_option_then_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYNAH_HOME", str(tmp_path / "env"))
    assert Home.at(tmp_path / "given").root == tmp_path / "given"
    assert Home.at(None).root == tmp_path / "env"
    monkeypatch.delenv("MYNAH_HOME")
    assert Home.at(None).root.name == "mynah"
    monkeypatch.chdir(tmp_path)
    assert Home.at("~of-nobody/home").root == tmp_path / "~of-nobody" / "home"


def test_looking_at_a_home_leaves_no_trace(tmp_path: Path) -> None:
    assert not Home.at(tmp_path / "new").corpus.exists()
    assert list(tmp_path.iterdir()) == []


def test_cache_dir_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path


@pytest.mark.parametrize("given", ["NASA", "@NASA", " @nasa ", "nAsA"])
def test_a_handle_in_any_dress(given: str) -> None:
    assert normal_handle(given) == "nasa"


@pytest.mark.parametrize(
    "given", ["", "@", "a b", "a/b", "a'; drop table tweets", "x" * 65, "a\x1b[31m"]
)
def test_what_cannot_be_a_handle(given: str) -> None:
    with pytest.raises(InputRefused):
        normal_handle(given)


def test_several_handles_each_once_in_order() -> None:
    assert normal_handles(["@b,A", "a", "c"]) == ["b", "a", "c"]


def test_bundled_finds_what_ships_and_says_what_does_not() -> None:
    assert bundled("recipes", "standard.toml").is_file()
    with pytest.raises(FileNotFoundError):
        bundled("recipes", "no-such.toml")


def test_a_home_that_duckdb_cannot_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"takes no \? in the name of a folder"):
        Home.at(tmp_path / "what?" / "home")
