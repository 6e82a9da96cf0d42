"""The command palette: every action that can be taken now, as ``section: action``."""

from __future__ import annotations

from typing import cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from tui.actions import Action, of_section
from tui.section.screen import Mynah, Section
from tui.widgets.panel import ClosesOnce


class Palette(CommandPalette, ClosesOnce[None]):
    """Textual's own page."""


class ActionProvider(Provider):
    """Offers the actions of the section in view and of the whole app, and the system's own."""

    def _actions(self) -> list[Action]:
        app = cast("Mynah", self.app)
        actions = of_section(app.section, app.state.keymap)
        return [action for action in actions if self._possible(action)]

    def _possible(self, action: Action) -> bool:
        if action.id == "app.commands":
            return False
        name = action.name.split("(")[0]
        if action.section == "app":
            return self.app.check_action(name, ()) is True
        return isinstance(self.screen, Section) and self.screen.possible(name)

    async def _run(self, action: Action) -> None:
        target = self.app if action.section == "app" else self.screen
        await self.app.run_action(action.name, default_namespace=target)

    async def discover(self) -> Hits:
        for action in self._actions():
            yield DiscoveryHit(
                f"{action.section}: {action.label}",
                lambda action=action: self._run(action),
                help=self._help(action),
            )
        for command in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(f"app: {command.title}", command.callback, help=command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._actions():
            title = f"{action.section}: {action.label}"
            score = matcher.match(f"{title} {action.help}")
            if score:
                yield Hit(
                    score,
                    matcher.highlight(title),
                    lambda action=action: self._run(action),
                    help=self._help(action),
                )
        for command in self.app.get_system_commands(self.screen):
            title = f"app: {command.title}"
            if score := matcher.match(title):
                yield Hit(score, matcher.highlight(title), command.callback, help=command.help)

    @staticmethod
    def _help(action: Action) -> str:
        twin = f"  $ {action.twin}" if action.twin else ""
        return f"{action.help}  key {action.key}{twin}"
