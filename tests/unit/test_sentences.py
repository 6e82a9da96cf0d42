"""Every sentence that a person can meet is collected from the source and read here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ERRORS = {
    "CorpusBusy", "InputRefused", "Interrupted", "MynahError", "QueryRefused", "ServiceRefused",
    "WrongUsage",
}  # fmt: skip
# Their first argument is read: lists of the plain mode, questions, what a panel says.
SAYS = {"say", "Item", "Decide", "Ask", "set_empty", "explain"}
KEYWORDS = {"empty", "help", "status", "title", "about", "label"}
TABLES = {"REASON_WORDS", "REASON_TITLES", "STATE_WORDS"}
# What a message may begin with in lower case: a command, a file, a key as the footer shows it.
LOWER = re.compile(
    r"(config\.(json|toml)|torchrun|ctrl\+c|esc|enter|f5|mynah:?|stopping|huggingtweets|[a-z]) "
    r"|stopping[:…]"
)
ENDED = re.compile(r"([.?!:…}`]|[.?!][\"”)])$")
ODD = (
    "stand in ",
    "stands in ",
    " still.",
    "they still",
    "no more.",
    " has it back",
    "can be had back",
    "Nobody could",
    "do not hold",
    "come to its end",
    "of it:",
    "It is empty",
    "to be rid of",
    "not a query but",
    "not paid for again:",
    "Choose or leave",
    "left out: i in",
    "Blocks of",
    " ,",
    " .\n",
)


def words(node: ast.expr) -> str | None:
    """A literal, with {} where something is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return None


def either(node: ast.expr) -> Iterator[str]:
    """Each of the texts that an expression may give."""
    if isinstance(node, ast.IfExp):
        yield from (*either(node.body), *either(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from either(value)
    elif text := words(node):
        yield text


def of_call(node: ast.Call, name: str) -> Iterator[tuple[str, int, ast.expr]]:
    """Whose argument, which one, and the argument."""
    if name in ERRORS or name in ("notify", "narrate"):
        yield from ((name, number, one) for number, one in enumerate(node.args[:3]))
    elif name in SAYS:
        yield from ((name, number, one) for number, one in enumerate(node.args[:1]))
    elif name == "Action":
        yield from zip(("label", "help"), (0, 0), node.args[3:5], strict=True)
    for keyword in node.keywords:
        if keyword.arg in KEYWORDS:
            yield keyword.arg, 0, keyword.value


@cache
def sentences() -> tuple[tuple[str, str, int, str], ...]:
    """Where it stands, whose argument it is, which one, and the sentence."""
    return tuple(_sentences())


def _sentences() -> Iterator[tuple[str, str, int, str]]:
    for folder in ("core", "tui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    for whose, number, argument in of_call(node, name):
                        yield from ((where, whose, number, text) for text in either(argument))
                elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") in TABLES:
                    assert isinstance(node.value, ast.Dict)
                    for value in node.value.values:
                        yield from ((where, "table", 0, text) for text in either(value))
                elif isinstance(node, ast.FunctionDef) and is_command(node):
                    yield where, "command", 0, ast.get_docstring(node) or ""


def is_command(node: ast.FunctionDef) -> bool:
    """Whether its docstring is the help of a command."""
    return any("command(" in ast.unparse(one) or "group(" in ast.unparse(one)
               for one in node.decorator_list)  # fmt: skip


def test_there_are_many() -> None:
    assert len(sentences()) > 1_100
    kinds = {name for _, name, _, _ in sentences()}
    assert kinds >= {*SAYS - {"explain"}, *KEYWORDS, "table", "command", "InputRefused", "notify"}


def test_what_happened_and_why_are_whole_sentences() -> None:
    wrong = [
        (where, sentence)
        for where, name, number, sentence in sentences()
        if name in ERRORS and number < 2 and not ENDED.search(sentence)
    ]
    assert wrong == []


def test_what_is_said_and_explained_is_a_whole_sentence() -> None:
    wrong = [
        (where, sentence)
        for where, name, _, sentence in sentences()
        if name in ("say", "help", "empty", "set_empty", "explain", "command", "about")
        and not ENDED.search(sentence.split("[default")[0].strip() or ".")
    ]
    assert wrong == []


def test_each_begins_as_a_sentence_does() -> None:
    wrong = [
        (where, sentence)
        for where, name, number, sentence in sentences()
        if number == 0
        and name not in ("table", "status", "label")
        and not (name == "help" and "/cli/" in where)  # it may begin with a value of the option
        and sentence[0].islower()
        and not LOWER.match(sentence)
    ]
    assert wrong == []


def test_none_is_a_riddle_that_was_met_before() -> None:
    wrong = [
        (where, sentence)
        for where, _, _, sentence in sentences()
        if any(odd in sentence.strip() for odd in ODD)
    ]
    assert wrong == []
