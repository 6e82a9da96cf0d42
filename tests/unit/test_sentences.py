"""Every sentence that a person can meet is collected from the source and read here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ERRORS = {
    "CorpusBusy", "InputRefused", "Interrupted", "MynahError", "QueryRefused", "ServiceRefused",
    "WrongUsage",
}  # fmt: skip
# What a message may begin with in lower case: a command, a file, a key as the footer shows it.
LOWER = re.compile(
    r"(config\.json|torchrun|ctrl\+c|esc|mynah:|stopping|huggingtweets|[a-z]) |stopping[:…]"
)
ENDED = re.compile(r"([.?!:…}`]|[.?!][\"”)])$")
ODD = (
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


def sentences() -> Iterator[tuple[str, str, int, str]]:
    """Where it stands, whose argument it is, which one, and the sentence."""
    for folder in ("core", "tui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ERRORS or name in ("notify", "narrate"):
                    for number, argument in enumerate(node.args[:3]):
                        if sentence := words(argument):
                            where = f"{path.relative_to(ROOT)}:{node.lineno}"
                            yield where, name, number, sentence


def test_there_are_many() -> None:
    assert len(list(sentences())) > 500


def test_what_happened_and_why_are_whole_sentences() -> None:
    wrong = [
        (where, sentence)
        for where, name, number, sentence in sentences()
        if name in ERRORS and number < 2 and not ENDED.search(sentence)
    ]
    assert wrong == []


def test_each_begins_as_a_sentence_does() -> None:
    wrong = [
        (where, sentence)
        for where, _, number, sentence in sentences()
        if number == 0 and sentence[0].islower() and not LOWER.match(sentence)
    ]
    assert wrong == []


def test_none_is_a_riddle_that_was_met_before() -> None:
    wrong = [
        (where, sentence)
        for where, _, _, sentence in sentences()
        if any(odd in sentence.strip() for odd in ODD)
    ]
    assert wrong == []
