"""``--map``: which column is which, said by the person."""

from __future__ import annotations

from typing import Final

from core.errors import WrongUsage

# What a person calls a role in --map; the first of each is the one that is shown.
MAP_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "tweet_id": ("id", "tweet_id"),
    "text": ("text",),
    "created": ("date", "created", "created_at"),
    "author": ("author", "handle"),
    "retweet": ("retweet", "is_retweet"),
    "lang": ("lang", "language"),
    "reply_name": ("reply_to",),
    "reply_id": ("reply_to_id",),
    "sensitive": ("sensitive",),
    "favourites": ("favourites", "favorites", "likes"),
    "reposts": ("reposts", "retweets"),
    "kind": ("kind",),
    "deleted": ("deleted",),
}


def read_map(given: str) -> dict[str, str]:
    """``"text=body,date=when"`` as role → column; raises WrongUsage for anything else."""
    roles = {name: role for role, names in MAP_NAMES.items() for name in names}
    mapping: dict[str, str] = {}
    for part in given.split(","):
        name, equals, column = part.partition("=")
        role = roles.get(name.strip().lower())
        if not equals or not column.strip() or role is None:
            raise WrongUsage(
                f"--map does not understand {part.strip()!r}.",
                f"There are: {', '.join(names[0] for names in MAP_NAMES.values())}.",
                "For example: --map text=body,date=when",
            )
        mapping[role] = column.strip()
    return mapping
