"""Going from the recipe as it stands to another one: the next, the one that was saved, or one to
compare it with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.geometry import Region

from core.errors import MynahError
from tui.actions import with_keys
from tui.dialogs.decide import Decide
from tui.section.screen import Mynah
from tui.state import State
from tui.widgets.choice_field import Choice, ChoiceMenu

if TYPE_CHECKING:
    from core.home import Home


def go_to_next(app: App[Any], mynah: Mynah, leave: Callable[[], None]) -> None:
    """Through the recipes that ship and the person's own, after a yes where changes that are not
    saved would be lost. ``leave`` is called before another one is there.
    """
    recipe = mynah.state.recipe
    if recipe is None:
        return
    name = recipe.name
    if not recipe.changed:
        _go_on(mynah, name, leave)
        return

    def answered(answer: str | None) -> None:
        if answer is not None:
            _go_on(mynah, name, leave)

    unsaved = with_keys("They are not saved. {filter.save} saves them.", mynah.state.keymap)
    question = f"Leave {name} with its changes?"
    app.push_screen(Decide(question, unsaved, {"y": "drops them"}), answered)


def _go_on(mynah: Mynah, after: str, leave: Callable[[], None]) -> None:
    """What cannot be read is told, and passed over."""
    from core.curation.recipe import load_recipe, recipe_names

    home = mynah.state.home
    names = recipe_names(home)
    here = names.index(after) if after in names else -1
    for name in (*names[here + 1 :], *names[: here + 1]):
        try:
            recipe = load_recipe(name, home)
        except MynahError as error:
            mynah.show_error(error)
        else:
            leave()
            mynah.change_recipe(recipe, saved=True)
            break


def take_back(app: App[Any], mynah: Mynah, leave: Callable[[], None]) -> None:
    """To the rules as they were saved; after a yes where more than one of them is another now.

    ``leave`` is called before they are there.
    """
    from core.curation.recipe import differing_rules
    from core.curation.rules import rule_fields

    recipe, saved = mynah.state.recipe, mynah.state.saved_recipe
    if recipe is None or saved is None:
        return
    changed = differing_rules(recipe, saved)

    def answered(answer: str | None) -> None:
        if answer is not None:
            leave()
            mynah.change_recipe(saved)

    if len(changed) < 2:
        answered("y")
        return
    titles = [rule.title for rule in rule_fields() if rule.key in changed]
    rules = f"They are again as {saved.name} has them: {', '.join(titles)}."
    app.push_screen(
        Decide(f"Take back {len(changed)} changes?", rules, {"y": "takes them back"}), answered
    )


def ask_what_to_compare_with(
    app: App[Any], state: State, beside: Region, chosen: Callable[[str], None]
) -> None:
    """A menu at ``beside`` of all recipes but the one as it stands."""
    from core.curation.recipe import recipe_names

    recipe = state.recipe
    if recipe is None:
        return
    choices = [
        Choice(
            name,
            f"{name}, as saved" if name == recipe.name else name,
            _first_words(name, state.home),
        )
        for name in recipe_names(state.home)
        if name != recipe.name or recipe.changed
    ]

    def answered(index: int | None) -> None:
        if index is not None:
            chosen(str(choices[index].value))

    app.push_screen(ChoiceMenu(choices, None, beside, title="Compare with"), answered)


def _first_words(name: str, home: Home) -> str:
    """What a recipe is for, in one line."""
    from core.curation.recipe import load_recipe

    try:
        about = load_recipe(name, home).about
    except MynahError:  # a file that somebody has broken; choosing it says how
        about = "▲ cannot be read"
    return " ".join(about.split())
