"""The faults that can be planted in a module, and the list of those that nothing can notice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = (
    "core/curation", "core/dataset", "core/fetching", "core/runs", "core/training",
    "core/sampling", "core/report",
)  # fmt: skip
# One fault of a kind is enough for a place: what a test notices of `<` as `>` it notices of others.
# Left out are those that nothing can notice (`==` as `is`), and decorators, most of which cache.
OPERATORS: Final = (
    "AddNot", "ExceptionReplacer", "NumberReplacer", "ReplaceAndWithOr", "ReplaceOrWithAnd",
    "ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div", "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul", "ReplaceBinaryOperator_Mod_Mul",
    "ReplaceBinaryOperator_BitAnd_BitOr", "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ReplaceFalseWithTrue",
    "ReplaceTrueWithFalse", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_USub_UAdd",
    "ZeroIterationForLoop",
)  # fmt: skip
# A file for each room: a reason on a line of its own, below it the module, below that, indented,
# each line as the fault leaves it.
LISTED: Final = Path(__file__).with_name("unnoticed")


@dataclass(frozen=True)
class Mutant:
    module: str
    operator: str
    occurrence: int
    line: int
    end: int

    @property
    def name(self) -> str:
        return f"{self.module}:{self.operator}:{self.occurrence}"


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every fault that the operators can plant in it, but in annotations and names of types."""
    from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import,unused-ignore]
    from cosmic_ray.plugins import get_operator  # type: ignore[import,unused-ignore]

    source = (ROOT / module).read_text(encoding="utf-8")
    idle, lines = _idle(ast.parse(source)), source.splitlines()
    tree = get_ast(source)
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        places = (place for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(places):
            # the star of `*, key=` and of `*values` is no product
            star = "_Mul_" in name and not lines[start[0] - 1][start[1] + 1 :].startswith(" ")
            # Cosmic Ray cannot exchange an exception with a dot in its name
            dotted = name == "ExceptionReplacer" and not (
                start[0] == end[0] and lines[start[0] - 1][start[1] : end[1]].isidentifier()
            )
            if not (star or dotted) and not any(
                first <= start and end <= last for first, last in idle
            ):
                yield Mutant(module, name, occurrence, start[0], end[0])


def _idle(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where no fault matters: annotations, and what only a type checker reads."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns:
            found.append(node.returns)
        elif isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation:
            found.append(node.annotation)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found.append(node)
        elif isinstance(node, ast.Assert):
            found.append(node)  # said to the type checker
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found += node.decorator_list  # a frozen dataclass that is not
        if isinstance(node, ast.ClassDef):  # nor a frozen struct
            found += [one for one in node.keywords if one.arg in ("frozen", "kw_only")]
    return [
        ((at.lineno, at.col_offset), (at.end_lineno, at.end_col_offset))  # type: ignore[attr-defined]
        for at in found
    ]


def planted(mutant: Mutant) -> str:
    """The module's text with the fault in it."""
    from cosmic_ray.mutating import mutate_code  # type: ignore[import,unused-ignore]
    from cosmic_ray.plugins import get_operator  # type: ignore[import,unused-ignore]

    operator = get_operator(f"core/{mutant.operator}")()
    source = (ROOT / mutant.module).read_text(encoding="utf-8")
    changed: str = mutate_code(source, operator, mutant.occurrence)
    return changed


def changed_line(mutant: Mutant, text: str) -> str:
    """The first line of ``text``, the module with the fault, that the fault changed."""
    sound = (ROOT / mutant.module).read_text(encoding="utf-8").splitlines()
    for before, after in zip(sound, text.splitlines(), strict=False):
        if before != after:
            return after.strip()
    return ""


@cache
def _listed() -> dict[tuple[str, str], str]:
    """Reasons by module and changed line."""
    found: dict[tuple[str, str], str] = {}
    for file in sorted(LISTED.glob("*.txt")):
        reason = module = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("core/"):
                module = line.strip()
            elif line.startswith("    "):
                found[module, line.strip()] = reason
            elif line.strip():
                reason = line.strip()
    return found


def why_unnoticed(mutant: Mutant, changed: str) -> str | None:
    """Why no test can or should notice it, by the lists in LISTED; None where it is not listed."""
    return _listed().get((mutant.module, changed))


def listed_in_vain() -> list[str]:
    """Entries of LISTED that no operator makes of today's code."""
    of_module: dict[str, set[str]] = {}
    for module, line in _listed():
        of_module.setdefault(module, set()).add(line)
    gone = []
    for module, listed in of_module.items():
        made = _made_near(module, listed) if (ROOT / module).exists() else set()
        gone += [f"{module}: {line}" for line in sorted(listed - made)]
    return gone


def _made_near(module: str, listed: set[str]) -> set[str]:
    """What faults make of the lines that are most like those listed: all of them take long."""
    lines = [line.strip() for line in (ROOT / module).read_text(encoding="utf-8").splitlines()]
    near = {close for line in listed for close in get_close_matches(line, set(lines), n=3)}
    near |= {line for line in lines if any(line[:12] == one[:12] for one in listed)}
    near |= {"break", "continue"}
    return {
        changed_line(mutant, planted(mutant))
        for mutant in mutants_of(module)
        if near.intersection(lines[mutant.line - 1 : mutant.end])
    }
