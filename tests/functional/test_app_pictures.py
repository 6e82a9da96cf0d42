"""Pictures of the app. New ones: ``pytest --snapshot-update``, then look at them."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.home import Home
from core.json_lines import append_json_lines
from core.report.blind import BlindTest, Question
from core.runs.folder import Run
from core.sampling.request import Copy, SampleRequest, TokenProbability
from core.sampling.request import Sample as Generated
from core.sampling.store import Repeated, as_stored
from core.sampling.voices import tuned_voice
from core.workflow.data import sample_archives
from tests.functional.walk import mynah, settled, until
from tui.actions import SECTIONS
from tui.app import MynahApp
from tui.sample.blind import BlindPage, BlindReady
from tui.sample.generating import SampleRepeated
from tui.sample.sample_list import Sample
from tui.sample.tokens import TokensPage
from tui.widgets.field_form import FieldForm

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="pictures are compared on one Python only"
)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _the_same_picture_tomorrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fixed time and advice; and no base model prepared, whose tokenizer would count tokens."""
    monkeypatch.setattr("tui.text.numbers.now", lambda: NOON)
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path / "no-cache"))
    # a run is read in slices of 50 ms, and the first look of a busy machine has a part of it
    monkeypatch.setattr("core.runs.follow.SLICE_SECONDS", 10.0)
    # how long a training takes depends on the machine; what is said of it is set below
    monkeypatch.setattr("tui.train.starting.TrainJobs.ask_advice", lambda _: None)


async def at_rest(pilot: Pilot[None]) -> None:
    app = mynah(pilot)
    await settled(pilot)
    await until(pilot, lambda: app.state.runs is not None)
    await settled(pilot)
    # whatever this machine has and measures, the picture shows the same
    new_run = app.state.new_run
    new_run.bases, new_run.base = ["smollm2", "scratch"], "smollm2"
    new_run.all_tweets = "The preset fast learns all of it 1.5 times: about 4 min here, estimated."
    new_run.advice = ["2 epochs of 1,971 tweets in about 2 min.", "Needs about 1.1 GB."]
    app.new_run_changed.publish(new_run)
    for note in list(app._notifications):
        app._unnotify(note)
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("section", SECTIONS)
def test_section(snap_compare: Any, told_home: Home, section: str, size: tuple[int, int]) -> None:
    app = MynahApp(told_home, section=section)
    assert snap_compare(app, terminal_size=size, run_before=at_rest)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_settings_of_a_run(snap_compare: Any, told_home: Home, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        form = pilot.app.screen.query_one("#train-form", FieldForm)
        if size[0] < 100:
            await pilot.press("left_square_bracket")
        form.field("more").focus()
        await pilot.press("enter", "down", "right")
        await at_rest(pilot)

    app = MynahApp(told_home, section="train")
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("section", ["data", "train", "sample"])
def test_empty(snap_compare: Any, home: Home, section: str) -> None:
    assert snap_compare(
        MynahApp(home, section=section), terminal_size=(100, 30), run_before=at_rest
    )


@pytest.mark.parametrize("theme", ["mynah-day", "ansi-dark", "okabe-ito", "okabe-ito-day"])
def test_theme(snap_compare: Any, told_home: Home, theme: str) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.theme = theme
        await at_rest(pilot)

    app = MynahApp(told_home, section="filter")
    assert snap_compare(app, terminal_size=(120, 40), run_before=before)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_low_window(snap_compare: Any, told_home: Home, section: str) -> None:
    app = MynahApp(told_home, section=section)
    assert snap_compare(app, terminal_size=(60, 15), run_before=at_rest)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_favourites(snap_compare: Any, home: Home, size: tuple[int, int]) -> None:
    texts = ("a lamp is a small promise", "=gull", "The sea is closed today. Try the stairs.")
    made = {"run": "20260301-1015-keeper-c0de", "prompt": "", "settings": {"seed": 3}}
    made["copy"] = {"verdict": "new", "longest": 1, "tweet_id": None}
    append_json_lines(
        home.root / "favourites.jsonl",
        [
            *(
                made | {"id": str(at), "text": text, "when": NOON.replace(hour=9 + at).isoformat()}
                for at, text in enumerate(texts)
            ),
            {"edited": "2", "text": "The sea is closed today."},
            {"noted": "2", "note": "for Monday"},
        ],
    )

    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        await pilot.press("f")
        await at_rest(pilot)

    app = MynahApp(home, section="sample")
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_help(snap_compare: Any, told_home: Home) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        await pilot.press("question_mark")
        await pilot.pause()

    assert snap_compare(MynahApp(told_home), terminal_size=(120, 40), run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_add_tweets(
    snap_compare: Any, home: Home, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(sample_archives()[0].parent)

    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        await pilot.press("a")
        await pilot.pause()
        pilot.app.screen.query_one("#path").value = sample_archives()[0].name  # type: ignore[attr-defined]
        pilot.app.screen.query_one("#path").cursor_blink = False  # type: ignore[attr-defined]
        await at_rest(pilot)

    assert snap_compare(MynahApp(home), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_columns_of_a_table(
    snap_compare: Any,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tweets.csv").write_text(
        "Nr,user_screen_name,posted_on,body,thumbs up,note\n"
        "17,keeper,2020-01-02 10:00,The fog came in like a committee: slowly; no agenda.,3,\n"
    )

    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        await pilot.press("a")
        await pilot.pause()
        pilot.app.screen.query_one("#path").value = "tweets.csv"  # type: ignore[attr-defined]
        await at_rest(pilot)
        await pilot.press("ctrl+t")
        await at_rest(pilot)
        await pilot.press(*["right"] * 4, "down", "down", *["right"] * 3)
        await at_rest(pilot)

    assert snap_compare(MynahApp(home), terminal_size=size, run_before=before)


def test_a_changed_recipe(snap_compare: Any, told_home: Home) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        app = mynah(pilot)
        assert app.state.recipe is not None
        app.change_recipe(app.state.recipe.replace(drop_replies=True, min_words=6))
        await settled(pilot)
        await pilot.press("w")
        await at_rest(pilot)

    app = MynahApp(told_home, section="filter")
    assert snap_compare(app, terminal_size=(120, 40), run_before=before)


def test_two_recipes(snap_compare: Any, told_home: Home) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        await pilot.press("c", "enter")
        await at_rest(pilot)

    app = MynahApp(told_home, section="filter")
    assert snap_compare(app, terminal_size=(100, 30), run_before=before)


TOKENS = tuple(
    TokenProbability(text, probability, rank)
    for text, probability, rank in (
        (" a", 0.52, 1), (" quiet", 0.004, 71), (" Tuesday", 0.02, 9), (" with", 0.31, 2),
        (" a", 0.74, 1), (" work", 0.12, 2), ("ing", 0.99, 1), (" kettle", 0.0003, 412),
        (".", 0.66, 1),
    )
)  # fmt: skip
PAIRS = (
    ("My dream is a quiet Tuesday with a working kettle.", "new", "no copy"),
    ("My dream is to become a doctor and help people in need.", "new", "no copy"),
    ("My dream is to be haunted by someone with better manners.", "new", "no copy"),
    ("My dream is that everybody gets what they want for Christmas.", "new", "no copy"),
    (
        "My dream is the same every winter: the lamp, the stair, the fog and who",
        "near",
        "near copy, 7 words",
    ),
    ("My dream is not to be a writer but to write.", "new", "no copy"),
)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_two_models(snap_compare: Any, told_home: Home, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        section: Any = pilot.app.screen
        section.stand_beside(["keeper (loss 3.42)", "base: smollm2"])
        section.listing.set_samples(
            [
                Sample(
                    text, "My dream is", verdict=verdict, note=note, label=section.label_of(at % 2)
                )
                for at, (text, verdict, note) in enumerate(PAIRS)
            ]
        )
        section.listing.update(1, favourite=True)
        await pilot.press("right")
        await at_rest(pilot)

    app = MynahApp(told_home, section="sample")
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_tokens(snap_compare: Any, told_home: Home, size: tuple[int, int]) -> None:
    made = Generated(0, 7, "My dream is", PAIRS[0][0], 9, "eos", Copy("new", 2, None), 0, TOKENS)
    run = Run(told_home.runs / "r")
    stored = as_stored(tuned_voice(run), "abc", SampleRequest(seed=7), made)

    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        app = mynah(pilot)
        app.sampling.repeat = lambda *_, **__: True  # type: ignore[method-assign]
        app.push_screen(TokensPage(stored, run.folder, app.sampling))
        await pilot.pause()
        app.post_message(SampleRepeated(stored, Repeated(stored, made, "abc", "")))
        await at_rest(pilot)
        await pilot.press("down")
        await pilot.pause()

    assert snap_compare(
        MynahApp(told_home, section="sample"), terminal_size=size, run_before=before
    )


def test_blind(snap_compare: Any, told_home: Home) -> None:
    questions = [Question("1", "s", PAIRS[0][0], PAIRS[2][0], False)] * 20
    test = BlindTest(Run(told_home.runs / "r"), "@keeper_of_the_light", 1, "abc", questions)

    async def before(pilot: Pilot[None]) -> None:
        await at_rest(pilot)
        app = mynah(pilot)
        app.sampling.blind.prepare = lambda _: True  # type: ignore[method-assign]
        app.push_screen(BlindPage(test.run.folder, app.sampling.blind))
        await pilot.pause()
        app.post_message(BlindReady(test))
        await at_rest(pilot)

    app = MynahApp(told_home, section="sample")
    assert snap_compare(app, terminal_size=(80, 24), run_before=before)
