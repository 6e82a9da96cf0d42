"""Whether a manifest agrees with itself: types, the recipe's hash, and counts that add up.

Nothing in a manifest is taken for granted: it may come from anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from core.curation.checks import check_rules
from core.curation.recipe import Recipe
from core.errors import InputRefused

_PARTS: Final = ("exported", "train", "valid")


class Refused(Exception):
    """The manifest cannot be gone by; the message is a sentence."""


def recipe_problems(recipe: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the recipe: its hash has to be that of its rules."""
    rules = table(recipe.get("rules"), "the rules of its recipe")
    told = recipe.get("hash")
    try:
        computed = Recipe("verified", **check_rules(rules, "The manifest's recipe")).hash
    except InputRefused as refused:
        yield f"{refused.what} {refused.why} A newer mynah may know it."
        return
    if told != computed:
        yield f"The recipe's hash is {said(told)}, but the rules in the manifest give {computed}."


def count_problems(
    content: dict[str, Any], files: dict[str, dict[str, Any]], frozen: bool
) -> Iterator[str]:
    """Counts that do not add up: of an account, of its rows in the files, of a file's rows."""
    handles = table(content.get("handles"), "its accounts")
    in_parts: dict[str, int] = {}
    for handle, told in handles.items():
        counts = _counts(handle, told)
        dropped = sum(counts["dropped"].values())
        parts = counts["retweets"] + counts["short"] + dropped + counts["kept"]
        if counts["downloaded"] != parts:
            yield (
                f"@{handle}: {counts['downloaded']:,} were downloaded, but retweets, short, the "
                f"other reasons and kept make {parts:,}."
            )
        own = {part: counts[part] for part in _PARTS if part in counts}
        for part, rows in own.items():
            in_parts[part] = in_parts.get(part, 0) + rows
        wanted = counts["downloaded"] if content.get("what") == "all" else counts["kept"]
        weighted = not frozen and bool(content.get("weights"))
        if not weighted and sum(own.values()) != wanted:
            yield f"@{handle}: {sum(own.values()):,} rows are in the files, but {wanted:,} count."
    in_files: dict[str, tuple[list[str], int]] = {}
    for name, told in files.items():
        named = str(told.get("part") or ("train" if name == "train.parquet" else "valid"))
        if frozen or "part" in told:
            names, rows = in_files.get(named, ([], 0))  # one part may be in several files
            in_files[named] = ([*names, name], rows + told["rows"])
    for named, (names, rows) in in_files.items():
        if in_parts.get(named, 0) != rows:
            who = f"{names[0]} has" if len(names) == 1 else f"{len(names):,} files have"
            yield (
                f"{who} {rows:,} rows by the manifest, but those of its accounts "
                f"make {in_parts.get(named, 0):,}."
            )


def _counts(handle: str, told: object) -> dict[str, Any]:
    """The counts of one account, every one a number from 0 on."""
    counts = table(told, f"what it tells of @{handle}")
    dropped = table(counts.get("dropped"), f"the dropped tweets of @{handle}")
    needed = {name: counts.get(name) for name in ("downloaded", "retweets", "short", "kept")}
    parts: dict[str, Any] = {name: counts[name] for name in _PARTS if name in counts}
    for name, number in {**needed, **parts, **dropped}.items():
        if count(number) is None:
            raise Refused(f"@{handle}: {name} is {said(number)}, which is no count.")
    return {**needed, **parts, "dropped": dropped}


def count(value: object) -> int | None:
    """A whole number from 0 on that fits 63 bits, or None for anything else."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 2**63 else None  # type: ignore[operator,return-value]


def said(value: object) -> str:
    """A value from a manifest, short enough to be shown."""
    number = count(value)
    return f"{number:,}" if number is not None else repr(value)[:40]


def table(value: object, what: str) -> dict[str, Any]:
    """``value`` when it is a table; raises Refused."""
    if not isinstance(value, dict):
        raise Refused(f"The manifest is not one of mynah's: {what} is not a table.")
    return value
