"""What tracking is asked for: from flags, the app's settings file, or W&B's own variables."""

from __future__ import annotations

import netrc
import os
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from core.config import known_config
from core.errors import ServiceRefused, WrongUsage
from core.home import Home, expanded
from core.json_lines import parse_json
from core.runs.tracked import Tracked

# name -> module and class; a new tracker is one file and one line here
TRACKERS: dict[str, str] = {
    "wandb": "core.tracking.wandb:WandbTracker",
    "tensorboard": "core.tracking.tensorboard:TensorBoardTracker",
}
MODES: Final = ("offline", "online")
PROJECT: Final = "mynah"
# A key of W&B's, of either length that it has had; in a URL it stands behind a name and a colon.
_KEY: Final = re.compile(r"(local-|wandb_v\d_)?[0-9A-Za-z_]{40,}")


def tracking_asked(
    home: Home,
    to: str,
    *,
    project: str | None = None,
    entity: str | None = None,
    mode: str | None = None,
    upload_tweets: bool = False,
    upload_model: bool = False,
) -> Tracked:
    """What a tracker is asked for. Raises WrongUsage, and ServiceRefused when W&B needs a key.

    What is not given comes from ``tracking`` in config.toml, then from WANDB_PROJECT,
    WANDB_ENTITY and WANDB_MODE; W&B stays offline unless one of them says otherwise.
    """
    if to not in TRACKERS:
        raise WrongUsage(f"There is no tracker {to!r}.", f"There are {', '.join(TRACKERS)}.")
    if to != "wandb":
        if project or entity or mode or upload_tweets or upload_model:
            raise WrongUsage(
                f"{to} stays on this machine.",
                "--project, --entity, --mode, --upload-tweets and --upload-model are W&B's.",
            )
        return Tracked(to=to)
    kept = _kept(home)

    def first(name: str, given: str | None, default: str) -> str:
        return (
            given
            or str(kept.get(name) or "")
            or os.environ.get(f"WANDB_{name.upper()}", "")
            or default
        )

    asked = Tracked(
        to=to,
        project=first("project", project, PROJECT),
        entity=first("entity", entity, ""),
        mode=first("mode", mode, "offline"),
        upload_tweets=upload_tweets,
        upload_model=upload_model,
    )
    if asked.mode not in MODES:
        raise WrongUsage(
            f"W&B has no mode {asked.mode!r} here.", f"There are {' and '.join(MODES)}."
        )
    if asked.mode == "online" and not has_key():
        raise ServiceRefused(
            "W&B answers nobody without a key.",
            f"None is at hand for {_host()}.",
            "Get one at wandb.ai/authorize and set WANDB_API_KEY, or use --mode offline.",
        )
    return asked


def _kept(home: Home) -> Mapping[str, Any]:
    """``tracking`` in config.toml, over that of the app's settings file; damaged ones are none."""
    chosen, _ = known_config(home)
    own = {
        name.partition(".")[2]: value
        for name, value in chosen.items()
        if name.startswith("tracking.") and value
    }
    try:
        found = parse_json(home.settings.read_text(encoding="utf-8"))["tracking"]
    except (OSError, ValueError, KeyError, TypeError):
        return own
    return found | own if isinstance(found, dict) else own


def has_key() -> bool:
    """Whether W&B would find a key: in its variables, or for its host in .netrc."""
    return bool(os.environ.get("WANDB_IDENTITY_TOKEN_FILE") or _keys())


def without_keys(text: str) -> str:
    """``text`` without the keys that W&B would find, and anything that looks like one."""
    for key in _keys():
        text = text.replace(key, "…")
    return _KEY.sub("…", text)


def _keys() -> list[str]:
    keys = [os.environ.get("WANDB_API_KEY", "").strip()]
    for name in (os.environ.get("NETRC") or "~/.netrc", "~/_netrc"):
        try:
            entry = netrc.netrc(expanded(name)).authenticators(_host())
        except (OSError, netrc.NetrcParseError, UnicodeError):
            continue
        keys.append(entry[2] or "" if entry else "")
    return [key for key in keys if key]


def _host() -> str:
    return urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").netloc
