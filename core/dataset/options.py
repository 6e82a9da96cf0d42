"""What can be asked of an export, and which wishes do not go together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import WrongUsage

Format = Literal["txt", "jsonl", "csv", "parquet", "hf", "chat", "instruct"]
What = Literal["kept", "all"]
Purpose = Literal["export", "training"]
FORMATS: Final[tuple[Format, ...]] = ("txt", "jsonl", "csv", "parquet", "hf", "chat", "instruct")
# Formats that hold the words alone: no place to say which tweets were kept.
WORDS_ONLY: Final = ("txt", "chat", "instruct")
# Formats in which somebody asks and the tweet is the answer.
CONVERSATIONS: Final = ("chat", "instruct")
SUFFIXES: Final[dict[Format, str]] = {
    "txt": ".txt",
    "jsonl": ".jsonl",
    "csv": ".csv",
    "parquet": ".parquet",
    "hf": "",
    "chat": ".chat.jsonl",
    "instruct": ".instruct.jsonl",
}
MOST_HELD_OUT: Final = 0.5
HF_SPLIT: Final = 0.1
SYSTEM: Final = "You write in the voice of @{handle}."
INSTRUCTION: Final = "Write a tweet in the style of @{handle}."


@dataclass(frozen=True)
class ExportOptions:
    """How tweets become files.

    what         kept, or all: then with the text as published, and why a tweet was dropped
    split        holds out that share (0 to 0.5): out.csv becomes out.train.csv and out.valid.csv.
                 A folder for Hugging Face (hf) has a train and a validation split, of HF_SPLIT
                 where none is given; 0 makes it train alone
    weights      makes of the (train) rows one epoch with these shares: rows repeat, accounts
                 interleave; without weights, rows stand by handle and time
    seed         decides split and order
    spreadsheet_safe   csv: an apostrophe before cells that begin with = + - @, a tab or a carriage
                 return, so that no spreadsheet runs them (OWASP, "CSV Injection")
    system, instruction   chat and instruct: the words before each tweet; ``{handle}`` stands for
                 its author. An empty ``system`` leaves that turn out. A reply has the words that it
                 answers instead of the instruction, where the corpus has them
    purpose      training: the frozen dataset of a run. Its rows stand once each, whatever the
                 weights: the run draws each epoch by them
    """

    format: Format
    what: What = "kept"
    split: float | None = None
    seed: int = 0
    weights: Mapping[str, float] | None = None
    spreadsheet_safe: bool = True
    system: str = SYSTEM
    instruction: str = INSTRUCTION
    purpose: Purpose = "export"

    @property
    def repeats(self) -> bool:
        """Whether the rows are one epoch of a blend, in which some come more than once."""
        return bool(self.weights) and self.purpose == "export"

    def checked(self, handles: list[str]) -> ExportOptions:
        """The same with the defaults that depend on one another filled in.

        Raises WrongUsage for wishes that do not go together, and for weights of nobody.
        """
        if self.format not in FORMATS:
            raise WrongUsage(
                f"{self.format!r} is not a format.", f"There are: {', '.join(FORMATS)}."
            )
        if self.what not in ("kept", "all"):
            raise WrongUsage(f"{self.what!r} cannot be exported.", "It is either kept or all.")
        if self.what == "all" and self.format in WORDS_ONLY:
            raise WrongUsage(
                f"{self.format} cannot hold all tweets.",
                "It has no place to say which were kept.",
                "Choose jsonl, csv, parquet or hf.",
            )
        if self.what == "all" and (self.split or self.weights):
            raise WrongUsage(
                "All tweets cannot be split or weighted.",
                "Both make a training set of the kept ones.",
            )
        if self.split is not None and not 0 <= self.split <= MOST_HELD_OUT:
            raise WrongUsage(
                f"{self.split:g} cannot be held out.", f"A share is from 0 to {MOST_HELD_OUT:g}."
            )
        weights = check_weights(self.weights, handles)
        split = self.split
        if self.format == "hf":
            held_out = HF_SPLIT if split is None and self.what == "kept" else split
            split = held_out or None
        return dataclasses.replace(
            self,
            split=split,
            weights=weights or None,
            spreadsheet_safe=self.spreadsheet_safe and self.format == "csv",
        )

    def to_json(self) -> dict[str, Any]:
        """What a manifest says of them: only what this format heeds."""
        found: dict[str, Any] = {
            "format": self.format,
            "what": self.what,
            "split": self.split,
            "seed": self.seed,
            "weights": dict(self.weights or {}),
            "spreadsheet_safe": self.spreadsheet_safe,
        }
        if self.format == "chat":
            found["system"] = self.system
        if self.format in CONVERSATIONS:
            found["instruction"] = self.instruction
        if self.purpose != "export":
            found["purpose"] = self.purpose
        return found


def check_weights(weights: Mapping[str, float] | None, handles: list[str]) -> dict[str, float]:
    """Weights by handle in a normal form; raises WrongUsage for unknown handles and zeros."""
    for handle, weight in (weights or {}).items():
        if handle not in handles:
            known = ", ".join(f"@{known}" for known in handles)
            raise WrongUsage(
                f"There is a weight for @{handle}, who is not in this dataset.",
                f"It holds: {known}.",
            )
        if not 0 < weight < float("inf"):
            raise WrongUsage(
                f"The weight of @{handle} is {weight:g}.",
                "A weight is a number above 0.",
                "Leave the account out instead of giving it no weight." if weight == 0 else "",
            )
    return {handle: float(weight) for handle, weight in sorted((weights or {}).items())}


def heeded(format_: Format, what: What) -> frozenset[str]:
    """Which options mean something to such an export, by their names."""
    names = set() if format_ in WORDS_ONLY else {"what"}
    if not names or what == "kept":
        names |= {"split", "seed", "weights"}
    if format_ == "csv":
        names.add("spreadsheet_safe")
    if format_ in CONVERSATIONS:
        names.add("instruction")
    if format_ == "chat":
        names.add("system")
    return frozenset(names)


def format_of(out: Path) -> Format:
    """What the name of an export says about its format; raises WrongUsage when it says nothing."""
    name = out.name.lower()
    found = [one for one in FORMATS if SUFFIXES[one] and name.endswith(SUFFIXES[one])]
    if not found:
        raise WrongUsage(
            f"The name {out} does not say which format is meant.",
            "",
            "Let it end in .jsonl, .csv, .parquet or .txt, or add --format.",
        )
    return max(found, key=lambda one: len(SUFFIXES[one]))


def suggested_name(handles: Sequence[str], format_: Format) -> str:
    """A name for the file (or folder) of these accounts' tweets."""
    named = "-".join(sorted(handles)[:3]) + ("-and-more" if len(handles) > 3 else "")
    return (named[:80] or "tweets") + SUFFIXES[format_]
