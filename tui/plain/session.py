"""What one sitting in the plain mode knows: the home, the chosen accounts, the recipe, the runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from core.errors import InputRefused, MynahError
from core.files import there_already
from core.home import Home
from tui.cli.long_work import Stopped, stoppable
from tui.plain.console import Console
from tui.state import State

if TYPE_CHECKING:
    from core.corpus.store import Corpus
    from core.curation.counts import CountTokens
    from core.curation.recipe import Recipe
    from core.runs.summary import RunSummary
    from core.sampling.client import Sampler
    from core.sampling.voices import Point, Voice
    from core.workbench.bench import Curation, Workbench

T = TypeVar("T")
Tell = Callable[[str], None]

# Work that takes longer says how far it is, first after so many seconds and then every so many.
_FIRST_WORD: Final = 3.0
_EVERY: Final = 10.0
_LOOK: Final = 0.1  # seconds between two looks whether a model is loaded


class Session:
    """The same state as the app's, and remembered in the same place."""

    def __init__(self, home: Home, console: Console) -> None:
        self.home, self.console = home, console
        self.state = State(home)
        self._recipe_name = self.state.recall()
        self._counter: CountTokens | None = None
        self._seen: tuple[object, ...] = ()  # the corpus and the accounts that the bench is of
        self._samplers: dict[tuple[Path, Point], Sampler] = {}

    @property
    def corpus(self) -> Corpus:
        from core.corpus.store import Corpus

        return Corpus(self.home.corpus)

    # ── accounts ─────────────────────────────────────────────────────────────────────────

    def counts(self) -> dict[str, int]:
        """How many tweets each account has; those that are chosen and gone are chosen no more."""
        from core.corpus.reading import tweet_counts

        found = tweet_counts(self.corpus) if self.home.corpus.exists() else {}
        self.state.chosen = [one for one in self.state.chosen if one in found] or list(found)
        return found

    def chosen(self) -> list[str]:
        """The accounts to work with; raises InputRefused when there are no tweets."""
        if not self.counts():
            raise InputRefused(
                "There are no tweets yet.", "", "Choose Data, then Add tweets, to bring some in."
            )
        return list(self.state.chosen)

    # ── tweets and what the recipe makes of them ─────────────────────────────────────────

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands, changes included."""
        if self.state.recipe is None:
            from core.curation.recipe import load_recipe

            try:
                found = load_recipe(self._recipe_name, self.home)
            except MynahError:
                found = load_recipe("standard", self.home)
            self.state.recipe = self.state.saved_recipe = found
        return self.state.recipe

    def bench(self) -> Workbench:
        """The tweets of the chosen accounts, read again when they or the corpus have changed."""
        chosen = self.chosen()
        there = self.home.corpus.stat()
        seen = (chosen, there.st_mtime_ns, there.st_size)
        if self.state.bench is None or seen != self._seen:
            from core.workbench.bench import Workbench

            self.state.bench = self.work(
                lambda tell, stopped: Workbench(
                    self.home,
                    chosen,
                    progress=lambda done, total: tell(f"Read {done:,} of {total:,} tweets."),
                    cancelled=stopped,
                )
            )
            self._seen, self.state.curation, self.state.before = seen, None, None
        return self.state.bench

    def curation(self) -> Curation:
        """What the recipe as it stands keeps of these tweets, and how many tokens that is."""
        from core.models.tokens import token_counter
        from core.workbench.tokens import TOKENS_COUNTED

        bench, recipe = self.bench(), self.recipe
        if self.state.curation is not None and self.state.curation.recipe == recipe:
            return self.state.curation
        if self._counter is None:
            self._counter = token_counter(None)

        def count(tell: Tell, stopped: Stopped) -> Curation:
            def moved(done: int, total: int) -> None:
                tell(f"Judged {done:,} of {total:,} tweets.")

            found = bench.curate(recipe, progress=moved, cancelled=stopped)
            if self._counter is None:
                return found
            return bench.with_tokens(
                found, self._counter, at_most=TOKENS_COUNTED, cancelled=stopped
            )

        self.state.before, self.state.curation = self.state.curation, self.work(count)
        return self.state.curation

    # ── runs ─────────────────────────────────────────────────────────────────────────────

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first."""
        if not self.home.runs.is_dir():
            self.state.runs = []
        else:
            from core.runs.summary import list_runs

            self.state.runs = list_runs(self.home)
        return self.state.runs

    def sampler(self, voice: Voice) -> Sampler:
        """The process that holds the model of ``voice``; two at most, until the person leaves."""
        # a base is one folder for many runs, and copies are looked for in the tweets of each
        of = voice.run.folder, voice.point
        found = self._samplers.get(of)
        if found is None:
            if len(self._samplers) > 1:
                self.close()
            found = self._samplers[of] = voice.sampler()
        return found

    def load(self, sampler: Sampler, tell: Tell, stopped: Stopped) -> None:
        """Returns when the model is loaded, or cannot be, which whoever asks it then hears."""
        sampler.start()
        while sampler.ready is None and sampler.pid is not None and not stopped():
            tell("The model is loading.")
            time.sleep(_LOOK)

    def close(self) -> None:
        """Ends the processes that sample."""
        while self._samplers:
            self._samplers.popitem()[1].close()

    # ── files ────────────────────────────────────────────────────────────────────────────

    def may_write(self, paths: Iterable[Path]) -> bool:
        """Whether none of these is there, or the person wants them replaced."""
        found = there_already(paths)
        if not found:
            return True
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        if self.console.yes(f"{found[0]} is there already{more}. Replace it?"):
            return True
        self.console.say("Nothing was written.")
        return False

    # ── work that takes long ─────────────────────────────────────────────────────────────

    def work(
        self,
        do: Callable[[Tell, Stopped], T],
        ask_to_stop: Callable[[], None] = lambda: None,
    ) -> T:
        """What ``do`` returns or raises. It gets what tells how far it is, of which only a sentence
        now and then is said, and whether ctrl+c was pressed; then ``ask_to_stop`` is called, too.
        """
        stop = threading.Event()
        due = time.monotonic() + _FIRST_WORD

        def tell(sentence: str) -> None:
            nonlocal due
            if time.monotonic() >= due and not stop.is_set():
                due = time.monotonic() + _EVERY
                self.console.say(f"{sentence} ctrl+c stops.")

        def stop_it() -> None:
            stop.set()
            ask_to_stop()

        return stoppable(lambda: do(tell, stop.is_set), stop_it, self.console.say)
