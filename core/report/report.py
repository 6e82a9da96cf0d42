"""`make_report`: everything that ``mynah report`` says of a run, in the order of computing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.dataset.frozen import TRAIN
from core.errors import InputRefused, Interrupted
from core.home import Home
from core.locks import Locked, held_lock
from core.progress import Cancelled, Progress, Reporter
from core.report import measures
from core.report.conclusions import Findings, conclusions, who
from core.report.drawing import drawn_texts
from core.report.last import keep_measures
from core.report.leaks import MOST_HELD_OUT, MOST_MEMBERS, find_leaks, membership, of_leaks
from core.report.measures import Measure
from core.report.points import RealTexts, real_texts
from core.report.reading import Reader
from core.report.stored import ReportModel
from core.runs.folder import Run
from core.sampling.copies import CopyIndex
from core.sampling.voices import base_folder

TEXTS: Final = 200
FEWEST_TEXTS: Final = 20
MOST_TEXTS: Final = 2000


@dataclass(frozen=True)
class Report:
    """``measures`` in the order of the page; ``no_base`` says why there is no base point.

    ``texts``: those of each point. ``leaked``: by id, the training tweets that leaks were found of;
    None when nobody looked.
    """

    run: str
    base: str
    n: int
    seed: int
    real: RealTexts
    measures: list[Measure]
    texts: dict[str, Sequence[str]]
    leaked: dict[str, str] | None = None
    no_base: str = ""

    @property
    def findings(self) -> Findings:
        """What the sentences are made of."""
        return Findings(who(self.real.authors), {one.name: one for one in self.measures}, self.real)

    def to_json(self, *, tweets: bool = True) -> dict[str, Any]:
        """The measures by name; ``meaning`` is what their group says to a person. ``tweets``: with
        the texts of those that leaks were found of.
        """
        meanings = conclusions(self.findings)
        found = {}
        for one in self.measures:
            found[one.name] = {**one.to_json(), "meaning": meanings[one.group], "run": self.run}
        if tweets and self.leaked is not None and "extracted" in found:
            leaks = found["extracted"]["tweets"]
            texts = [self.leaked.get(leak["tweet_id"], "") for leak in leaks]
            both = zip(leaks, texts, strict=True)
            found["extracted"]["tweets"] = [{**leak, "text": text} for leak, text in both]
        return found


def make_report(
    home: Home,
    run: Run,
    *,
    n: int = TEXTS,
    seed: int = 0,
    leaks: bool = False,
    device: str = "auto",
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> Report:
    """``n`` texts of each point. What was drawn and read before for the same is not done again.

    Raises InputRefused (the run has no model, its tweets are gone, another report on it is being
    made), CorpusBusy, MynahError when the sampling process dies, and Interrupted when ``cancelled``
    says so; what is complete by then is kept for the next time.
    """
    reporter = Reporter(progress, cancelled, _stopped)
    if not (run.model / "config.json").is_file():
        raise InputRefused(
            f"The run {run.id} has no model yet.",
            "A model is written when a training ends or is stopped.",
            "`mynah runs` shows how far each run is.",
        )
    try:
        with held_lock(run.report_lock, seconds=0):  # nobody deletes it meanwhile
            return _made(home, run, reporter, n, seed, leaks=leaks, device=device)
    except Locked as error:
        raise InputRefused(
            f"Another report on {run.id} is being made.", "", "Wait for its end, or stop it."
        ) from error


def _made(
    home: Home, run: Run, reporter: Reporter, n: int, seed: int, *, leaks: bool, device: str
) -> Report:
    reporter.show("reading the tweets", 0, None)
    real = real_texts(home, run, n, seed)
    folder, no_base = base_folder(run)
    models = [] if folder is None else [ReportModel.at("base", folder)]
    models.append(ReportModel.at("tuned", run.model))
    points: dict[str, Sequence[str]] = {
        model.point: drawn_texts(run, model, n, seed, device=device, reporter=reporter)
        for model in models
    }
    points["held_out"] = real.held_out[:n]
    points["parrot"] = real.parrot
    points["impostors"] = real.impostors
    readers: dict[str, Reader] = {
        model.point: Reader(run, model, device, reporter) for model in models
    }
    losses, leak_measures, leaked = _read(run, real, readers, leaks=leaks)
    reporter.show("comparing", 0, None)
    found = measures.of_authors(real, points)
    reporter.check()
    found += measures.of_copying(CopyIndex.from_parquet(run.dataset / TRAIN), real.train, points)
    reporter.check()
    found += [*losses, *measures.of_variety(points), *measures.of_looks(real.train, points)]
    found += leak_measures
    made = Report(run.id, run.record().began_with, n, seed, real, found, points, leaked, no_base)
    about = {
        "n": n,
        "seed": seed,
        "no_base": no_base,
        "others": len(real.impostor_handles),
        "invented": real.bundled_impostors,
    }
    keep_measures(run, models[-1].hash, made.to_json(tweets=False), about, leaks=leaks)
    return made


def _stopped() -> Interrupted:
    return Interrupted(
        "The report was stopped.", "What was drawn is kept.", "The same command goes on from there."
    )


def _read(
    run: Run, real: RealTexts, readers: dict[str, Reader], *, leaks: bool
) -> tuple[list[Measure], list[Measure], dict[str, str] | None]:
    """The measures of loss and of leaks, and the leaked tweets by id. One model is in memory at a
    time.
    """
    held_out = real.held_out[:MOST_HELD_OUT]
    members = [*real.parrot, *real.to_learn][:MOST_MEMBERS] if leaks else []
    tuned = readers["tuned"]
    after = tuned.nats("held-out", held_out)
    parrot = tuned.nats("parrot", real.parrot)
    after_members = [*parrot, *tuned.nats("members", members[len(parrot) :])][:MOST_MEMBERS]
    losses = {"tuned": (held_out, after), "parrot": (real.parrot, parrot)}
    found = find_leaks(run, tuned, real.train, real.train_ids, held_out) if leaks else None
    tuned.close()
    auc = None
    if "base" in readers:
        base = readers["base"]
        before = base.nats("held-out", held_out)
        before_members = base.nats("members", members)
        base.close()
        losses["base"] = (held_out, before)
        if members and held_out:
            auc = membership(
                list(zip(before_members, after_members, strict=True)),
                list(zip(before, after, strict=True)),
            )
    made = measures.of_losses({point: both for point, both in losses.items() if both[0]})
    if found is None:
        return made, [], None
    text_of = dict(zip(real.train_ids, real.train, strict=True))
    leaked = {leak.tweet_id: text_of[leak.tweet_id] for leak in found.found}
    return made, of_leaks(found, auc), leaked
