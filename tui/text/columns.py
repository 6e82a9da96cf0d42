"""What a column can be: open this for how a role is called, and for what is read as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from core.sources.preview import TableColumn

NAMELESS: Final = "(no name)"


class Role(NamedTuple):
    """A role of ``columns.GUESSES``, how it is called, and what its column should hold."""

    name: str
    label: str
    help: str


# Those that are asked for most often stand first.
ROLES: Final = (
    Role("text", "text", "What the tweet says. Without it nothing can be brought in."),
    Role("author", "author", "Whose tweet it is: the name of the account, such as nasa or @nasa."),
    Role("created", "date", "When it was written: a day, or a day and a time."),
    Role("tweet_id", "id", "The tweet's number. JSON needs it; elsewhere mynah can do without."),
    Role("retweet", "retweet", "Whether somebody else wrote it: true or false, yes or no, 1 or 0."),
    Role("lang", "language", "The language that X took it for, such as en."),
    Role("favourites", "likes", "How often it was liked: a number."),
    Role("reposts", "reposts", "How often it was passed on: a number."),
    Role("reply_name", "answers whom", "The name of the account that it answers, if it does."),
    Role("reply_user", "answers account", "The number of the account that it answers."),
    Role("reply_id", "answers tweet", "The id of the tweet that it answers."),
    Role("quoted_id", "quotes tweet", "The id of the tweet that it quotes."),
    Role("conversation_id", "conversation", "The id of the first tweet of its conversation."),
    Role("alt_text", "picture text", "What its pictures show, in words."),
    Role("sensitive", "sensitive", "Whether it is marked as sensitive: true or false."),
    Role(
        "kind", "kind", "original, reply, quote, retweet or manual_retweet; wins over the others."
    ),
    Role("deleted", "deleted", "Whether it was deleted; such tweets are left out."),
)
_LABELS: Final = {role.name: role.label for role in ROLES}


def mapping_in_words(mapping: Mapping[str, str]) -> str:
    """``text: body, date: when``, in the order of ROLES."""
    return ", ".join(
        f"{role.label}: {mapping[role.name] or NAMELESS}" for role in ROLES if role.name in mapping
    )


def meant(columns: Sequence[TableColumn], mapping: Mapping[str, str]) -> dict[str, TableColumn]:
    """Which column is read as which role: what was mapped, else what is guessed of the others."""
    taken = set(mapping.values())
    by_name = {column.name: column for column in columns}
    found = {one.role: one for one in columns if one.role and one.name not in taken}
    return found | {role: by_name[name] for role, name in mapping.items() if name in by_name}


def mapped(mapping: Mapping[str, str], role: str, column: str | None) -> dict[str, str]:
    """``mapping`` with another column for ``role``, or none: a column has one role."""
    others = {one: name for one, name in mapping.items() if one != role and name != column}
    return others if column is None else {**others, role: column}


def lost_role(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """A sentence on the role whose column went to another one; empty where there is none."""
    for role, column in before.items():
        if role not in after and column in after.values():
            name = column or NAMELESS
            return f"{name} is no longer read as {_LABELS[role]}: a column has one role."
    return ""
