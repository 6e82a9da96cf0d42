"""Textual's style sheets with a memory: open this when a style in a test is not as in the app.

Textual looks through its rules again for each widget at each change of focus, size or section, and
again for each of the widget's component classes: a quarter of the time of a test. What comes out
depends on the rules and on the nodes from the app to the widget alone, and is mostly what came out
before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from textual.app import App
from textual.css.model import RuleSet
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.widget import Widget

Way = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Rules:
    """The rules that may hold for a node with certain names, and which pseudo-classes they name."""

    rules: tuple[RuleSet, ...]
    pseudo_classes: frozenset[str]

    @property
    def memorable(self) -> bool:
        """Whether what comes out depends on the way to the node alone."""
        return self.pseudo_classes <= _OF_THE_WAY


# what ``_way`` holds; the others ask for the children of a node or the place among its siblings
_OF_THE_WAY = frozenset(
    "ansi blur can-focus dark disabled enabled focus hover inline light nocolor".split()
)

_apply = Stylesheet.apply
_replace_rules = Stylesheet.replace_rules
_update_nodes = Stylesheet.update_nodes
_process_component_classes = Stylesheet._process_component_classes

# by the whole list of rules of a sheet, then by the names that a node has
_by_names: dict[int, tuple[list[RuleSet], dict[frozenset[str], Rules]]] = {}
_by_rules: dict[tuple[RuleSet, ...], Rules] = {}
_known: dict[tuple[Rules, Way], RulesMap] = {}
# what was applied last, and how often the node's styles had been changed by then
_applied: WeakKeyDictionary[DOMNode, tuple[RulesMap, int]] = WeakKeyDictionary()
_ways: dict[DOMNode, Way] | None = None
_components: WeakKeyDictionary[DOMNode, tuple[list[RuleSet], Way]] = WeakKeyDictionary()


def remember_styles(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RuleSet, "__hash__", object.__hash__)  # the same, without a call to Python
    patch.setattr(Stylesheet, "apply", _apply_known)
    patch.setattr(Stylesheet, "replace_rules", staticmethod(_replace_others))
    patch.setattr(Stylesheet, "update_nodes", _update_at_once)
    patch.setattr(Stylesheet, "_process_component_classes", _process_others)


def styles_as_textual(patch: pytest.MonkeyPatch) -> None:
    """Without the memory."""
    patch.setattr(Stylesheet, "apply", _apply)
    patch.setattr(Stylesheet, "replace_rules", _replace_rules)
    patch.setattr(Stylesheet, "update_nodes", _update_nodes)
    patch.setattr(Stylesheet, "_process_component_classes", _process_component_classes)


def _rules_for(sheet: Stylesheet, node: DOMNode) -> Rules:
    rules = sheet.rules
    of_sheet = _by_names.get(id(rules))
    if of_sheet is None:
        of_sheet = _by_names[id(rules)] = (rules, {})  # kept, so that the number stays its own
    names = frozenset(node._selector_names)
    found = of_sheet[1].get(names)
    if found is None:
        own = {rule for name in sheet.rules_map.keys() & names for rule in sheet.rules_map[name]}
        key = tuple(rule for rule in reversed(rules) if rule in own)
        found = _by_rules.get(key)
        if found is None:
            pseudo_classes = frozenset[str]().union(*(rule.pseudo_classes for rule in key))
            found = _by_rules[key] = Rules(key, pseudo_classes)
        of_sheet[1][names] = found
    return found


def _way(node: DOMNode) -> Way:
    """All that a selector can ask of a node and of those around it."""
    if _ways is not None and (known := _ways.get(node)) is not None:
        return known
    parent = node._parent
    way: Way = (
        () if parent is None else _way(parent),
        type(node),
        node._id,
        frozenset(node._classes),
    )
    if isinstance(node, Widget):
        way += (node.mouse_hover, node.has_focus, node.disabled, node.allow_focus())
    elif isinstance(node, App):
        way += (node.app_focus, node.theme, node.native_ansi_color, node.is_inline, node.no_color)
    if _ways is not None:
        _ways[node] = way
    return way


def _apply_known(
    sheet: Stylesheet,
    node: DOMNode,
    *,
    animate: bool = False,
    cache: dict[Any, RulesMap] | None = None,
) -> None:
    rules = _rules_for(sheet, node)
    if not rules.memorable:
        _apply(sheet, node, animate=animate, cache=cache)
        return
    key = (rules, _way(node))
    known = _known.get(key)
    virtual = type(node) is DOMNode  # made for a component class, and new
    if known is None:
        _applied.pop(node, None)
        _apply(sheet, node, animate=animate, cache=cache)
        applied, _ = _applied.get(node, ({}, 0))
        _known[key] = node._css_styles._rules.copy() if virtual else applied
        return
    if virtual:
        node._css_styles.merge_rules(known)
        return
    node._has_hover_style = "hover" in rules.pseudo_classes
    node._has_focus_within = node._has_order_style = node._has_odd_or_even = False
    if known:
        _replace_others(node, known, animate)
    sheet._process_component_classes(node)


def _replace_others(node: DOMNode, rules: RulesMap, animate: bool = False) -> None:
    before = _applied.get(node)
    if before is not None and before[0] is rules and before[1] == node._css_styles._updates:
        node.notify_style_update()
    else:
        _replace_rules(node, rules, animate)
        _applied[node] = (rules, node._css_styles._updates)


def _update_at_once(sheet: Stylesheet, nodes: Iterable[DOMNode], animate: bool = False) -> None:
    """Nothing else happens meanwhile."""
    global _ways
    _ways = {}
    try:
        _update_nodes(sheet, nodes, animate)
    finally:
        _ways = None


def _process_others(sheet: Stylesheet, node: DOMNode) -> None:
    if not node._get_component_classes():
        return
    state = (sheet.rules, _way(node))
    before = _components.get(node)
    if before is not None and before[0] is state[0] and before[1] == state[1]:
        return
    _process_component_classes(sheet, node)
    if all(_rules_for(sheet, styles.node).memorable for styles in node._component_styles.values()):
        _components[node] = state
