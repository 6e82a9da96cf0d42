"""``mynah convert``: a run's model for other programs, with proof that it is the same model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import InputRefused, Interrupted, WrongUsage
from core.files import folder_whole, sha256_of, write_text_whole, write_whole
from core.models.answering import Answering
from core.models.generation import MAX_TOKENS, TEMPERATURE, TOP_K, TOP_P
from core.models.hub import FILES
from core.models.load import load_tokenizer, separator_of
from core.progress import Cancelled, Progress, Reporter
from core.publish.card import card_of
from core.publish.facts import RunFacts, facts_of, some_texts
from core.publish.gguf_writer import Quant, Shape, shape_of, write_gguf
from core.publish.proof import prove
from core.publish.published import Publication, remember_publication
from core.runs.folder import Run

Format = Literal["gguf", "ollama", "folder"]
FORMATS: Final[tuple[Format, ...]] = ("gguf", "ollama", "folder")
# Tweets that the proof chooses from.
_MOST_HELD_OUT: Final = 2_000
# A folder that was converted before has one of these files, and no others than the files below.
_OURS: Final = ("config.json", "Modelfile")
_WRITTEN: Final = (*FILES, "*.jinja", "README.md", "Modelfile*", "template", "params", "*.gguf")


@dataclass(frozen=True)
class Converted:
    """``sha256`` of the file with the weights; ``files`` has that of each, by its name."""

    path: Path
    format: Format
    sha256: str
    files: dict[str, str]
    proof: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah convert --json``."""
        return {
            "path": str(self.path),
            "format": self.format,
            "sha256": self.sha256,
            "files": self.files,
            "proof": self.proof,
        }


def convert(
    run: Run,
    to: Format,
    path: Path,
    *,
    quant: Quant | None = None,
    force: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> Converted:
    """Writes the model of ``run`` to ``path``: a GGUF file, a folder for Ollama, or its own folder.

    What is written appears whole, and only once it is proved. ``quant`` is f16 unless said, and
    means nothing to a folder. Raises InputRefused when the model cannot be written so, or something
    is at ``path`` and ``force`` is not set; MynahError when the proof fails; Interrupted.
    """
    if to == "folder" and quant is not None:
        raise WrongUsage("--quant means nothing to a folder.", "It has the weights as they are.")
    facts = facts_of(run)
    path = path.absolute()
    _check_free(path, to, run, force)

    def stopped() -> Interrupted:
        return Interrupted("Nothing was converted.")

    reporter = Reporter(progress, cancelled, stopped)
    if to == "folder":
        done = _to_folder(facts, path, reporter)
    else:
        done = _to_gguf(facts, to, path, quant or "f16", reporter)
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    remember_publication(run, Publication(to=to, path=str(path), at=at))
    return done


def _to_gguf(
    facts: RunFacts, to: Format, path: Path, quant: Quant, reporter: Reporter
) -> Converted:
    """A GGUF file, or the folder for Ollama with one."""
    shape, name = shape_of(facts.run.model), facts.slug
    proofs: list[dict[str, Any]] = []

    def make(part: Path) -> None:
        proofs.append(_gguf(facts, shape, part, quant, reporter))

    if to == "gguf":
        write_whole(path, make)
        digest = sha256_of(path)
        return Converted(path, to, digest, {path.name: digest}, proofs[0])
    file = f"{name}.gguf"
    with folder_whole(path, "ollama") as part:
        make(part / file)
        mark = _mark(shape)
        stops = [mark, "\n"] if facts.one_line_tweets else [mark]
        for own_name, text in ollama_files(file, stops, facts.record.answering).items():
            write_text_whole(part / own_name, text)
        write_text_whole(part / "README.md", card_of(facts))
    files = _hashes(path)
    return Converted(path, to, files[file], files, proofs[0])


def _check_free(path: Path, to: Format, run: Run, force: bool) -> None:
    if path.resolve().is_relative_to(run.folder.resolve()):
        raise InputRefused(
            f"{path} lies in the run's own folder.", "", "Name a path outside of it."
        )
    if not path.exists():
        return
    if not force:
        raise InputRefused(f"{path} is there already.", "", "--force replaces it.")
    if not (path.is_file() if to == "gguf" else path.is_dir() and _is_ours(path)):
        raise InputRefused(
            f"{path} is not replaced.", "It is not a model of this format.", "Name another path."
        )


def _is_ours(folder: Path) -> bool:
    """Whether a folder is empty, or holds what `convert` writes and nothing else."""
    there = list(folder.iterdir())
    known = all(
        file.is_file() and any(fnmatch(file.name, one) for one in _WRITTEN) for file in there
    )
    return known and (not there or any(file.name in _OURS for file in there))


def _gguf(
    facts: RunFacts, shape: Shape, out: Path, quant: Quant, reporter: Reporter
) -> dict[str, Any]:
    from core.dataset.frozen import VALID

    names = " & ".join(account.name for account in facts.accounts)
    about = {
        "description": f"AI-generated text in the manner of {names}; nothing of it was written or "
        f"approved by them. Made with mynah from run {facts.record.id or facts.run.id}.",
        "license": "other",
        "license_name": "the-authors-own",
        "finetune": facts.slug,
    }
    if facts.record.answering is not None:
        about["chat_template"] = facts.record.answering.chat_template
    rounded = write_gguf(
        shape,
        out,
        quant,
        name=facts.slug,
        about=about,
        moved=lambda done: reporter.show("converting", done, None),
    )
    proof = prove(
        shape,
        out,
        quant,
        some_texts(facts.run, VALID, _MOST_HELD_OUT).to_list(),
        rounded,
        check=lambda phase: reporter.show(phase, 0, None),
    )
    return proof.to_json()


def _mark(shape: Shape) -> str:
    tokenizer = load_tokenizer(shape.folder)
    return str(tokenizer.convert_ids_to_tokens(separator_of(tokenizer)))


def ollama_files(gguf: str, stops: list[str], answering: Answering | None = None) -> dict[str, str]:
    """The texts that Ollama reads beside a GGUF file: a Modelfile for ``ollama create``, and what
    ``ollama run hf.co/...`` takes from a repository (``template``, ``params``).

    With these a prompt begins a tweet; of a model that answers, ``Modelfile.answers`` makes one
    whose prompt is a tweet to answer. Its own defaults would repeat less and draw from 40 tokens
    only: all are set to mynah's. A Modelfile has no escapes; a line break stands in quotes as it
    is.
    """
    drawn: dict[str, Any] = {
        "temperature": TEMPERATURE,
        "top_p": TOP_P,
        "top_k": TOP_K,
        "min_p": 0.0,
        "repeat_penalty": 1.0,
        "num_predict": MAX_TOKENS,
    }
    lines = [
        "# What this model writes is AI-generated.",
        f"FROM ./{gguf}",
        'TEMPLATE "{{ .Prompt }}"',
        *(f"PARAMETER {name} {value}" for name, value in drawn.items()),
        *(f'PARAMETER stop "{stop}"' for stop in stops),
    ]
    modelfile = "\n".join(lines) + "\n"
    more = {}
    if answering is not None:
        quoted = answering.go_template
        more["Modelfile.answers"] = modelfile.replace('"{{ .Prompt }}"', f'"{quoted}"')
    return {
        "Modelfile": modelfile,
        **more,
        "template": "{{ .Prompt }}",
        "params": json.dumps(drawn | {"stop": stops}, indent=1) + "\n",
    }


def _to_folder(facts: RunFacts, path: Path, reporter: Reporter) -> Converted:
    model = facts.run.model
    with folder_whole(path, "model") as part:
        wanted: dict[str, str] = {}
        for number, file in enumerate(sorted(model.iterdir())):
            reporter.show("copying", number, None)
            if file.is_file():
                shutil.copyfile(file, part / file.name)
                wanted[file.name] = sha256_of(file)
        got = _hashes(part)
        if got != wanted:
            raise OSError(f"the copy in {part} differs from {model}")
        write_text_whole(part / "README.md", card_of(facts))
    weights = next((sha for name, sha in wanted.items() if name.endswith(".safetensors")), "")
    proof = {"compared": "the sha256 of every file with the run's", "equal": len(wanted)}
    return Converted(path, "folder", weights, _hashes(path), proof)


def _hashes(folder: Path) -> dict[str, str]:
    return {file.name: sha256_of(file) for file in sorted(folder.iterdir()) if file.is_file()}
