"""Settings that a person chooses once: ``config.toml`` of the home, each typed and explained.

What the app remembers by itself (which accounts were chosen) stays in settings.json; a theme, keys
and tracking that stand there from an earlier version hold where this file says nothing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from core.errors import InputRefused
from core.files import write_text_whole
from core.home import Home
from core.locks import Locked, held_lock
from core.runs.settings import PRESETS

Value = str | float
_LOCK_SECONDS: Final = 10.0
KEYMAP: Final = "keymap"
KEYS_ABOUT: Final = "Keys of the app."
ON_OFF: Final = ("on", "off")
_HEADER: Final = "# Settings of mynah. `mynah config` lists and explains them.\n"
_TABLE: Final = re.compile(r"\s*\[\s*([A-Za-z_-]+)\s*\]\s*(#.*)?")


@dataclass(frozen=True)
class Setting:
    """``name`` is table and key, as ``train.minutes``; an empty text means nothing was chosen."""

    name: str
    default: Value
    about: str
    choices: tuple[str, ...] = ()
    least: float = 0.0
    most: float = math.inf

    @property
    def kind(self) -> Literal["text", "number"]:
        return "text" if isinstance(self.default, str) else "number"

    def checked(self, value: object) -> Value:
        """``value`` when it will do; raises InputRefused."""
        if self.choices == ON_OFF and isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(self.default, str):
            if isinstance(value, str) and (not self.choices or value in (*self.choices, "")):
                return value
            wanted = f"It is one of {', '.join(self.choices)}." if self.choices else "It is a text."
        else:
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                with suppress(OverflowError):  # of hundreds of digits
                    if self.least <= float(value) <= self.most:
                        return float(value)
            most = "" if math.isinf(self.most) else f" and at most {self.most:g}"
            wanted = f"It is a number of at least {self.least:g}{most}."
        raise InputRefused(f"{self.name} cannot be {value!r:.60}.", wanted)


SETTINGS: Final = (
    Setting("app.theme", "", "The colours of the app, by the name in its list of themes."),
    Setting("app.restore", "on", "Whether the app begins where it was left: section, query and "
            "prompt.", choices=ON_OFF),
    Setting("train.preset", "fast", "The preset that Train begins with.", choices=PRESETS),
    Setting("train.minutes", 2.0, "The training time that Train begins with.", least=0.2, most=600),
    Setting("tracking.project", "", "The project at Weights & Biases; else WANDB_PROJECT."),
    Setting("tracking.entity", "", "Whose project it is; else WANDB_ENTITY or your own."),
    Setting("tracking.mode", "", "Whether runs are sent there as they go; else WANDB_MODE, or "
            "they are not.", choices=("offline", "online")),
    Setting("commands.pager", "on", "Whether tables too long for the terminal, and results of "
            "queries too wide for it, go through PAGER, or else less.", choices=ON_OFF),
    Setting("query.vim", "off", "Whether the SQL editor takes the keys of Vim.", choices=ON_OFF),
)  # fmt: skip
"""All but the keys: the table ``keymap`` has an action's id and its keys, as in ``data.add = "f6"``
(the id in quotes)."""

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class ListedSetting:
    """A setting as it holds; ``chosen``: it stands in the file."""

    setting: Setting
    value: Value
    chosen: bool


def listed_settings(chosen: Mapping[str, Value]) -> list[ListedSetting]:
    """Every setting, with what `read_config` gave; then the keys of one's own."""
    keys = [Setting(name, "", KEYS_ABOUT) for name in chosen if name.startswith(f"{KEYMAP}.")]
    return [
        ListedSetting(one, chosen.get(one.name, one.default), one.name in chosen)
        for one in (*SETTINGS, *keys)
    ]


def config_file(home: Home) -> Path:
    return home.root / "config.toml"


def read_config(home: Home) -> dict[str, Value]:
    """What stands in the file: settings by name, and keys as ``keymap.`` and the action's id.

    Empty without a file. Raises InputRefused for a file that is damaged, a name that is not known
    and a value that will not do; the message names the file.
    """
    path = config_file(home)
    try:
        written = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path} cannot be read.", f"{error}.") from error
    return _parsed(written, path)


def known_config(home: Home) -> tuple[dict[str, Value], str]:
    """The same for the app: what will not do is no setting, and the sentence says why."""
    try:
        return read_config(home), ""
    except InputRefused as error:
        return {}, str(error)


def set_config(home: Home, name: str, text: str | None) -> Value | None:
    """Writes a setting, or takes it out (None); all else in the file stays as it stands.

    Returns the value. Raises InputRefused for a name or value that will not do, or a file that
    cannot be read or written.
    """
    value = None if text is None else _value_of(name, text)
    path = config_file(home)
    try:
        with held_lock(home.locks / "config.lock", seconds=_LOCK_SECONDS):
            read_config(home)  # a damaged file is not made worse
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            # splitlines would cut at U+2028, too
            lines = before.removesuffix("\n").split("\n") if before else []
            table, _, key = name.partition(".")
            written = _changed(lines, table, key, value)
            if _parsed(written, path).get(name) != value:
                raise InputRefused(
                    f"{path} cannot be changed.",
                    "It is not written as this command knows.",
                    "Edit it.",
                )
            write_text_whole(path, written)
    except Locked as error:
        raise InputRefused(
            f"{path} cannot be changed.", "Another process is changing it.", "Try again."
        ) from error
    except OSError as error:
        raise InputRefused(f"{path} cannot be written.", f"{error.strerror or error}.") from error
    return value


def _value_of(name: str, text: str) -> Value:
    if name.startswith(f"{KEYMAP}."):
        return text
    setting = _setting(name)
    if setting.kind == "text":
        if setting.choices == ON_OFF:
            text = {"true": "on", "false": "off"}.get(text.lower(), text)
        return setting.checked(text)
    try:
        return setting.checked(float(text))
    except ValueError:
        return setting.checked(text)


def _setting(name: str) -> Setting:
    if name not in _BY_NAME:
        from core.curation.rules import did_you_mean

        raise InputRefused(
            f"There is no setting {name!r}.",
            f"There are: {', '.join(_BY_NAME)}, and {KEYMAP}.ACTION.",
            did_you_mean(name, list(_BY_NAME)),
        )
    return _BY_NAME[name]


def _parsed(written: str, path: Path) -> dict[str, Value]:
    from core.toml import parse_toml  # not at the start of the app where nothing is set

    try:
        content = parse_toml(written)
    except ValueError as error:
        raise InputRefused(f"{path} is not valid TOML.", f"{error}.") from error
    found: dict[str, Value] = {}
    for table, entries in content.items():
        if not isinstance(entries, dict):
            raise InputRefused(
                f"{path}: {table} is outside of every table.", "A table begins as [train]."
            )
        for key, value in entries.items():
            name = f"{table}.{key}"
            try:
                if table == KEYMAP:
                    if not isinstance(value, str):
                        raise InputRefused(f'{name} needs keys, as in "f6" or "a,insert".')
                    found[name] = value
                else:
                    found[name] = _setting(name).checked(value)
            except InputRefused as error:
                raise InputRefused(f"{path}: {error.what}", error.why, error.next_step) from None
    return found


def _changed(lines: list[str], table: str, key: str, value: Value | None) -> str:
    """The lines with one entry replaced, added (below an explanation) or taken out."""
    quoted = json.dumps(key) if table == KEYMAP else key
    # JSON's strings and numbers are TOML's, but for DEL
    written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    entry = None if value is None else f"{quoted} = {written}"
    setting = _BY_NAME.get(f"{table}.{key}")
    about = [f"# {setting.about}"] if setting is not None else []
    is_entry = re.compile(rf"\s*(?:{re.escape(key)}|{re.escape(json.dumps(key))})\s*=")
    made: list[str] = []
    here = done = False
    last = None  # the line after the last of the table
    for line in lines:
        if begins := _TABLE.fullmatch(line):
            here = begins[1] == table
        if here and is_entry.match(line):
            if entry is not None:
                made.append(entry)
            elif about and made[-1:] == about:
                made.pop()
            done, last = True, len(made)
            continue
        made.append(line)
        if here and line.strip():
            last = len(made)
    if entry is not None and not done:
        if last is None:
            made += ["", f"[{table}]", *about, entry]
        else:
            made[last:last] = [*about, entry]
    text = "\n".join(made).strip("\n") + "\n"
    return text if lines else _HEADER + "\n" + text
