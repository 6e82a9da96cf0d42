"""Models of the Hugging Face hub: the local cache first, the network only when it must be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.errors import InputRefused, ServiceRefused, kind_and_line
from core.home import expanded
from core.models.folder import is_model_folder, read_config

# Only data: weights as safetensors, configuration, tokenizers. Never Python, never pickles.
FILES: Final = (
    "*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json",
    "tokenizer*", "vocab.*", "merges.txt", "special_tokens_map.json", "added_tokens.json",
    "spiece.model",
)  # fmt: skip
TIMEOUT_SECONDS: Final = 10.0

_REPO_ID = re.compile(r"[A-Za-z0-9][\w.\-]{0,95}(/[A-Za-z0-9][\w.\-]{0,95})?")


def is_repo_id(name: str) -> bool:
    """Whether ``name`` has the form ``model`` or ``owner/model``."""
    return bool(_REPO_ID.fullmatch(name)) and ".." not in name and "--" not in name


def cache_folder() -> Path:
    """Where huggingface_hub keeps its snapshots (its own environment variables count)."""
    if given := os.environ.get("HF_HUB_CACHE"):
        return expanded(given)
    home = os.environ.get("HF_HOME") or Path(
        os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface"
    )
    return expanded(home) / "hub"


def cached(repo_id: str) -> Path | None:
    """A usable snapshot of ``repo_id`` in the cache, the main branch's first; or None."""
    place = cache_folder() / ("models--" + repo_id.replace("/", "--"))
    snapshots = place / "snapshots"
    try:
        head = (place / "refs" / "main").read_text(encoding="ascii").strip()
        candidates = [snapshots / head] if re.fullmatch(r"[0-9a-f]{6,64}", head) else []
    except (OSError, ValueError):
        candidates = []
    if snapshots.is_dir():
        candidates += sorted(path for path in snapshots.iterdir() if path not in candidates)
    return next((path for path in candidates if is_model_folder(path)), None)


def cached_models() -> list[tuple[str, Path]]:
    """Ids and snapshots of the causal language models in the cache, by name."""
    place = cache_folder()
    found = []
    for folder in sorted(place.glob("models--*")) if place.is_dir() else []:
        name = folder.name.removeprefix("models--").replace("--", "/")
        snapshot = cached(name) if is_repo_id(name) else None
        config = read_config(snapshot) if snapshot else None
        kinds = (config or {}).get("architectures")
        kinds = kinds if isinstance(kinds, list) else []
        if snapshot and any(str(kind).endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds):
            found.append((name, snapshot))
    return found


def check_reachable(repo_id: str, alternatives: str) -> str:
    """The licence of a model at the hub; raises ServiceRefused or InputRefused when it is no use.

    Nothing is downloaded.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        info = HfApi().model_info(repo_id, timeout=TIMEOUT_SECONDS)
    except GatedRepoError as error:
        raise ServiceRefused(
            f"{repo_id} is given out on request only.",
            "The hub wants its terms accepted by a person who is logged in.",
            f"Accept them at the hub and set HF_TOKEN. {alternatives}",
        ) from error
    except RepositoryNotFoundError as error:
        raise ServiceRefused(
            f"The hub has no model {repo_id} (or it is private).", "", alternatives
        ) from error
    except OfflineModeIsEnabled as error:
        raise ServiceRefused(
            f"{repo_id} is not on this machine.",
            "HF_HUB_OFFLINE forbids to fetch it.",
            alternatives,
        ) from error
    except HfHubHTTPError as error:
        raise ServiceRefused(
            f"The hub refused to tell about {repo_id}.", kind_and_line(error), alternatives
        ) from error
    except Exception as error:  # every kind of network failure, from several libraries
        raise ServiceRefused(
            f"{repo_id} is not on this machine, and the hub cannot be reached.",
            kind_and_line(error),
            alternatives,
        ) from error
    names = [sibling.rfilename for sibling in info.siblings or []]
    if not any(name.endswith(".safetensors") for name in names):
        raise InputRefused(
            f"{repo_id} has no safetensors weights.",
            "Other formats can run code when they are opened, so mynah does not read them.",
            alternatives,
        )
    licence = info.card_data.get("license") if info.card_data else None
    return str(licence or "unknown")


def download(repo_id: str, progress: Callable[[str], None] | None = None) -> Path:
    """Brings the files of ``repo_id`` into the cache; raises ServiceRefused when that fails."""
    from huggingface_hub import snapshot_download

    if progress:
        progress(f"downloading {repo_id} once")
    try:
        folder = Path(snapshot_download(repo_id, allow_patterns=list(FILES)))
    except Exception as error:  # every kind of network failure, from several libraries
        raise ServiceRefused(
            f"{repo_id} could not be downloaded.",
            kind_and_line(error),
            "Try again, or another base.",
        ) from error
    return folder
