"""Keys of one's own: open this for how ``keymap`` in config.toml changes what a key does.

``{"keymap": {"train.start": "f6", "data.add": "a,insert"}}`` as settings.json has it: the id of
an action, as the help screen lists them, and its keys as Textual names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.actions import ACTIONS, SECTIONS, of_section


def own_keys(settings: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Keys by the id of their action, and a sentence on each entry that cannot be used."""
    asked = settings.get("keymap")
    if asked is None:
        return {}, []
    if not isinstance(asked, Mapping):
        return {}, ["keymap is not a table of actions and keys."]
    known = {action.id for action in ACTIONS}
    keymap: dict[str, str] = {}
    refused: list[str] = []
    for name, value in asked.items():
        keys = [key.strip() for key in value.split(",")] if isinstance(value, str) else []
        if name not in known:
            refused.append(f"No action is called {name}.")
        elif not keys or not all(keys):
            refused.append(f'{name} needs keys, as in "f6" or "a,insert".')
        else:
            keymap[name] = ",".join(keys)
    while clashes := _clashes(keymap):
        for name, sentence in clashes.items():
            del keymap[name]
            refused.append(sentence)
    return keymap, refused


def _clashes(keymap: Mapping[str, str]) -> dict[str, str]:
    """For each entry whose keys mean something else too in its section, a sentence."""
    found = {}
    for section in SECTIONS:
        actions = of_section(section, keymap)
        for action in actions:
            for key in action.keys.split(","):
                meant = [other.id for other in actions if key in other.keys.split(",")]
                if action.id in keymap and len(meant) > 1:
                    found[action.id] = f"{key} would mean {' and '.join(meant)}."
    return found
