"""The profiling desk: what the chosen tweets are like, counted in the background."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.errors import Interrupted, MynahError
from tui import messages

if TYPE_CHECKING:
    from core.curation.recipe import Recipe
    from tui.app import MynahApp


class ProfilingDesk:
    """One profile at a time; progress and result arrive as ProfileMoved and ProfileMade."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._stop = threading.Event()

    def run(self, handles: Sequence[str], recipe: Recipe) -> None:
        self._stop.set()  # an older one, if it still counts
        stop = self._stop = threading.Event()
        home = self._app.state.home

        def work() -> None:
            from core.curation.profile import profile

            try:
                found = profile(
                    home,
                    handles,
                    recipe,
                    progress=lambda judged: self._moved(judged),
                    cancelled=stop.is_set,
                )
            except Interrupted:
                return
            except MynahError as error:
                self._app.post_message(messages.ProfileMade([], error))
                return
            self._app.post_message(messages.ProfileMade(found, None))

        self._app.in_background("profile", "looking at the tweets", work)

    def stop(self) -> None:
        self._stop.set()

    def _moved(self, judged: int) -> None:
        self._app.post_message(messages.ProfileMoved(judged))
