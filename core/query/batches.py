"""A query's rows as frames, a slice at a time: so that they can be counted, bounded and stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from core.corpus.reading import frame
from core.query.tokens import statement, words
from core.query.watching import Watch, watched

if TYPE_CHECKING:
    import duckdb
    import polars as pl

# Types that cross to Polars as they are. Any other column arrives as text.
_PLAIN_TYPES: Final = (
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT "
    "FLOAT DOUBLE VARCHAR UUID JSON DATE TIME TIMESTAMP"
).split()
_IN_LISTS: Final = frozenset(_PLAIN_TYPES) - {"UUID", "JSON", "DATE", "TIME", "TIMESTAMP"}
_BOUNDED: Final = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
# Whole numbers of up to 128 bits, as sums of them are: they would be shown as decimals.
_WIDE: Final = re.compile(r"HUGEINT|DECIMAL\(\d+,0\)")
_SLICE: Final = 122_880  # rows, one row group of DuckDB's
# a database of its own, in memory, so that the query does not see its own result among the tables
RESULTS: Final = "ATTACH ':memory:' AS mynah"
_RESULT: Final = "mynah.main.result"


def batches(
    connection: duckdb.DuckDBPyConnection, sql: str, kind: str, limit: int | None, watch: Watch
) -> tuple[list[str], Iterator[pl.DataFrame]]:
    """The names of the columns, and frames with the rows in order; at least one frame.

    The columns of a frame are called 1, 2, 3 …, because a query may give two the same name. At most
    ``limit`` rows come. The query is finished before the first frame comes: DuckDB holds the rows
    meanwhile, in a database that the connection must have (`RESULTS`), and puts on disk what its
    memory limit does not hold.
    """
    body = statement(sql)
    if kind != "SELECT" or words(sql)[0].upper == "SHOW":
        # plans, pivots and lists of tables: they cannot stand in brackets, and are small
        with watched(connection, watch, sql):
            relation = connection.sql(body)
            names = list(relation.columns)
            if limit is not None:
                relation = relation.limit(limit)
            types = [str(kind) for kind in relation.types]
            found = _narrowed(frame(relation.project(_projection(types))))
            del relation
        return names, iter([found])
    names, types = _columns(connection, body, watch)
    spelled = ", ".join(f'"{number}"' for number in range(1, len(names) + 1))
    into = f"CREATE TABLE {_RESULT}({spelled}) AS FROM (\n"
    bound = f" LIMIT {limit:d}" if limit is not None else ""
    with watched(connection, watch, sql, len(into.encode())):
        ((rows,),) = connection.execute(f"{into}{body}\n){bound}").fetchall()
        for number, name in enumerate(types, 1):
            if _WIDE.fullmatch(name) and _fits(connection, number):
                types[number - 1] = "BIGINT"
    return names, _slices(connection, _projection(types), int(rows), sql, watch)


def _columns(
    connection: duckdb.DuckDBPyConnection, body: str, watch: Watch
) -> tuple[list[str], list[str]]:
    import duckdb

    with watched(connection, watch, body):
        try:
            relation = connection.sql(body)
        except duckdb.Error:
            # once more, because only a statement that is executed says where its mistake is
            before = len(b"EXPLAIN ")
            with watched(connection, watch, body, before):
                connection.execute(f"EXPLAIN {body}").fetchall()
            raise
        return list(relation.columns), [str(kind) for kind in relation.types]


def _fits(connection: duckdb.DuckDBPyConnection, number: int) -> bool:
    asked = f'SELECT bool_and(TRY_CAST("{number}" AS BIGINT) IS NOT NULL OR "{number}" IS NULL)'
    return connection.execute(f"{asked} FROM {_RESULT}").fetchall()[0][0] is not False


def _narrowed(found: pl.DataFrame) -> pl.DataFrame:
    """The same for rows that are in no table."""
    import polars as pl

    for name, kind in found.schema.items():
        if isinstance(kind, pl.Decimal) and kind.scale == 0:
            narrow = found[name].cast(pl.Int64, strict=False)
            if narrow.null_count() == found[name].null_count():
                found = found.with_columns(narrow)
    return found


def _slices(
    connection: duckdb.DuckDBPyConnection, projection: str, rows: int, sql: str, watch: Watch
) -> Iterator[pl.DataFrame]:
    for start in range(0, max(rows, 1), _SLICE):
        watch.check()
        asked = (
            f"SELECT {projection} FROM {_RESULT} "  # noqa: S608 - positions and numbers
            f"WHERE rowid >= {start:d} AND rowid < {start + _SLICE:d}"
        )
        with watched(connection, watch, ""):
            found = frame(connection.sql(asked))
        yield found


def _projection(types: list[str]) -> str:
    # positions, not names: a query may give two columns the same name
    return ", ".join(
        f'{_crossing(f"#{number}", kind)} AS "{number}"' for number, kind in enumerate(types, 1)
    )


def _crossing(column: str, kind: str) -> str:
    """An SQL expression for a column that Polars can take."""
    if kind in _BOUNDED:
        # infinity, and years that Python has no date for, are shown as no date
        return (
            f"CASE WHEN {column} BETWEEN '0001-01-01'::{kind} AND '9999-12-31'::{kind} "
            f"THEN {column} END"
        )
    inner = re.sub(r"\[\d*\]$", "", kind)
    if kind == "BIGINT":
        return f"{column}::BIGINT"
    if kind in _PLAIN_TYPES or kind.startswith("DECIMAL(") or inner in _IN_LISTS:
        return column
    if re.fullmatch(r"MAP\(VARCHAR, (BIGINT|INTEGER|DOUBLE|VARCHAR)\)", kind):
        return f"to_json({column})::VARCHAR"
    return f"{column}::VARCHAR"
