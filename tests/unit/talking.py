"""Two accounts that talk with each other, as archives, and a run that learned to answer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fixtures.x_archive import archive_files, as_zip, tweet
from tests.shared import made_once
from tests.unit.cli import mynah

ASKED = 70
WORDS = (
    "lamp fog gull stair tide kettle moon harbour rope salt bell anchor storm oil wick glass rust "
    "paint ledger boat rain coat boots gale sand reef buoy crab net mast oar dune pier moss cliff"
).split()


def said(number: int) -> str:
    """Seven words that hardly any other number has."""
    return " ".join(random.Random(number).sample(WORDS, 7))


def to(handle: str, number: int) -> dict[str, str]:
    """What says of a tweet that it answers another."""
    return {"in_reply_to_screen_name": handle, "in_reply_to_status_id_str": str(number)}


def talk(folder: Path, asked: int = ASKED) -> list[Path]:
    """The archives of ask, who asks, and of tell, who answers, goes on by itself, and once answers
    somebody whose tweets nobody has.
    """
    asks, tells = [], []
    for i in range(asked):
        asks.append(tweet(1000 + i, f"@tell {said(i)}? https://t.co/x{i}"))
        tells.append(tweet(2000 + i, f"@ask {said(2000 + i)}", **to("ask", 1000 + i)))
        tells.append(tweet(3000 + i, said(3000 + i)))
        tells.append(tweet(4000 + i, said(4000 + i), **to("tell", 3000 + i)))
    tells.append(tweet(5000, "@who I have no idea who you are", **to("who", 9999)))
    paths = []
    for handle, tweets in (("ask", asks), ("tell", tells)):
        account = {"username": handle, "accountId": "1", "accountDisplayName": handle.title()}
        paths.append(as_zip(folder / f"{handle}.zip", archive_files(tweets, account=account)))
    return paths


def home_that_answers(factory: pytest.TempPathFactory) -> Path:
    """A home with both archives, and a run that learned the answers of tell; leave it as it is."""

    def make(home: Path) -> None:
        home.mkdir()
        mynah("import", *talk(home), home=home)
        mynah("train", "tell", "--base", "scratch", "--answers", "--max-steps", "4", home=home)

    return made_once(factory, "answers", make)
