"""Completion of SQL: the names that fit the letters before the cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.query.tokens import Token, keywords, tokens

if TYPE_CHECKING:
    from core.query.catalogue import Catalogue, TableEntry

FEWEST_LETTERS: Final = 2
_MOST: Final = 50
# Keywords that stand before functions: what a query is made of, and what people write most.
_CLAUSES: Final = frozenset({"SELECT", "FROM", "WHERE", "GROUP", "ORDER", "BY", "HAVING", "LIMIT",
                             "JOIN", "LEFT", "USING", "ON", "AS", "AND", "OR", "NOT", "DISTINCT",
                             "UNION", "WITH", "CASE", "WHEN", "THEN", "ELSE", "END", "DESC",
                             "BETWEEN", "QUALIFY"})  # fmt: skip
# Whose columns are offered before a query has named a table.
_USUAL: Final = "tweets"
# after these words a table is meant
_TABLES_FOLLOW: Final = frozenset({"FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "SUMMARIZE",
                                   "UPDATE", "PIVOT", "UNPIVOT"})  # fmt: skip


@dataclass(frozen=True)
class Completion:
    """``text`` takes the place of what was typed; ``kind`` is column, table, view, function or
    keyword; ``note`` says more in a few words."""

    text: str
    kind: str
    note: str = ""


@dataclass(frozen=True)
class Completions:
    """The choices, best first, for the characters from ``start`` up to the cursor."""

    start: int
    choices: tuple[Completion, ...] = ()


def complete(catalogue: Catalogue, sql: str, cursor: int) -> Completions:
    """The names that go on from what stands before ``cursor``; nothing inside text or comments.

    Two letters are needed, or a dot behind a table's name or alias. Names that begin with the
    letters come before those with a later part that does; among them first the columns of the
    tables that the query names (behind FROM and the like: the tables), then tables, the words of
    clauses, functions and other keywords, and last, where no table is named yet, the columns of
    ``tweets``. What is already whole is not offered.
    """
    found = tokens(sql)
    here = next((t for t in found if t.start < cursor <= t.end), None)
    nothing = Completions(cursor)
    if here is not None and here.kind in ("comment", "string", "quoted", "number"):
        return nothing
    word = here if here is not None and here.kind != "sign" else None
    start = word.start if word is not None else cursor
    typed = sql[start:cursor]
    before = [t for t in found if t.end <= start and t.kind != "comment"]
    dotted = bool(before) and before[-1].text == "." and before[-1].end == start
    if dotted:
        table = _meant(catalogue, found, before[-2]) if len(before) > 1 else None
        offered = _columns(table, first=True) if table is not None else iter(())
    elif len(typed) < FEWEST_LETTERS:
        return nothing
    else:
        wants_table = bool(before) and before[-1].upper in _TABLES_FOLLOW
        offered = _everything(
            catalogue, found, wants_table=wants_table, small=typed.islower(), within=bool(before)
        )
    ranked = sorted(
        (
            (_rank(choice.text, typed), order, choice)
            for order, choice in _numbered(offered)
            if _rank(choice.text, typed) is not None
        ),
        key=lambda item: (item[0], item[1]),
    )
    choices: list[Completion] = []
    seen: set[str] = set()
    for _, _, choice in ranked:
        if choice.text.lower() not in seen:
            seen.add(choice.text.lower())
            choices.append(choice)
    if any(choice.text.lower() == typed.lower() for choice in choices):
        return nothing  # it is complete: enter and tab keep their usual meaning
    return Completions(start, tuple(choices[:_MOST]))


def _named(catalogue: Catalogue, found: Sequence[Token]) -> list[TableEntry]:
    """The tables that a query names anywhere, each once."""
    tables: list[TableEntry] = []
    for token in found:
        if token.kind in ("name", "quoted"):
            table = catalogue.table(token.text.strip('"'))
            if table is not None and table not in tables:
                tables.append(table)
    return tables


def _meant(catalogue: Catalogue, found: Sequence[Token], name: Token) -> TableEntry | None:
    """The table called ``name``, or the one that has it as an alias (``tweets AS t``)."""
    table = catalogue.table(name.text.strip('"'))
    if table is not None:
        return table
    names = [t for t in found if t.kind != "comment"]
    for index, token in enumerate(names[1:], 1):
        if token.kind not in ("name", "quoted") or token.upper != name.upper:
            continue
        back = names[index - 1]
        if back.upper == "AS" and index > 1:
            back = names[index - 2]
        table = catalogue.table(back.text.strip('"')) if back.kind in ("name", "quoted") else None
        if table is not None:
            return table
    return None


def _everything(
    catalogue: Catalogue, found: Sequence[Token], *, wants_table: bool, small: bool, within: bool
) -> Iterator[Completion]:
    tables = [
        Completion(
            in_sql(table.name),
            "view" if table.is_view else "table",
            f"{len(table.columns)} columns",
        )
        for table in catalogue.tables
    ]
    if wants_table:
        yield from tables
        yield from _functions(catalogue)
        return
    named = _named(catalogue, found)
    for table in named:
        yield from _columns(table)
    yield from tables
    clauses = [word for word in catalogue.keywords if word.upper() in _CLAUSES]
    for keyword in clauses:
        yield Completion(keyword.lower() if small else keyword, "keyword")
    yield from _functions(catalogue)
    for keyword in catalogue.keywords:
        if keyword not in clauses:
            yield Completion(keyword.lower() if small else keyword, "keyword")
    usual = catalogue.table(_USUAL)
    if usual is not None and not named and within:
        yield from _columns(usual)


def _functions(catalogue: Catalogue) -> Iterator[Completion]:
    for function in catalogue.functions:
        yield Completion(function.name, "function", function.help or ", ".join(function.parameters))


def _columns(table: TableEntry, *, first: bool = False) -> Iterator[Completion]:
    for name, kind in table.columns:
        yield Completion(in_sql(name), "column", kind if first else f"{table.name} · {kind}")


def in_sql(name: str) -> str:
    """A name as a query can hold it."""
    is_word = name.replace("_", "a").isalnum() and not name[:1].isdigit()
    return (
        name if is_word and name.upper() not in keywords() else '"' + name.replace('"', '""') + '"'
    )


def _numbered(offered: Iterator[Completion]) -> Iterator[tuple[tuple[int, int], Completion]]:
    """With each choice which group it is of and where it stood."""
    groups: dict[str, int] = {}
    for index, choice in enumerate(offered):
        kind = "table" if choice.kind == "view" else choice.kind
        if kind == "keyword" and choice.text.upper() in _CLAUSES:
            kind = "clause"
        yield (groups.setdefault(kind, len(groups)), index), choice


def _rank(name: str, typed: str) -> int | None:
    """0 when the name begins with what was typed, 1 when a part of it does, None when none."""
    name, typed = name.lower().strip('"'), typed.lower()
    if name.startswith(typed):
        return 0
    return 1 if len(typed) > 2 and f"_{typed}" in name else None
