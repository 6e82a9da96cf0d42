"""The next run: its settings, what it would cost, starting it; resuming and stopping runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import InputRefused, MynahError
from tui.job import Attempt, Host, Job, Report
from tui.state import NewRun
from tui.text.nothing_there import why_no_tweets
from tui.train.keeping import KeepingJobs

if TYPE_CHECKING:
    from core.dataset.shares import Share
    from core.home import Home
    from core.runs.summary import RunSummary
    from core.workbench.bench import Curation


@dataclass
class BasesFound(Report):
    names: list[str]
    default: str


@dataclass(frozen=True)
class Question:
    """What advice was asked for: these settings, on these tweets."""

    base: str
    preset: str
    minutes: float
    weights: tuple[tuple[str, float], ...]
    own: tuple[tuple[str, float], ...]
    curation: Curation

    @classmethod
    def of(cls, new_run: NewRun, curation: Curation) -> Question:
        weights = tuple(sorted(new_run.weights.items()))
        own = tuple(sorted(new_run.overrides().items()))
        return cls(new_run.base, new_run.preset, new_run.minutes, weights, own, curation)


@dataclass
class Advised(Report):
    """What the settings of ``question`` would cost here, and the share of each account; ``too_few``
    is why they cannot be used at all.
    """

    question: Question
    lines: list[str]
    shares: list[Share]
    all_tweets: str
    too_few: str = ""


@dataclass
class SpeedMeasured(Report):
    """How fast this machine learns was tried out, and is remembered."""


@dataclass
class RunStarted(Report):
    run: str


@dataclass
class NewRunChanged(Report):
    """A setting of the next run was changed."""

    key: str
    value: Any


class TrainJobs:
    """Reports BasesFound, Advised and RunStarted; a change of the settings as NewRunChanged."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._started = ""  # a run whose folder has not been read yet
        self._bases = Job(host, "looking for base models")
        self._advice = Job(host, "estimating the training", newest_wins=True)
        self._start = Job(host, "starting the run")
        self._stop = Job(host, "stopping the run")
        self._leave = Job(host, "taking the run out of the queue")
        self._speed = Job(host, "measuring the speed")
        self._tried: set[tuple[str, str]] = set()  # preset and base
        self.keeping = KeepingJobs(host)

    def look_for_bases(self) -> None:
        """Which base models are at hand; asked once, after the first frame."""

        def work(_: Attempt) -> Report:
            from core.models.catalogue import at_hand, default_base

            return BasesFound([base.name for base in at_hand()], default_base())

        self._bases.start(work)

    def change(self, key: str, value: Any) -> None:
        self._host.post_message(NewRunChanged(key, value))

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Other weights for the chosen accounts."""
        state = self._host.state
        self.change("weights", state.new_run.weighed(state.chosen, weights))

    def question(self) -> Question | None:
        """The settings as they stand; None before the tweets or the models are known."""
        state = self._host.state
        if state.curation is None or not state.new_run.base:
            return None
        return Question.of(state.new_run, state.curation)

    def ask_advice(self) -> None:
        """What the next run would cost here; the newest question wins."""
        asked, home = self.question(), self._host.state.home
        if asked is None:
            return

        def work(_: Attempt) -> Report:
            from core.dataset.frozen import check_enough
            from core.runs.advise import advise, in_words

            total, shares = asked.curation.total, _shares(asked)
            try:
                check_enough(total.kept, total.downloaded, asked.curation.recipe.name)
            except InputRefused as error:
                return Advised(asked, [], shares, "", str(error))
            shown = sum(share.shown for share in shares)
            once = sum(share.tokens for share in shares)
            advice, everything = (
                advise(
                    home, kept=total.kept, tokens=total.tokens,
                    repeats=shown / once if once else 1.0,
                    base=asked.base, preset=asked.preset, minutes=minutes, own=dict(asked.own),
                )
                for minutes in (asked.minutes, None)
            )  # fmt: skip
            lines = [*_answers(home, asked), *advice.lines]
            return Advised(asked, lines, shares, in_words(everything))

        self._advice.start(work)

    def measure_speed(self) -> None:
        """Try for a second how fast this machine learns with these settings; once for each.

        Not beside a run: that would slow both. Reports SpeedMeasured.
        """
        state, new_run = self._host.state, self._host.state.new_run
        preset, base, home = new_run.preset, new_run.base, state.home
        if not base or state.runs is None or (preset, base) in self._tried:
            return
        if state.live_run is not None or self.starting:
            return

        def work(attempt: Attempt) -> Report | None:
            from core.runs.advise import advise, measure_speed

            if advise(home, kept=1, base=base, preset=preset).measured:
                return None
            found = measure_speed(home, preset, base, cancelled=attempt.cancelled)
            return SpeedMeasured() if found else None

        if self._speed.start(work):
            self._tried.add((preset, base))

    def expected(self, weights: Mapping[str, float]) -> list[Share]:
        """What an epoch would show of each chosen account with these weights."""
        asked = self.question()
        return _shares(replace(asked, weights=tuple(weights.items()))) if asked else []

    @property
    def starting(self) -> bool:
        """A run is being started, or was and its folder has not been read yet."""
        return self._start.busy or bool(self._started)

    def have_read(self, runs: Sequence[RunSummary]) -> None:
        """The folders of ``runs`` are read; one that was started may be deleted from now on."""
        if self._started in [run.run for run in runs]:
            self._started = ""

    def start(self, *, behind: str = "", now: bool = False) -> None:
        """Start a run on the chosen accounts with the recipe as it stands.

        It waits while another goes, ``behind`` that run as far as one knows, unless it is ``now``.
        """
        host, state, new_run = self._host, self._host.state, self._host.state.new_run
        if state.bench is None or state.recipe is None:
            why = why_no_tweets(state) or "They are still being read."
            host.notify(why, title="There is nothing to learn from yet")
            return
        if self.starting:
            self._say_starting()
            return
        # those that are chosen: the tweets at hand may still be of the accounts before
        handles, recipe, home = list(state.chosen), state.recipe, state.home
        base, preset = new_run.base, new_run.preset
        minutes, seed = float(new_run.minutes), int(new_run.seed)
        weights, to, own = new_run.weights_of(handles), new_run.track, new_run.overrides()

        def work(attempt: Attempt) -> Report:
            from core.runs.settings import RunRequest, settings_for
            from core.workflow.training import start_training

            settings = settings_for(preset, base, minutes=minutes, seed=seed, **own)
            request = RunRequest(handles, recipe, settings, weights, now=now)
            tracking = None
            if to != "off":
                from core.tracking.options import tracking_asked

                tracking = tracking_asked(home, to)
            run = start_training(home, request, tracking=tracking, cancelled=attempt.cancelled)
            self._started = run.id
            return RunStarted(run.id)

        self._speed.stop()
        self._start.start(work)
        if behind:
            host.notify(f"It begins when {behind} has ended.", title="A run joins the queue")
        else:
            host.notify("Freezing the dataset, then the trainer starts.", title="Starting a run")

    def go_on_from(self, summary: RunSummary, *, now: bool = False) -> None:
        """Start a run with the weights of an ended one, for the training time of the form."""
        home, minutes = self._host.state.home, float(self._host.state.new_run.minutes)

        def work(attempt: Attempt) -> Report:
            from core.runs.folder import find_run
            from core.workflow.training import continue_training

            run = continue_training(
                home, find_run(home, summary.run), now=now, minutes=minutes,
                cancelled=attempt.cancelled,
            )  # fmt: skip
            self._started = run.id
            return RunStarted(run.id)

        if self.starting:
            self._say_starting()
            return
        self._speed.stop()
        self._start.start(work)
        self._host.notify(
            f"It begins with the weights of {summary.run}, which stays as it is, and learns for "
            f"{minutes:g} min.",
            title="A new run",
        )

    def train_again(self, runs: Sequence[str]) -> None:
        """Make stale runs anew of the tweets that are left; each waits for the one before."""
        home = self._host.state.home

        def work(attempt: Attempt) -> Report | None:
            from core.runs.folder import find_run
            from core.workflow.training import train_again

            for name in runs:
                run = train_again(home, find_run(home, name), cancelled=attempt.cancelled)
                self._started = run.id
                attempt.report(RunStarted(run.id))
            return None

        if self.starting:
            self._say_starting()
            return
        self._speed.stop()
        self._start.start(work)
        self._host.notify("The stale ones stay as they are.", title="Training again")

    def _say_starting(self) -> None:
        self._host.notify("One run at a time.", title="A run is starting", severity="warning")

    def resume(self, summary: RunSummary) -> None:
        """Take a run that ended early up again at its last checkpoint."""
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.runs.folder import find_run
            from core.workflow.training import resume_training

            return RunStarted(resume_training(find_run(home, summary.run)).id)

        if not self._start.start(work):
            self._say_starting()

    def stop(self, summary: RunSummary) -> None:
        """Ask the trainer to save and leave, or only to leave the queue; in the background."""
        queued = summary.state == "queued"
        home = self._host.state.home

        def work(attempt: Attempt) -> None:
            from core.runs.folder import find_run
            from core.runs.launch import stop_run

            stop_run(find_run(home, summary.run), cancelled=attempt.cancelled)

        if queued:
            self._leave.start(work)
        elif self._stop.start(work):
            self._host.notify("It saves its model first.", title=f"Stopping {summary.run}")


def _answers(home: Home, asked: Question) -> list[str]:
    """How many answers there are to learn; nothing where nobody asked, or the corpus is busy."""
    from core.corpus.store import Corpus
    from core.dataset.answers import answers_known
    from core.dataset.frozen import FEWEST_ANSWERS

    if not dict(asked.own).get("answers"):
        return []
    total = asked.curation.total
    try:
        known = answers_known(
            Corpus(home.corpus), [account.handle for account in asked.curation.stats]
        )
    except MynahError:
        return []
    words = (
        f"{known:,} of the {total.downloaded:,} tweets answer one of somebody else in the corpus, "
        "before the filter"
    )
    return [words + ("" if known >= FEWEST_ANSWERS else f"; {FEWEST_ANSWERS} are needed")]


def _shares(asked: Question) -> list[Share]:
    from core.runs.settings import settings_for
    from core.runs.shares import planned_shares

    settings = settings_for(asked.preset, asked.base)
    return planned_shares(asked.curation.stats, settings, dict(asked.weights))
