"""The corpus desk: reading accounts and tweets, counting what is kept, bringing files in."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import MynahError
from tui import messages

if TYPE_CHECKING:
    from core.corpus import ImportProgress
    from tui.app import MynahApp


class CorpusDesk:
    """Everything here returns at once; what was found arrives as messages to the app."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._cancel_import = threading.Event()
        self.recipe_name = "standard"

    def load_accounts(self) -> None:
        def work() -> None:
            from core.corpus import Corpus, accounts
            from core.curation import load_recipe

            if self._app.state.recipe is None:
                home = self._app.state.home
                try:
                    recipe = load_recipe(self.recipe_name, home)
                except MynahError:
                    recipe = load_recipe("standard", home)
                self._app.post_message(messages.RecipeLoaded(recipe))
            self._app.post_message(
                messages.AccountsLoaded(accounts(Corpus(self._app.state.home.corpus)))
            )

        self._app.in_background("accounts", "reading the corpus", work)

    def load_bench(self) -> None:
        """Read the chosen accounts' tweets, then curate them."""
        chosen = list(self._app.state.chosen)
        home = self._app.state.home

        def work() -> None:
            from textual.worker import get_current_worker

            from core.workbench import Workbench

            worker = get_current_worker()
            bench = Workbench(home, chosen)
            if not worker.is_cancelled:  # else the choice has changed, and a newer one is read
                self._app.post_message(messages.BenchLoaded(bench))

        if chosen:
            self._app.in_background("bench", "reading the tweets", work)

    def curate(self) -> None:
        """Count again under the recipe as it stands; the newest request wins.

        Counts are shown as soon as they are known; tokens, which take longer, follow.
        """
        bench, recipe = self._app.state.bench, self._app.state.recipe
        if bench is None or recipe is None:
            return

        def work() -> None:
            from textual.worker import get_current_worker

            from core.models import token_counter

            worker = get_current_worker()
            curation = bench.curate(recipe)
            if worker.is_cancelled:  # a slow answer must not replace a newer one
                return
            self._app.post_message(messages.Curated(curation))
            counter = token_counter(None)
            if counter is not None and not worker.is_cancelled:
                curation = bench.curate(recipe, counter)
                if not worker.is_cancelled:
                    self._app.post_message(messages.Curated(curation))

        self._app.in_background("curate", "counting what is kept", work)

    def import_paths(
        self, paths: list[Path], *, handle: str | None = None, samples: bool = False
    ) -> None:
        """Bring files into the corpus, with progress; Esc in Data stops it."""
        if self._app.state.importing:
            self._app.notify("An import is running.", title="One at a time", severity="warning")
            return
        self._cancel_import.clear()
        self._app.state.importing = True
        home = self._app.state.home

        def work() -> None:
            from core.workflow import import_paths

            def report(moved: ImportProgress) -> None:
                self._app.post_message(messages.ImportMoved(moved))

            error: MynahError | None = None
            results: list[Any] = []
            try:
                results = import_paths(
                    home,
                    paths,
                    handle=handle,
                    progress=report,
                    cancelled=self._cancel_import.is_set,
                )
            except MynahError as refused:
                error = refused
            self._app.post_message(messages.ImportEnded(results, error, samples))

        self._app.import_moved.publish(None)
        self._app.in_background("import", "importing", work)

    def stop_import(self) -> bool:
        """True when there was an import to stop."""
        if not self._app.state.importing:
            return False
        self._cancel_import.set()
        return True
