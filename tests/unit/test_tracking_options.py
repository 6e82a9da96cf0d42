"""Where a tracker's project and mode come from, and that keys stay secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import MynahError, ServiceRefused, WrongUsage
from core.home import Home
from core.runs.tracked import Tracked
from core.tracking.options import has_key, tracking_asked, without_keys

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Without any key or wish of whoever runs the tests."""
    for name in ("PROJECT", "ENTITY", "MODE", "API_KEY", "BASE_URL", "IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return Home(tmp_path)


def remember(home: Home, **tracking: str) -> None:
    home.settings.write_text(json.dumps({"chosen": [], "tracking": tracking}))


def test_by_default_it_stays_offline(home: Home) -> None:
    assert tracking_asked(home, "wandb") == Tracked(to="wandb", project="mynah", mode="offline")
    assert tracking_asked(home, "tensorboard") == Tracked(to="tensorboard")


def test_flags_come_before_settings_and_those_before_the_environment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "of-env")
    monkeypatch.setenv("WANDB_ENTITY", "of-env")
    assert tracking_asked(home, "wandb").project == "of-env"
    remember(home, project="of-settings", entity="of-settings")
    asked = tracking_asked(home, "wandb", entity="of-flag")
    assert (asked.project, asked.entity) == ("of-settings", "of-flag")


@pytest.mark.parametrize("damage", ["", "[]", '{"tracking": 3}', '{"tracking": {"project": null}}'])
def test_damaged_settings_count_as_none(home: Home, damage: str) -> None:
    home.settings.write_text(damage)
    assert tracking_asked(home, "wandb").project == "mynah"


def test_online_needs_a_key_and_says_how_to_get_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ServiceRefused, match=r"api\.wandb\.ai.*WANDB_API_KEY.*offline") as refused:
        tracking_asked(home, "wandb", mode="online")
    assert refused.value.exit_code == 4
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert tracking_asked(home, "wandb", mode="online").mode == "online"


def test_a_key_in_netrc_is_that_of_its_host(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(f"machine wandb.example.org login user password {KEY}\n")
    (tmp_path / "netrc").chmod(0o600)
    assert not has_key()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert has_key()


@pytest.mark.parametrize(
    ("to", "given"),
    [
        ("mlflow", {}),
        ("wandb", {"mode": "disabled"}),
        ("tensorboard", {"project": "x"}),
        ("tensorboard", {"upload_tweets": True}),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(home: Home, to: str, given: dict[str, str]) -> None:
    with pytest.raises(WrongUsage):
        tracking_asked(home, to, **given)  # type: ignore[arg-type]


def test_keys_are_taken_out_of_messages(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "a-key-of-odd-shape")
    text = f"401 for api:a-key-of-odd-shape@host, and {KEY}, and local-{KEY}"
    assert without_keys(text) == "401 for api:…@host, and …, and …"


def test_a_key_is_in_no_error(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with pytest.raises(MynahError) as refused:
        tracking_asked(home, "wandb", mode="nowhere")
    assert KEY not in str(refused.value)
