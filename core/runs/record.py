"""run.json as a typed record: the request, the process, its decisions, how the run ended."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from core.json_lines import parse_json
from core.models.answering import Answering
from core.processes import Owner
from core.runs.settings import Continued, SweepTrial, TrainSettings

T = TypeVar("T", bound=msgspec.Struct)
# W&B's own limit on a name is 128; a blend of many accounts is cut, and its hash tells it apart.
_LONGEST_NAME: Final = 100


class RecipeName(msgspec.Struct, frozen=True):
    """The recipe that a run's tweets were curated by.

    ``changed``: its rules were not those that were saved, or ship, under the name.
    """

    name: str = ""
    hash: str = ""
    changed: bool = False

    @property
    def in_words(self) -> str:
        """``noreplies`` or ``noreplies, changed``."""
        return f"{self.name}, changed" if self.changed else self.name


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """What a training process decides at its first start; one that resumes the run uses it again.

    device                  "cpu", "cuda" or "mps"; ``arithmetic`` is a torch dtype's name
    threads                 of PyTorch; None where it does not compute on the CPU
    batch_tokens            tokens a step at most, padding included
    row_tokens              the settings', or less where the base's context is shorter
    eval_tokens             held-out tokens of each measurement
    steps, steps_a_round    optimiser steps of the run, and of one pass over its batches
    processes               that share each step
    recompute               whether steps keep the input of each layer only, for want of memory
    frozen_sum              of weights of the base that do not learn (see `frozen_sum` in
                            core.training.distributed.group): what is learned belongs to these
    """

    device: str
    arithmetic: str
    threads: int | None
    batch_tokens: int
    row_tokens: int
    eval_tokens: int
    steps: int
    steps_a_round: int
    processes: int = 1
    recompute: bool = False
    frozen_sum: float | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a run ended: finished, stopped or failed, and why.

    Losses are nats a token, ``tokens`` those it learned from, ``peak_memory`` is in bytes.
    ``memorised_train`` and ``memorised_held_out``: shares of the word 4-6-grams of training and of
    held-out tweets that the model gives back. ``best_step``: the step whose weights the model has
    where those are not the last.
    """

    state: str = ""
    reason: str = ""
    steps: int | None = None
    tokens: int | None = None
    tokens_by_author: Mapping[str, float | None] = {}
    expected_shares: Mapping[str, float | None] = {}
    tokens_per_second: float | None = None
    train_loss: float | None = None
    valid_loss_before: float | None = None
    valid_loss_after: float | None = None
    valid_tokens: int | None = None
    memorised_train: float | None = None
    memorised_held_out: float | None = None
    best_step: int | None = None
    model_dir: str | None = None
    device: str | None = None
    seconds: float | None = None
    peak_memory: int | None = None


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of run.json; every one may be missing.

    ``pid_start`` and ``resumed`` are seconds since 1970, ``created`` and ``ended`` ISO in UTC;
    ``pid_since_boot`` is seconds since the machine's start, where that is known.
    ``names`` are the accounts' own, in the order that a person gave the accounts in.
    ``memory_needed`` is an estimate in bytes, from before the start.
    ``starter`` is the process that starts the run's own, until that has its ``pid``.
    ``dataset`` is the hash of the frozen tweets, ``weights`` the parts of the accounts in a blend.
    ``sweep`` is there where the run is a trial of one, ``continues`` where it began with the
    weights of another run, ``answering`` where it learns answers. ``leaked`` are ids of tweets that
    were left out, since an earlier model gave them back. ``now``: whether it does not wait for
    other runs on its device. ``name``, ``note`` and ``tags`` are a person's own.
    ``settings`` are kept as they were written, by whichever version; see ``train_settings``.
    ``other_fields`` are those that this version does not know; they are written back as they were.
    """

    id: str = ""
    handles: list[str] = []
    names: dict[str, str] = {}
    base: str = ""
    base_source: str = ""
    base_licence: str = ""
    recipe: RecipeName = RecipeName()
    dataset: str = ""
    weights: dict[str, float] = {}
    expected_shares: Mapping[str, float | None] = {}
    settings: dict[str, Any] = {}
    now: bool = False
    name: str = ""
    note: str = ""
    tags: list[str] = []
    state: str = ""
    created: str = ""
    ended: str | None = None
    resumed: float | None = None
    pid: int | None = None
    pid_start: float | None = None
    pid_since_boot: float | None = None
    memory_needed: int | None = None
    starter: Owner | None = None
    machine: str | None = None
    python: str = ""
    versions: dict[str, str | None] = {}
    decisions: Decisions | None = None
    reason: str = ""
    result: Result | None = None
    sweep: SweepTrial | None = None
    continues: Continued | None = None
    leaked: list[str] = []
    answering: Answering | None = None
    other_fields: dict[str, Any] = {}

    @property
    def base_name(self) -> str:
        """The base's name as others may read it; of a folder on this machine the last part only,
        and of a run that goes on from another the base that the first began with.
        """
        if self.continues is not None:
            return self.continues.base
        return self.base if self.base_source else Path(self.base).name or "a folder"

    @property
    def began_with(self) -> str:
        """The model whose weights the run began with: its base, or another run's model."""
        return f"run {self.continues.run}" if self.continues else self.base

    @property
    def slug(self) -> str:
        """``a-b``: the accounts by name, as huggingtweets called a model of theirs."""
        return short_name("-".join(sorted(self.handles)))

    @property
    def train_settings(self) -> TrainSettings | None:
        """The settings as this version reads them; None where they are missing or damaged."""
        if not self.settings:
            return None
        try:
            return TrainSettings.from_json({"base": self.base, **self.settings})
        except ValueError:
            return None


def short_name(name: str) -> str:
    """``name``, cut where it is too long for other services."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def read_fields(kind: type[T], content: dict[str, Any]) -> T:
    """``content`` as ``kind``; what is missing, or of another type than it should be, is unknown.

    So a run that was damaged, or written by another version, shows what can be read of it.
    """
    values = {}
    for name, wanted in _types_of(kind).items():
        if name in content:
            try:
                values[name] = msgspec.convert(content[name], wanted)
            except (msgspec.ValidationError, UnicodeError):  # half of a surrogate pair
                continue
    return kind(**values)


@cache
def _types_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The type of each field by its name: looking them up takes longer than reading a record."""
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


def decode_record(content: bytes) -> RunRecord:
    """run.json's bytes as a record; raises ValueError for what is no JSON object."""
    found = parse_json(content)  # unlike msgspec, it reads the NaN that was once written
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    result = found.get("result")
    if isinstance(result, dict):
        found["result"] = msgspec.to_builtins(read_fields(Result, result))
    known = _types_of(RunRecord).keys() - {"other_fields"}
    others = {name: value for name, value in found.items() if name not in known}
    return read_fields(RunRecord, found | {"other_fields": others})


def encode_record(record: RunRecord) -> bytes:
    """A number that is not finite becomes null."""
    fields = msgspec.to_builtins(record)
    others = fields.pop("other_fields")
    return msgspec.json.format(msgspec.json.encode(others | fields), indent=1) + b"\n"
