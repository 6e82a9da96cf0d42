"""How DuckDB would run a query, or how it ran it: as its own drawing, or step by step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.corpus.store import Corpus
from core.errors import InputRefused, WrongUsage
from core.query.run import QueryOptions, locked_connection
from core.query.statements import query_kind
from core.query.tokens import statement
from core.query.watching import Watch, watched

if TYPE_CHECKING:
    from core.home import Home

# What is no step of the query: it hands over the rows, or is the EXPLAIN itself.
_NO_STEP: Final = frozenset({"RESULT_COLLECTOR", "EXPLAIN_ANALYZE", "QUERY"})
_ESTIMATE: Final = "Estimated Cardinality"
# A projection of columns by number, or packed for the step after it, computes nothing; one of a
# bare name may be an expression with an alias.
_PASSED_ON: Final = re.compile(r"(__internal_\w+\()?#\d+\)?|__internal_\w+\(\w+\)")
# Facts that say what the name of the step says.
_SAID: Final = frozenset({_ESTIMATE, "Type"})


@dataclass(frozen=True)
class PlanStep:
    """One operator of a plan.

    name        DuckDB's: ``TABLE_SCAN``, ``HASH_JOIN``
    facts       what it does, as DuckDB words it, by name: ``Filters``, ``Order By``
    rows        that come out of it; an estimate where the query did not run, None where unknown
    seconds     that it took, of all threads together; None where the query did not run
    reads       the places in the list of the steps whose rows it takes
    """

    name: str
    facts: Mapping[str, str]
    rows: int | None
    seconds: float | None
    reads: tuple[int, ...]


def explain(
    corpus: Corpus,
    home: Home,
    sql: str,
    *,
    analyse: bool = False,
    options: QueryOptions | None = None,
) -> str:
    """How DuckDB would run a query; with ``analyse`` it runs it and says how long each part took.

    Lines of a drawing in plain text, for a screen of fixed-width letters. Errors as `run_query`.
    """
    return _explained(corpus, home, sql, "EXPLAIN ANALYZE" if analyse else "EXPLAIN", options)


def plan_steps(
    corpus: Corpus,
    home: Home,
    sql: str,
    *,
    analyse: bool = False,
    options: QueryOptions | None = None,
) -> list[PlanStep]:
    """What `explain` draws, as steps in an order in which each comes after those that it reads.

    Steps that only hand columns on are left out.

    Errors as `run_query`, and InputRefused for a plan of some hundred steps within each other.
    """
    how = "ANALYZE, FORMAT json" if analyse else "FORMAT json"
    text = _explained(corpus, home, sql, f"EXPLAIN ({how})", options)
    steps: list[PlanStep] = []
    try:
        drawn = json.loads(text)
        for root in drawn if isinstance(drawn, list) else [drawn]:
            _add(root, steps, ran=analyse)
    except RecursionError:
        raise InputRefused(
            "The plan of this query has too many steps, one within the other.",
            "",
            "Explain a part of it.",
        ) from None
    return steps


def _explained(corpus: Corpus, home: Home, sql: str, how: str, options: QueryOptions | None) -> str:
    if query_kind(sql) == "EXPLAIN":
        raise WrongUsage("This is an EXPLAIN already.", "", "Run it as it is.")
    options = options or QueryOptions()
    watch = Watch(options.cancelled, options.seconds)
    with (
        locked_connection(corpus, home, sql, options) as connection,
        watched(connection, watch, sql, len(how) + 1),
    ):
        found = connection.execute(f"{how} {statement(sql)}").fetchall()
    return "\n".join(str(row[-1]).rstrip("\n") for row in found)


def _add(node: Mapping[str, Any], steps: list[PlanStep], *, ran: bool) -> list[int]:
    """Appends the steps of a part of a plan; returns the places of those that end it.

    DuckDB 2 has a plan that ran below ``operator`` and calls its parts ``type``, ``timing`` and
    ``intermediate_rows``; DuckDB 1 has ``operator_name``, ``operator_timing`` and
    ``operator_cardinality``. What did not run has a ``name`` in both.
    """
    below = [place for part in _parts(node) for place in _add(part, steps, ran=ran)]
    name = (_first(node, "name", "operator_name", "type", "operator_type") or "QUERY").strip()
    found = node.get("extra_info") or {}
    if name in _NO_STEP or (name == "PROJECTION" and _is_idle(found)):
        return below
    rows = (
        _first(node, "intermediate_rows", "operator_cardinality") if ran else found.get(_ESTIMATE)
    )
    seconds = _first(node, "timing", "operator_timing") if ran else None
    steps.append(
        PlanStep(
            name,
            {key: ", ".join(_values(value)) for key, value in found.items() if key not in _SAID},
            None if rows is None else int(rows),
            None if seconds is None else float(seconds),
            tuple(below),
        )
    )
    return [len(steps) - 1]


def _is_idle(found: Mapping[str, Any]) -> bool:
    return all(_PASSED_ON.fullmatch(one) for one in _values(found.get("Projections") or []))


def _values(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _parts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("operator", "children"):
        below = node.get(key)
        if isinstance(below, Sequence) and not isinstance(below, str):
            yield from below


def _first(node: Mapping[str, Any], *keys: str) -> Any:
    return next((node[key] for key in keys if node.get(key) is not None), None)
