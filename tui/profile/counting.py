"""Counting the profile of the chosen tweets in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.curation.profile import Profile
    from core.curation.recipe import Recipe
    from core.errors import MynahError


@dataclass
class ProfileMoved(Report):
    """How many tweets were judged so far; a newer one replaces it."""

    judged: int

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ProfileMoved)


@dataclass
class ProfileMade(Report):
    profiles: list[Profile]
    error: MynahError | None


class ProfileJob(Job):
    """Reports ProfileMoved and ProfileMade; the newest start wins."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "looking at the tweets", newest_wins=True)

    def run(self, handles: Sequence[str], recipe: Recipe) -> None:
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.curation.profile import profile

            found = profile(
                home,
                handles,
                recipe,
                progress=lambda judged: attempt.report(ProfileMoved(judged)),
                cancelled=attempt.cancelled,
            )
            return ProfileMade(found, None)

        self.start(work, lambda error: ProfileMade([], error))
