"""Reading the corpus: the recipe, the accounts, and the tweets of those that are chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.errors import CorpusBusy, MynahError
from tui.job import Attempt, Failed, Host, Job, Report

if TYPE_CHECKING:
    from core.corpus.reading import AccountRow
    from core.curation.recipe import Recipe
    from core.workbench.bench import Workbench

# Seconds to wait for another program to let go of the corpus, in one try. Short, because whoever
# leaves the app waits for it; the app tries again.
LOCK_WAIT: Final = 0.5


@dataclass
class RecipeLoaded(Report):
    """``changed`` is the same one with the changes that were not saved when the app was left."""

    recipe: Recipe
    changed: Recipe


@dataclass
class AccountsLoaded(Report):
    accounts: list[AccountRow]


@dataclass
class BenchLoaded(Report):
    bench: Workbench


@dataclass
class CorpusHeld(Report):
    """Another program holds the corpus."""

    error: CorpusBusy


class CorpusReader:
    """Reports RecipeLoaded, AccountsLoaded, BenchLoaded, and CorpusHeld; the newest start wins."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.recipe_name = "standard"
        self._accounts = Job(host, "reading the corpus", newest_wins=True)
        self.tweets_job = Job(host, "reading the tweets", newest_wins=True)

    def accounts(self) -> None:
        """Who is in the corpus; the first time also the recipe."""
        state = self._host.state

        def work(attempt: Attempt) -> Report:
            from core.corpus.reading import accounts
            from core.corpus.store import Corpus
            from core.curation.recipe import load_recipe

            if state.recipe is None:
                try:
                    recipe = load_recipe(self.recipe_name, state.home)
                except MynahError:
                    recipe = load_recipe("standard", state.home)
                attempt.report(RecipeLoaded(recipe, state.recipe_kept(recipe)))
            return AccountsLoaded(accounts(Corpus(state.home.corpus, LOCK_WAIT)))

        self._accounts.start(work, self._failed(self._accounts))

    def tweets(self) -> None:
        """The tweets of the chosen accounts."""
        chosen, home = list(self._host.state.chosen), self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.workbench.bench import Workbench

            return BenchLoaded(
                Workbench(home, chosen, progress=attempt.count, cancelled=attempt.cancelled)
            )

        if chosen:
            self.tweets_job.start(work, self._failed(self.tweets_job))
        else:
            self.tweets_job.stop()

    @staticmethod
    def _failed(job: Job) -> Callable[[MynahError], Report | None]:
        def failed(error: MynahError) -> Report:
            if isinstance(error, CorpusBusy):
                return CorpusHeld(error)
            return Failed(job.doing, error)

        return failed
