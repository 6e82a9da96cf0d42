"""The training desk: the plan in the form, what it would cost, starting and stopping runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tui import messages
from tui.train.new_run import TrainPlan

if TYPE_CHECKING:
    from core.dataset.shares import Share
    from core.runs.summary import RunSummary
    from tui.app import MynahApp


class TrainingDesk:
    """Holds the plan; everything slow happens in the app's workers."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self.plan = TrainPlan()

    def look_for_bases(self) -> None:
        """Which base models are at hand; asked once, after the first frame."""

        def work() -> None:
            from core.models.catalogue import at_hand, default_base

            names = [base.name for base in at_hand()]
            self._app.post_message(messages.BasesFound(names, default_base()))

        self._app.in_background("bases", "looking for base models", work)

    def change(self, key: str, value: Any) -> None:
        setattr(self.plan, key, value)
        self.ask_advice()

    def ask_advice(self) -> None:
        """What the plan would cost here, once the tokens are counted."""
        curation = self._app.state.curation
        if curation is None or not self.plan.base:
            return
        plan, home = self.plan, self._app.state.home
        kept, tokens = curation.total.kept, curation.total.tokens

        def work() -> None:
            from core.runs.advise import advise, in_words

            shares = self.expected(plan.weights)
            shown = sum(share.shown for share in shares)
            once = sum(share.tokens for share in shares)
            repeats = shown / once if once else 1.0
            advice, whole = (
                advise(
                    home, kept=kept, tokens=tokens, repeats=repeats, base=plan.base,
                    preset=plan.preset, minutes=minutes,
                )
                for minutes in (plan.minutes, None)
            )  # fmt: skip
            self._app.post_message(
                messages.TrainPlanned(list(advice.lines), shares, in_words(whole))
            )

        self._app.in_background("advice", "estimating the training", work)

    def expected(self, weights: Mapping[str, float]) -> list[Share]:
        """What an epoch would show of each chosen account with these weights."""
        from core.runs.settings import settings_for
        from core.runs.shares import planned_shares

        curation = self._app.state.curation
        if curation is None or not self.plan.base:
            return []
        settings = settings_for(self.plan.preset, self.plan.base)
        return planned_shares(curation.stats, settings, weights)

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Other weights for the chosen accounts; those of the others stay."""
        others = {
            handle: weight
            for handle, weight in self.plan.weights.items()
            if handle not in self._app.state.chosen
        }
        self.change("weights", others | dict(weights))

    def start(self) -> None:
        """Start a run on the chosen accounts with the recipe as it stands."""
        app = self._app
        state = app.state
        if state.bench is None or state.recipe is None:
            app.notify("Press 1, then a or d, to bring some in.", title="There are no tweets yet")
            return
        if state.live_run is not None:
            app.notify(
                "Two at once would both be slow. x stops the one that runs.",
                title=f"{state.live_run.run} is still going",
                severity="warning",
            )
            return
        bench, recipe, plan, home = state.bench, state.recipe, self.plan, state.home
        base, preset, minutes, seed = plan.base, plan.preset, plan.minutes, plan.seed
        handles = bench.handles
        weights = plan.weights_of(handles)

        def work() -> None:
            from core.runs.settings import settings_for
            from core.workflow import start_training

            settings = settings_for(preset, base, minutes=float(minutes), seed=int(seed))
            run = start_training(home, handles, recipe, settings, weights=weights)
            app.post_message(messages.RunStarted(run.id))

        app.notify("Freezing the dataset, then the trainer starts.", title="Starting a run")
        app.in_background("start", "starting the run", work)

    def resume(self, summary: RunSummary) -> None:
        """Take a run that ended early up again at its last checkpoint."""

        def work() -> None:
            from core.runs.folder import find_run
            from core.runs.launch import resume_run

            run = resume_run(find_run(self._app.state.home, summary.run))
            self._app.post_message(messages.RunStarted(run.id))

        self._app.in_background("start", "resuming the run", work)

    def stop(self, summary: RunSummary) -> None:
        """Ask the trainer to save and leave; bounded, in the background."""

        def work() -> None:
            from core.runs.folder import find_run
            from core.runs.launch import stop_run

            stop_run(find_run(self._app.state.home, summary.run))

        self._app.notify("It saves its model first.", title=f"Stopping {summary.run}")
        self._app.in_background("stop", "stopping the run", work)
