"""Saving the recipe under a name that a person types."""

from __future__ import annotations

from typing import Any

from textual.app import App

from core.curation.recipe import Recipe, save_recipe
from core.errors import MynahError
from tui.dialogs.ask import Ask
from tui.dialogs.replacing import unless_there
from tui.section.screen import Mynah


def save_under_a_name(app: App[Any], mynah: Mynah, recipe: Recipe) -> None:
    """Asks for the name, and again where it will not do; another recipe is replaced after a yes."""
    home = mynah.state.home

    def named(name: str | None) -> None:
        if name:
            others = [] if name == recipe.name else [home.recipes / f"{name}.toml"]
            unless_there(app, others, lambda: save(name))

    def save(name: str) -> None:
        try:
            saved = save_recipe(recipe, home, name=name)
        except MynahError as error:
            mynah.show_error(error)
            ask(name)
            return
        mynah.change_recipe(saved, saved=True)
        app.notify(f"--recipe {saved.name} uses it on the command line.", title="Saved")

    def ask(suggested: str) -> None:
        app.push_screen(Ask("Save this recipe as", suggested), named)

    ask(recipe.name)
