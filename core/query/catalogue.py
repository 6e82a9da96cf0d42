"""What a query can name: tables and views with their columns, DuckDB's functions and keywords."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from core.corpus.store import Corpus
from core.query.run import QueryOptions, locked_connection
from core.query.run_tables import RUN_TABLES, RUN_TWEETS, run_columns
from core.query.tokens import keywords

if TYPE_CHECKING:
    from core.home import Home

# shown first, in this order; what a person made comes before mynah's own bookkeeping
_FIRST: Final = ("accounts", "tweets", "curated", "account_stats", *RUN_TABLES, RUN_TWEETS)
_LAST: Final = ("imports", "verdicts", "fetched_ranges", "schema_version")
_COLUMNS: Final = """
SELECT c.table_name, v.view_name IS NOT NULL, c.column_name, c.data_type
FROM duckdb_columns() c
LEFT JOIN (SELECT view_name FROM duckdb_views() WHERE database_name = current_database()) v
    ON v.view_name = c.table_name
WHERE NOT c.internal AND c.database_name = current_database() AND c.schema_name = 'main'
ORDER BY c.table_name, c.column_index
"""
_FUNCTIONS: Final = """
SELECT function_name, any_value(function_type), any_value(description), min(parameters)
FROM duckdb_functions()
GROUP BY function_name
"""
# functions that would need files, the network or another database, which a query never has
_REFUSED: Final = re.compile(
    r"^(_|pg_|st_|has_\w+_privilege$|read_|parquet_|sniff_|glob$|query$|query_table$|add_parquet|load_aws|.*_scan$|force_"
    r"|checkpoint|pragma_|import_|enable_|disable_|which_secret|write_log|.*secret|getenv|set_"
    r"|collate_|icu_collate_|inet_|combine_aggr|finalize$)"
)


@dataclass(frozen=True)
class TableEntry:
    """A table or view, and its columns as (name, DuckDB's type)."""

    name: str
    is_view: bool
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FunctionEntry:
    """A function; ``parameters`` are their names, ``help`` is DuckDB's own line or empty."""

    name: str
    kind: str
    parameters: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Everything that can be named in a query, each in the order in which it is shown."""

    tables: tuple[TableEntry, ...] = ()
    functions: tuple[FunctionEntry, ...] = ()
    keywords: tuple[str, ...] = field(default_factory=lambda: tuple(sorted(keywords())))

    def table(self, name: str) -> TableEntry | None:
        """The table called ``name``, in any case of letters."""
        wanted = name.lower()
        return next((table for table in self.tables if table.name.lower() == wanted), None)


def catalogue(corpus: Corpus, home: Home) -> Catalogue:
    """Asks DuckDB what there is; the columns of ``metrics`` and ``samples`` are those that occur.

    Without a corpus it holds the tables that one would have. Raises CorpusBusy.
    """
    with locked_connection(corpus, home, "", QueryOptions()) as connection:
        rows = connection.execute(_COLUMNS).fetchall()
        known = connection.execute(_FUNCTIONS).fetchall()
    columns: dict[str, list[tuple[str, str]]] = {}
    views: dict[str, bool] = {}
    for table, is_view, column, kind in rows:
        columns.setdefault(table, []).append((column, _short(kind)))
        views[table] = bool(is_view)
    for table, found in run_columns(home).items():
        columns[table] = found
        views[table] = True
    tables = [TableEntry(name, views[name], tuple(columns[name])) for name in columns]
    functions = [
        FunctionEntry(name, kind, tuple(map(str, parameters or ())), (text or "").strip())
        for name, kind, text, parameters in known
        if re.fullmatch(r"[a-z]\w*", name) and not _REFUSED.match(name)
    ]
    return Catalogue(
        tuple(sorted(tables, key=_place)),
        tuple(sorted(functions, key=lambda function: function.name)),
    )


def _place(table: TableEntry) -> tuple[int, int, str]:
    if table.name in _FIRST:
        return 0, _FIRST.index(table.name), ""
    return (2 if table.name in _LAST else 1), 0, table.name


def _short(kind: str) -> str:
    return kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
