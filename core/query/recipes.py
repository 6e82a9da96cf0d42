"""Which recipes a query asks the stored verdicts for, and which of those they do not have.

Verdicts of every recipe would have to be made anew with every import; so only two are stored, and
a query cannot make others: it may not write, and to judge all tweets takes too long to be unasked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.curation.recipe import recipe_names
from core.curation.stored_verdicts import DEFAULT_RECIPES
from core.query.tokens import words

if TYPE_CHECKING:
    from core.home import Home

_VERDICTS: Final = ("curated", "account_stats", "verdicts")


def lacking_verdicts(home: Home, sql: str) -> str | None:
    """A sentence where a query names a recipe whose verdicts are not in the corpus, or None."""
    found = words(sql)
    named = {token.text.strip('"').lower() for token in found if token.kind in ("name", "quoted")}
    if named.isdisjoint(_VERDICTS):
        return None
    texts = {token.text.strip("'") for token in found if token.kind == "string"}
    others = [name for name in recipe_names(home) if name in texts - {*DEFAULT_RECIPES}]
    if not others:
        return None
    return (
        f"SQL has the verdicts of {' and '.join(DEFAULT_RECIPES)} alone, none of "
        f"{' or '.join(others)}. `mynah curate @HANDLE --recipe {others[0]} -o DIR` writes them."
    )
