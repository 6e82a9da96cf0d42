"""What is copied of a query's result, and how it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.query.result import QueryResult

COPIED_VALUES = 10_000  # of a column: more than that no clipboard is for


def copied(result: QueryResult, what: str, row: int, column: int) -> tuple[str, str]:
    """The text of a cell, a row or a column, and a sentence that says which."""
    name = result.frame.columns[column]
    if what == "cell":
        return result.value(row, column), f"{name}, row {row + 1:,}."
    if what == "row":
        return result.row_text(row), f"Row {row + 1:,}, with tabs between its cells."
    said = "all values."
    if len(result) > COPIED_VALUES:
        said = f"the first {COPIED_VALUES:,} of {len(result):,} values."
    return result.column_text(column, COPIED_VALUES), f"{name}: {said}"
