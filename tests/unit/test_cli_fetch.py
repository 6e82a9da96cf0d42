"""`mynah fetch` as a person meets it: what it says first, what it asks, and how it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.x_api import WALKER, FakeX
from tests.unit.cli import MYNAH, Ended, Started, environment, mynah, mynah_alone, on_a_terminal

QUICK = "[patience]\ntries = 2\nfirst_pause = 0.01\nanswer = 1.0\n"
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import keyring
    import keyring.backends.null

    for name, value in NO_KEYRING.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MYNAH_X_TOKEN", raising=False)
    monkeypatch.delenv("MYNAH_X_API_URL", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.null.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "x_api.toml").write_text(QUICK)
    return home


def fetch(
    fake: FakeX,
    home: Path,
    *arguments: str,
    code: int | None = 0,
    token: str | None = None,
) -> Ended:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYNAH_X_TOKEN", token or fake.token)
        patch.setenv("MYNAH_X_API_URL", fake.url)
        ended = mynah("--home", str(home), "fetch", *arguments, code=code)
    assert (token or fake.token) not in ended.text + ended.err
    return ended


def test_a_fetch_in_a_pipe(home: Path) -> None:
    with FakeX() as fake:
        more = {"MYNAH_X_TOKEN": fake.token, **NO_KEYRING}
        arguments = ["fetch", f"@{WALKER.upper()}", "--yes", "--json", "--api-url", fake.url]
        ended = mynah_alone(*arguments, home=home, **more)
        assert fake.ledger()["cost_usd"] == 0.66
    (result,) = ended.json()
    contract = {"handle", "pages", "posts", "new", "cost_usd", "complete", "resumes_from"}
    assert contract <= set(result)
    assert (result["handle"], result["posts"], result["complete"]) == (WALKER, 130, True)
    assert ended.err.index("at most 3,200 posts (32 full pages), at most $16.01") < ended.err.index(
        "developer terms forbid training"
    )
    assert "Prices of 2026-08" in ended.err
    assert mynah("accounts", "--json", home=home).json()[0]["tweets"] == 130


def test_nothing_is_paid_without_a_yes(home: Path) -> None:
    with FakeX() as fake:
        ended = fetch(fake, home, WALKER, code=2)
        assert "--yes" in ended.err
        assert "at most $16.01" in ended.err
        assert not ended.out
        estimate = fetch(fake, home, WALKER, "--estimate", "--json").json()
        assert not fake.requests
    assert estimate[0]["cost_usd_at_most"] == 16.01
    assert [path.name for path in home.iterdir()] == ["x_api.toml"]


def test_an_estimate_may_ask_x_after_a_yes(home: Path) -> None:
    with FakeX() as fake:
        ended = fetch(fake, home, WALKER, "--estimate", "--yes")
        assert fake.ledger()["cost_usd"] == 0.01
    assert "130" in ended.text
    assert "$1.00" in ended.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "code", "posts"), [(b"y\n", 0, 130), (b"n\n", 130, 0), (b"\n", 130, 0)]
)
def test_a_terminal_is_asked(keys: bytes, code: int, posts: int, home: Path) -> None:
    with FakeX() as fake:
        env = environment(home, MYNAH_X_TOKEN=fake.token, MYNAH_X_API_URL=fake.url, **NO_KEYRING)
        left, screen = on_a_terminal(
            [*MYNAH, "fetch", WALKER], env, keys=keys, after="Fetch and pay?"
        )
        assert (left, fake.ledger()["posts"]) == (code, posts), screen
    assert b"Traceback" not in screen
    assert (b"Nothing was paid." in screen) == (posts == 0)


# The facts of X's errors: what the fake does, the words for it, and the exit code.
ERRORS: list[tuple[str, dict[str, Any], str, int]] = [
    ("unknown", {}, "There is no account @nobody_at_all on X.", 4),
    ("suspended", {}, "X has suspended @closed_by_the_moderators.", 4),
    ("protected", {}, "The posts of @behind_the_garden_gate are protected.", 4),
    ("bad request", {"kind": "bad_request"}, "X did not understand what mynah asked", 1),
    ("bad token", {"kind": "unauthorized"}, "does not accept the token from the MYNAH_X_TOKEN", 4),
    ("not enrolled", {"kind": "client_forbidden"}, "may not read posts", 4),
    ("wrong kind", {"kind": "unsupported_auth"}, "another kind of token", 4),
    ("no credit 402", {"kind": "credits"}, "out of credit", 4),
    ("spending limit", {"kind": "answer", "status": 403, "body": {"title": "SpendCapReached"}},
     "spending limit", 4),
    ("404 empty", {"kind": "not_found_empty"}, "nothing where @walker_of_long_shores should be", 4),
    ("404 errors", {"kind": "not_found"}, "There is no account @walker_of_long_shores", 4),
    ("rate without end", {"kind": "rate_limited_bare", "times": 0}, "too many requests (429)", 4),
    ("usage cap", {"kind": "usage_cap"}, "cap on post reads is used up", 4),
    ("500", {"kind": "json500", "times": 0}, "kept answering with 500", 4),
    ("502", {"kind": "html502", "times": 0}, "kept answering with 502", 4),
    ("503", {"kind": "html503", "times": 0}, "kept answering with 503", 4),
    ("504", {"kind": "json504", "times": 0}, "kept answering with 504", 4),
    ("html 200", {"kind": "not_json", "times": 0}, "What answers is not the X API.", 4),
    ("dropped", {"kind": "drop", "times": 0}, "the connection was dropped", 4),
    ("dripping", {"kind": "slow", "times": 0, "seconds": 60}, "did not end within 1 s", 4),
    ("redirect", {"kind": "redirect"}, "sends elsewhere", 4),
    ("teapot", {"kind": "answer", "status": 418}, "answered with 418", 4),
]  # fmt: skip
WHO = {
    "unknown": "nobody_at_all",
    "suspended": "closed_by_the_moderators",
    "protected": "behind_the_garden_gate",
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fault", "said", "code"), ERRORS, ids=[e[0] for e in ERRORS])
@pytest.mark.parametrize("host", ["api.x.com", "api.twitter.com"])
def test_every_error_has_its_words_and_its_exit_code(
    name: str, fault: dict[str, Any], said: str, code: int, host: str,
    home: Path,
) -> None:  # fmt: skip
    faults = [{"path": "*/tweets", **fault}] if fault else []
    with FakeX(faults=faults, host=host) as fake:
        handle = WHO.get(name, WALKER)
        ended = fetch(fake, home, handle, "--yes", "--json", code=code)
        (result,) = ended.json()
        assert result["cost_usd"] == pytest.approx(0.01 if fake.ledger()["users"] else 0)
    last = ended.err.strip().split("\n")[-1]
    assert last.startswith("mynah: ")
    assert said in last
    # and not in the words of another error
    assert [other for other, _, words, _ in ERRORS if words in last] == [name]
    assert not result["complete"]


def test_a_rename_has_words(home: Path) -> None:
    from core.corpus.store import Corpus
    from core.home import Home

    with FakeX() as fake:
        fetch(fake, home, "keeper_of_few_words", "--yes")
        fake.rename("keeper_of_few_words", "keeper_of_fewer")
        with Corpus(Home(home).corpus).writing() as connection:
            connection.execute("UPDATE accounts SET looked_up_at = '2020-01-01'")
        ended = fetch(fake, home, "keeper_of_few_words", "--yes", code=4)
    assert "is called @keeper_of_fewer now" in ended.err
    assert "mynah fetch keeper_of_fewer" in ended.err


def test_what_one_account_refuses_does_not_keep_the_others(home: Path) -> None:
    with FakeX() as fake:
        handles = ["closed_by_the_moderators", "keeper_of_few_words", "nobody_at_all"]
        ended = fetch(fake, home, *handles, "--yes", "--json", code=4)
    assert [(one["handle"], one["posts"]) for one in ended.json()] == [
        (handles[0], 0), (handles[1], 12), (handles[2], 0)
    ]  # fmt: skip
    assert "has suspended" in ended.err
    assert "no account @nobody_at_all" in ended.err


def test_a_budget_is_for_all_accounts_together(home: Path) -> None:
    with FakeX() as fake:
        handles = ["keeper_of_few_words", WALKER]
        ended = fetch(fake, home, *handles, "--yes", "--budget", "0.5", "--json")
        assert fake.ledger()["cost_usd"] <= 0.5
        assert sum(one["cost_usd"] for one in ended.json()) == pytest.approx(
            fake.ledger()["cost_usd"]
        )
    assert [one["complete"] for one in ended.json()] == [True, False]
    assert "stopped by --budget" in ended.err


def test_a_maximum(home: Path) -> None:
    with FakeX() as fake:
        (result,) = fetch(fake, home, WALKER, "--yes", "--max", "20", "--json").json()
        assert result["posts"] == fake.ledger()["posts"] <= 20
        assert result["resumes_from"]
        assert fetch(fake, home, WALKER, "--max", "4", "--yes", code=2).err


def test_a_countdown_can_be_interrupted(home: Path, tmp_path: Path) -> None:
    faults = [{"kind": "rate_limited", "path": "*/tweets", "nth": 2, "seconds": 600}]
    with FakeX(faults=faults) as fake, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYNAH_X_TOKEN", fake.token)
        patch.setenv("MYNAH_X_API_URL", fake.url)
        started = Started("fetch", WALKER, "--yes", "--json", home=home, notes=tmp_path / "n")
        ended = started.interrupt(lambda: "rate limit is reached: it goes on in" in started.err)
        paid = fake.ledger()["posts"]
    (result,) = ended.json()
    assert result["posts"] == paid > 0
    assert f"{paid} posts of @{WALKER}" in ended.err
    assert f"mynah fetch {WALKER}" in ended.err


@pytest.mark.slow
def test_a_countdown_is_seen_on_a_terminal(home: Path) -> None:
    faults = [{"kind": "rate_limited", "path": "*/tweets", "nth": 2, "seconds": 1}]
    with FakeX(faults=faults) as fake:
        env = environment(home, MYNAH_X_TOKEN=fake.token, MYNAH_X_API_URL=fake.url, **NO_KEYRING)
        left, screen = on_a_terminal([*MYNAH, "fetch", WALKER, "--yes"], env)
    assert left == 0
    assert b"goes on in 0:01" in screen
    assert b"of at most 3,200 posts" in screen


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["nasa"], "no X API token"),
        ([], "at least one account"),
        (["nasa", "--max", "0"], "--max"),
        (["nasa", "--budget", "-1"], "--budget"),
        (["nasa", "--save-token"], "not an argument"),
    ],
)
def test_wrong_usage(given: list[str], said: str, tmp_path: Path) -> None:
    ended = mynah("--home", tmp_path / "none", "fetch", *given, code=2)
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not ended.out
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["no body"], "not a handle"),
        (["a_name_that_is_too_long_for_x"], "cannot be an account on X"),
        (["nasa", "--api-url", "http://example.com"], "not https"),
    ],
)
def test_what_is_refused(given: list[str], said: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYNAH_X_TOKEN", "A" * 30)
        ended = mynah("--home", tmp_path / "none", "fetch", *given, code=3)
    assert said in ended.err
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_the_token_is_stored_named_and_taken_away(home: Path) -> None:
    secret = "AAAAAAAAAAAAAAAAAAAAAstored"  # noqa: S105
    saved = mynah_alone("fetch", "--save-token", home=home, stdin=secret.encode(), **NO_KEYRING)
    file = home / "x-api-token"
    assert str(file) in saved.err
    assert file.stat().st_mode & 0o777 == 0o600
    checks = mynah_alone("doctor", "--json", home=home, **NO_KEYRING)
    found = {check["name"]: check for check in checks.json()}["x api token"]
    assert (found["ok"], found["detail"]) == (True, f"from the file {file}")
    gone = mynah_alone("fetch", "--forget-token", home=home, **NO_KEYRING)
    assert str(file) in gone.err
    assert not file.exists()
    assert secret not in "".join([saved.err, saved.text, checks.text, gone.err])


def test_the_token_is_asked_for_without_an_echo(home: Path) -> None:
    env = environment(home, **NO_KEYRING)
    secret = b"AAAAAAAAAAAAAAAAAAAAAtyped"
    left, screen = on_a_terminal(
        [*MYNAH, "fetch", "--save-token"], env, keys=secret + b"\n", after="nothing is shown"
    )
    assert left == 0
    assert secret not in screen
    assert (home / "x-api-token").read_bytes().strip() == secret


@pytest.mark.slow
def test_nothing_in_the_home_holds_the_token(home: Path) -> None:
    """A fetch, a refusal and a crash later."""
    with FakeX(faults=[{"kind": "credits", "path": "*/tweets", "nth": 2}]) as fake:
        more = {"MYNAH_X_TOKEN": fake.token, "MYNAH_X_API_URL": fake.url, **NO_KEYRING}
        refused = mynah_alone("fetch", WALKER, "--yes", home=home, code=4, **more)
        done = mynah_alone("fetch", WALKER, "--yes", home=home, **more)
        for path in (path for path in home.rglob("*") if path.is_file()):
            assert fake.token.encode() not in path.read_bytes(), path
        for ended in (refused, done):
            assert fake.token not in ended.err + ended.text
    assert json.dumps(os.environ.get("MYNAH_X_TOKEN")) == "null"
