"""How the code is laid out: no circles of imports, no crowded folder, no overlong file."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_FILES = 20
MOST_LINES = 400
AT_THE_ROOT_OF_TUI = {
    "__init__", "__main__", "actions", "app", "clipboard", "external_editor", "handlers", "help",
    "job", "keymap", "notices", "palette", "section", "state", "themes",
}  # fmt: skip


def modules() -> dict[str, Path]:
    """Every module of core and tui by its dotted name."""
    found = {}
    for path in [*(ROOT / "core").rglob("*.py"), *(ROOT / "tui").rglob("*.py")]:
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of ours that a file imports anywhere, inside functions and for types too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return found & known.keys()


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules that reach each other (Tarjan 1972, strongly connected components)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in arrows[module]:
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            part = {stack.pop()}
            while module not in part:
                part.add(stack.pop())
            if len(part) > 1:
                found.append(part)

    for module in arrows:
        if module not in number:
            visit(module)
    return found


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "b"}}) == [{"b", "c"}]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_no_circle_of_imports() -> None:
    known = modules()
    arrows = {name: imports_of(path, known) - {name} for name, path in known.items()}
    assert sum(map(len, arrows.values())) > 500
    assert circles(arrows) == []


def test_folders_and_files_can_be_held_in_the_head() -> None:
    paths = modules().values()
    folders = Counter(path.parent.relative_to(ROOT).as_posix() for path in paths)
    assert {folder: n for folder, n in folders.items() if n > MOST_FILES} == {}
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in paths
    }
    assert {file: n for file, n in lines.items() if n > MOST_LINES} == {}


def test_nothing_lies_loose_at_the_root_of_tui() -> None:
    loose = {path.stem for path in (ROOT / "tui").glob("*.py")}
    assert loose <= AT_THE_ROOT_OF_TUI


def test_packages_export_nothing() -> None:
    """A name has one address: the module that defines it."""
    for name, path in modules().items():
        if path.name == "__init__.py" and name != "core":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert len(body) == 1, name
            assert isinstance(body[0], ast.Expr), name
