"""What works on this machine, each found out by trying."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from core import __version__
from core.errors import MynahError

if TYPE_CHECKING:
    from core.home import Home

PACKAGES = ("textual", "polars", "duckdb", "torch", "transformers", "peft")
LEAST_DISK_GB = 2.0


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
        ("base models", _bases, True),
        ("home", lambda: _home(home), True),
        ("corpus", lambda: _corpus(home), True),
        ("runs", lambda: _runs(home), False),
        ("clipboard", _clipboard, False),
    )
    for name, ask, needed in asked:
        try:
            ok, detail = ask()
        except MynahError as error:
            ok, detail = False, str(error)
        except Exception as error:
            ok, detail = False, f"{type(error).__name__}: {error}"
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


def _bases() -> tuple[bool, str]:
    from core.models import at_hand

    found = at_hand()
    return bool(found), "; ".join(f"{base.name} ({base.where})" for base in found)


def _home(home: Home) -> tuple[bool, str]:
    place = home.root
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 2**30
    state = "" if home.root.exists() else ", not made yet"
    return free >= LEAST_DISK_GB, f"{home.root}{state}, {free:.0f} GiB free"


def _corpus(home: Home) -> tuple[bool, str]:
    from core.corpus import Corpus, accounts

    if not home.corpus.exists():
        return True, "empty"
    found = accounts(Corpus(home.corpus))
    tweets = sum(account.tweets for account in found)
    return True, f"{tweets:,} tweets of {len(found)} accounts"


def _runs(home: Home) -> tuple[bool, str]:
    from core.training import list_runs

    found = list_runs(home)
    going = sum(run.state in ("starting", "running", "stopping") for run in found)
    return True, f"{len(found)} runs, {going} going"


def _clipboard() -> tuple[bool, str]:
    for tool in ("wl-copy", "xclip", "xsel", "pbcopy"):
        if shutil.which(tool):
            return True, tool
    return True, "OSC 52 (the terminal's own; works over ssh where the terminal allows it)"
