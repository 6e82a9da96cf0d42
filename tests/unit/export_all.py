"""Writes five saved recipes and three blends, each in two formats; a process of its own.

    python -m tests.unit.export_all HOME OUT

Prints nothing; what it writes is compared with what another one wrote.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

from core.curation.recipe import Recipe, load_recipe, save_recipe
from core.dataset.options import FORMATS, ExportOptions
from core.dataset.write import export_tweets
from core.home import Home

HANDLES = ["keeper_of_the_light", "orbit_grandmother", "second_breakfast_club"]
RECIPES: dict[str, dict[str, Any]] = {
    "as-standard": {},
    "wordy": {"min_words": 8, "drop_duplicates": False},
    "own-words": {"drop_replies": True, "drop_quotes": True, "mentions": "drop"},
    "all-lines": {"line_breaks": "keep", "links": "keep", "min_words": 0},
    "as-classic": {"engine": "classic", "unescape": "seed", "mentions": "keep"},
}
BLENDS: tuple[dict[str, float], ...] = (
    dict.fromkeys(HANDLES, 1.0),
    {HANDLES[0]: 3.0, HANDLES[2]: 0.5},
    {HANDLES[1]: 10.0},
)


def save_recipes(home: Home) -> None:
    for name, rules in RECIPES.items():
        save_recipe(Recipe(name).replace(**rules), home)


def main(home: Home, out: Path) -> None:
    rows: list[tuple[str, str, dict[str, float] | None]] = [(name, name, None) for name in RECIPES]
    rows += [(f"blend{at}", "as-standard", weights) for at, weights in enumerate(BLENDS)]
    for at, (name, recipe, weights) in enumerate(rows):
        for format_ in (FORMATS[at % len(FORMATS)], FORMATS[(at + 3) % len(FORMATS)]):
            options = ExportOptions(cast(Any, format_), split=0.1, seed=7, weights=weights)
            place = out / f"{name}.{format_}"
            export_tweets(home, HANDLES, load_recipe(recipe, home), place, options)


if __name__ == "__main__":
    main(Home.at(sys.argv[1]), Path(sys.argv[2]))
