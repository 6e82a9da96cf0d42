"""The action registry: one place for keys, and nothing in it that does not exist."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from textual.binding import Binding

from tui.actions import ACTIONS, SECTIONS, Action, bindings, footer_actions, of_section
from tui.app import MynahApp


def owner(action: Action) -> Any:
    """The class whose ``action_…`` runs it."""
    if action.section == "app" or action.name.startswith("app."):
        return MynahApp
    module = import_module(f"tui.{action.section}.screen")
    return getattr(module, f"{action.section.capitalize()}Section")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_exists_and_explains_itself(action: Action) -> None:
    name = action.name.split("(")[0].removeprefix("app.")
    assert callable(getattr(owner(action), f"action_{name}", None)), f"no action_{name}"
    assert action.section in ("app", *SECTIONS)
    assert action.label
    assert len(action.label) <= 16
    assert action.help.endswith("."), "a sentence"
    assert action.keys
    assert action.twin == "" or action.twin.startswith("mynah ")


def test_ids_are_unique() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("section", SECTIONS)
def test_a_key_means_one_thing_in_a_section(section: str) -> None:
    keys = [key for action in of_section(section) for key in action.keys.split(",")]
    assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_footer_holds_at_most_seven(section: str) -> None:
    shown = footer_actions(section)
    assert 3 <= len(shown) <= 7
    assert [action.id for action in shown][-2:] == ["app.help", "app.commands"]


@pytest.mark.parametrize("section", ["app", *SECTIONS])
def test_bindings_carry_id_and_tooltip(section: str) -> None:
    made = bindings(section)
    assert len(made) == sum(action.section == section for action in ACTIONS)
    for binding in made:
        assert isinstance(binding, Binding)
        assert binding.id
        assert binding.tooltip


@pytest.mark.parametrize(
    ("keys", "shown"),
    [("slash", "/"), ("ctrl+p", "^p"), ("escape", "esc"), ("f5,ctrl+r", "f5"), ("a", "a")],
)
def test_keys_are_written_as_people_read_them(keys: str, shown: str) -> None:
    assert Action("data.x", keys, "x", "X", "X.").key == shown


def test_sections_have_their_numbers() -> None:
    numbers = {a.keys: a.name for a in ACTIONS if a.keys in "12345"}
    assert list(numbers.values()) == [f"section('{name}')" for name in SECTIONS]
