"""How a report is made: what it draws and reads, in order and once, and what it keeps of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from report_runs import CREW, KEEPER, bring_in, sea, space, tweets_by

from core.errors import Interrupted
from core.home import Home
from core.progress import Progress, Reporter
from core.report.drawing import drawn_texts
from core.report.last import last_measures, last_report
from core.report.likelihood import GivenBack, TextNats
from core.report.points import RealTexts, real_texts
from core.report.reading import Reader
from core.report.report import Report, make_report
from core.report.stored import ReportModel
from core.runs.folder import Run
from core.sampling.client import Sampler
from tests.unit.report_words import Writes
from tests.unit.toy_runs import create_toy

MODEL = ReportModel("tuned", Path("model"), "hash")


class Shown:
    """A reporter that shows everything, and what it showed."""

    def __init__(self) -> None:
        self.moved: list[tuple[str, int, int | None]] = []
        self.reporter = Reporter(self._add, None, lambda: Interrupted("stopped"), every=0)

    def _add(self, progress: Progress) -> None:
        self.moved.append((progress.phase, progress.done, progress.total))


def test_texts_are_in_the_order_of_the_samples_and_drawn_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler, shown = Writes("first", "second"), Shown()
    monkeypatch.setattr(Sampler, "for_run", lambda *_, **__: sampler)

    def drawn(n: int = 2, seed: int = 5, model: ReportModel = MODEL) -> list[str]:
        return drawn_texts(Run(tmp_path), model, n, seed, device="cpu", reporter=shown.reporter)

    assert drawn() == ["first", "second"]
    assert [done for phase, done, total in shown.moved] == [0, 0, 1, 2]
    assert {(phase, total) for phase, _, total in shown.moved} == {("the tuned model writes", 2)}
    (request,) = sampler.asked
    assert (request.n, request.seed, request.allow_copies) == (2, 5, True)
    assert drawn() == ["first", "second"]
    assert len(sampler.asked) == 1, "what was drawn is kept"
    for other in ({"n": 3}, {"seed": 6}, {"model": ReportModel("tuned", Path("model"), "other")}):
        before = len(sampler.asked)
        drawn(**other)  # type: ignore[arg-type]
        assert len(sampler.asked) == before + 1, other


def test_a_model_is_loaded_once_and_only_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[tuple[Path, str]] = []

    class Loaded:
        def __init__(self, folder: Path, device: str) -> None:
            loads.append((folder, device))

        def nats(self, texts: list[str], report: Any) -> list[TextNats]:
            report(len(texts))
            return [TextNats(float(len(text)), 2) for text in texts]

        def given_back(self, pairs: list[tuple[str, str]], report: Any) -> list[GivenBack]:
            report(len(pairs))
            return [GivenBack(3, 2)] * len(pairs)

    monkeypatch.setattr("core.report.reading.LanguageModel", Loaded)
    shown = Shown()
    reader = Reader(Run(tmp_path), MODEL, "cpu", shown.reporter)
    assert reader.nats("held-out", []) == []
    assert loads == [], "nothing to be read"
    assert reader.nats("held-out", ["a", "bcd"]) == [TextNats(1.0, 2), TextNats(3.0, 2)]
    assert reader.nats("parrot", ["ab"]) == [TextNats(2.0, 2)]
    assert reader.given_back([("a", "b")]) == [GivenBack(3, 2)]
    assert loads == [(Path("model"), "cpu")]
    assert shown.moved == [
        ("loading the tuned model", 0, None), ("the tuned model reads tweets", 2, 2),
        ("the tuned model reads tweets", 1, 1), ("the tuned model is asked for tweets", 1, 1),
    ]  # fmt: skip
    reader.close()
    assert reader.nats("held-out", ["a", "bcd"]) == [TextNats(1.0, 2), TextNats(3.0, 2)]
    assert len(loads) == 1, "what was read is kept"
    assert reader.nats("held-out", ["bcd"]) == [TextNats(3.0, 2)]
    assert len(loads) == 2, "other texts, and the model was let go"


# ── all of it, with models that read and write as they are told ──────────────────────────────

OWN = tweets_by(KEEPER, sea, 150)
WRITTEN = [f"the lamp sat down {n} times before dawn, and a gull laughed." for n in range(20)]


class Reads:
    """The base reads all at 3 nats a token; the tuned model unseen tweets at 2, its own at 1, and
    it gives back whole whatever has a gull in it.
    """

    own: frozenset[str]

    def __init__(self, folder: Path, device: str) -> None:
        self._base = folder.name == "base"

    def nats(self, texts: list[str], report: Any) -> list[TextNats]:
        return [
            TextNats(5.0 * (3 if self._base else 1 if text in self.own else 2), 5) for text in texts
        ]

    def given_back(self, pairs: list[tuple[str, str]], report: Any) -> list[GivenBack]:
        return [GivenBack(4, 4 if "gull" in "".join(pair) else 1) for pair in pairs]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Run]:
    home = Home.at(tmp_path)
    bring_in(home, pl.concat([OWN, tweets_by(CREW, space, 100)]))
    run = create_toy(tmp_path, tweets=OWN)
    for folder in (run.model, tmp_path / "base"):
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(f'{{"name": "{folder.name}"}}', "utf-8")
    monkeypatch.setattr(Reads, "own", frozenset(real_texts(home, run, 20, 0).train), raising=False)
    monkeypatch.setattr("core.report.reading.LanguageModel", Reads)
    monkeypatch.setattr(Sampler, "for_run", lambda *_, **__: Writes(*WRITTEN))
    monkeypatch.setattr("core.report.report.base_folder", lambda _: (tmp_path / "base", ""))
    return home, run


def points_of(report: Report, name: str) -> dict[str, float | None]:
    return {
        point: one.value
        for measure in report.measures
        if measure.name == name
        for point, one in measure.points.items()
    }


def test_a_report_reads_with_both_models_what_each_is_asked(toy: tuple[Home, Run]) -> None:
    home, run = toy
    report = make_report(home, run, n=20, leaks=True)
    real = report.real
    assert points_of(report, "loss") == {"tuned": 2, "parrot": 1, "base": 3}
    assert {point: list(texts) for point, texts in report.texts.items()} == {
        "base": WRITTEN, "tuned": WRITTEN, "held_out": real.held_out[:20], "parrot": real.parrot,
        "impostors": real.impostors,
    }  # fmt: skip
    assert (report.run, report.n, report.seed, report.no_base) == (run.id, 20, 0, "")
    # of two nats a token that tuning took, and of one, the members are sure to be told
    assert points_of(report, "membership_auc") == {"tuned": 1, "chance": 0.5}
    (auc,) = [one for one in report.measures if one.name == "membership_auc"]
    assert auc.points["tuned"].n == len(real.train) + len(real.held_out)
    gulls = {
        tweet: text
        for tweet, text in zip(real.train_ids, real.train, strict=True)
        if "gull" in text
    }
    assert report.leaked == gulls
    shown = report.to_json()["extracted"]["tweets"]
    assert {one["tweet_id"]: one["text"] for one in shown} == gulls
    assert "text" not in report.to_json(tweets=False)["extracted"]["tweets"][0]
    assert last_measures(run) == report.to_json(tweets=False), "those of the tuned model"
    last = last_report(run)
    assert last is not None
    assert {leak.tweet_id: text for leak, text in last.leaks or []} == gulls
    again = make_report(home, run, n=20)
    assert again.leaked is None
    assert "extracted" not in again.to_json()
    assert points_of(again, "loss") == points_of(report, "loss")


def test_a_report_without_a_base_or_unseen_tweets_says_less(
    toy: tuple[Home, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, run = toy

    def none_unseen(*given: Any) -> RealTexts:
        return replace(real_texts(*given), held_out=[])

    with monkeypatch.context() as patch:
        patch.setattr("core.report.report.real_texts", none_unseen)
        seen = make_report(home, run, n=20, leaks=True)
    assert points_of(seen, "loss") == {"parrot": 1}
    assert points_of(seen, "membership_auc") == {}, "of members alone there is none"
    monkeypatch.setattr("core.report.report.base_folder", lambda _: (None, "It has none."))
    bare = make_report(home, run, n=20, leaks=True)
    assert points_of(bare, "loss") == {"tuned": 2, "parrot": 1}
    assert (bare.no_base, points_of(bare, "membership_auc")) == ("It has none.", {})
    assert "base" not in bare.texts
    assert bare.leaked is not None
