"""The whole job of somebody new, in one home and by keys alone, in a window of 80 by 24."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.corpus.reading import tweet_counts
from core.corpus.store import Corpus
from core.home import Home
from core.runs.folder import Run, stale_note
from core.sampling.favourites import favourites
from core.sampling.store import stored_samples
from tests.functional.walk import Heard, mynah, screen, settled, until
from tests.oracles.planted_copies import REAL
from tui.app import MynahApp

pytestmark = pytest.mark.usefixtures("no_process_stays")
NASA = REAL / "nasa_2017_2018.csv"
KEPT = re.compile(r"✦")


def a_csv(folder: Path) -> tuple[Path, int]:
    """Made-up tweets of @nasa as a file, and how many."""
    path, begin = folder / "nasa_2017_2018.csv", datetime(2018, 1, 1)  # noqa: DTZ001 - as text
    what = ("rover", "telescope", "launch", "station", "probe", "comet", "crew", "moon")
    does = ("waits for", "looks at", "sends us", "flies over", "waves to", "dreams of")
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "created_at", "author", "text", "is_retweet"])
        for at in range(400):
            text = (
                f"The {what[at % 8]} {does[at % 6]} the {what[at // 8 % 8]} in orbit {at} &amp; on"
            )
            when = (begin + timedelta(hours=7 * at)).isoformat() + "Z"
            rows.writerow([10**18 + at, when, "NASA", text, False])
    return path, 400


@pytest.mark.slow
@pytest.mark.parametrize(
    "real",
    [False, pytest.param(True, marks=pytest.mark.skipif(not NASA.exists(), reason="no real data"))],
    ids=["made", "real"],
)
async def test_a_stranger_imports_trains_compares_keeps_exports_and_forgets(
    home: Home, tmp_path: Path, next_run: Callable[..., None], real: bool
) -> None:
    source, tweets = (NASA.resolve(), 3245) if real else a_csv(tmp_path)
    wanted = tmp_path / "five.txt"
    next_run(batch_tokens=512, max_steps=6, eval_tokens=256)
    app, heard = MynahApp(home, poll_seconds=0.1), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:

        async def see(words: str, seconds: float = 60.0) -> None:
            await until(pilot, lambda: words in screen(pilot), seconds)
            await settled(pilot)

        async def finished(runs: int) -> list[Run]:
            def all_have() -> bool:
                found = mynah(pilot).state.runs or []
                return len(found) == runs and all(run.state == "finished" for run in found)

            await until(pilot, all_have, 180)
            await settled(pilot)
            return [Run(run.folder) for run in mynah(pilot).state.runs or []]

        # brings tweets in
        await see("Press a to add an archive")
        await pilot.press("a", *str(source))
        await see(f"@nasa · {tweets:,} tweets")
        assert not home.corpus.exists(), "looking at a file brings nothing in"
        await pilot.press("enter")
        await see(f"{tweets:,} · newest first")
        assert tweet_counts(Corpus(home.corpus)) == {"nasa": tweets}

        # trains twice, with two seeds
        await pilot.press("4")
        await see("No run yet. Press s to start one")
        await pilot.press("left_square_bracket")
        await see("learns from @nasa")
        while "‹ scratch ›" not in screen(pilot):
            await pilot.press("right")
            await settled(pilot)
        await pilot.press("s")
        (first,) = await finished(1)
        await pilot.press("down", "down", "down", "right")
        await see("seed                                                                 [ 2 ]")
        await pilot.press("s")
        second, first = await finished(2)
        for run, seed in ((first, 1), (second, 2)):
            assert run.model.is_dir()
            settings = run.record().train_settings
            assert settings is not None
            assert (settings.base, settings.seed) == ("scratch", seed)

        # compares them: one laid over the other, both losses in the legend
        losses = [run.valid_loss for run in app.state.runs or []]
        while "enter Sample" not in screen(pilot):  # what enter does in the list of runs
            await pilot.press("tab")
            await settled(pilot)
        await pilot.press("home", "space")
        await see("✓ ╌╌ nasa")
        await pilot.press("down", "right_square_bracket")
        await see(f"╌╌ {second.id[-4:]} nasa {losses[0]:.2f}")
        assert f"held out {losses[1]:.2f}" in screen(pilot)

        # draws samples and keeps five
        await pilot.press("5")
        await see("Press g to generate")
        await pilot.press("g")
        await see("5 samples", 120)
        await pilot.press("v", "v", "v", "v", "v")
        await until(pilot, lambda: len(favourites(home)) == 5)
        kept = [one.text for one in favourites(home)]
        assert sorted(kept) == sorted(one.text for one in stored_samples(second))

        # exports them
        await pilot.press("f")
        await see("5 favourites (generated)")
        assert len(KEPT.findall(screen(pilot))) >= 5
        await pilot.press("e")
        await see("Export 5 favourites to")
        await pilot.press("ctrl+u", *str(wanted), "enter")
        await until(pilot, wanted.exists)
        await until(pilot, lambda: any("5 favourites written" in one for one in heard.toasts))
        lines = wanted.read_text("utf-8").splitlines()
        assert sorted(lines) == sorted(" ".join(text.split()) for text in kept)
        await pilot.press("escape")

        # forgets the account
        await pilot.press("1", "left_square_bracket")
        await see("Accounts ")
        await pilot.press("x")
        await see(f"deletes {tweets:,} tweets from the corpus, for good")
        assert f"Run {first.id} becomes stale" in screen(pilot)
        assert tweet_counts(Corpus(home.corpus)) == {"nasa": tweets}, "it asks first"
        await pilot.press("y")
        await see("Nobody yet.")
        assert tweet_counts(Corpus(home.corpus)) == {}
        for run in (first, second):
            assert (stale_note(run.folder) or {})["handles"] == ["nasa"]
        assert wanted.read_text("utf-8").splitlines() == lines, "what was exported stays"
        await pilot.press("4")
        await see("▲ stale")
