"""The colours of the app: mynah's own beside Textual's, and how a person's own are read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from core.safe_text import printable

# Textual's ansi-dark with the bright half of the palette, since plain blue on black cannot be read
# in most terminals; registering it replaces that one.
ANSI_DARK: Final[Theme] = replace(
    BUILTIN_THEMES["ansi-dark"],
    primary="ansi_bright_blue",
    secondary="ansi_cyan",
    error="ansi_bright_red",
    success="ansi_bright_green",
    warning="ansi_bright_yellow",
    accent="ansi_bright_cyan",
)

# A mynah: near-black plumage, a yellow bill, a patch of warm white. Yellow is the accent and marks
# the focused panel only; generated text has a colour of its own (secondary).
THEMES = (
    Theme(
        name="mynah",
        primary="#7fb4ca",
        secondary="#b294d6",
        accent="#e6b450",
        foreground="#d9d4c7",
        background="#14161b",
        surface="#191c22",
        panel="#22262e",
        success="#8fbf6f",
        warning="#e0a458",
        error="#e06c75",
        dark=True,
        variables={"border": "#3a404b", "border-blurred": "#3a404b"},
    ),
    Theme(
        name="mynah-day",
        primary="#20607a",
        secondary="#6d3fa0",
        accent="#a86800",
        foreground="#2a2c30",
        background="#faf7f0",
        surface="#f4f0e6",
        panel="#eae4d6",
        success="#3c7a2a",
        warning="#9a5b00",
        error="#b3261e",
        dark=False,
        variables={"border": "#c9c0ad", "border-blurred": "#c9c0ad"},
    ),
    # The palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), whose colours differ for
    # those who tell red from green badly, too; darker by day, so that text can be read.
    Theme(
        name="okabe-ito",
        primary="#56b4e9",
        secondary="#cc79a7",
        accent="#e69f00",
        foreground="#e4e4e4",
        background="#101214",
        surface="#16191c",
        panel="#20242a",
        success="#56b4e9",
        warning="#f0e442",
        error="#f0702a",
        dark=True,
        variables={"border": "#3c424a", "border-blurred": "#3c424a"},
    ),
    Theme(
        name="okabe-ito-day",
        primary="#0072b2",
        secondary="#6a4fa3",
        accent="#b35c00",
        foreground="#1d1f21",
        background="#ffffff",
        surface="#f5f5f5",
        panel="#e8e8e8",
        success="#0072b2",
        warning="#946a00",
        error="#8a0045",
        dark=False,
        variables={"border": "#bcbcbc", "border-blurred": "#bcbcbc"},
    ),
    ANSI_DARK,
)

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_COLOURS: Final = (
    "primary", "secondary", "accent", "foreground", "background", "surface", "panel", "success",
    "warning", "error", "boost",
)  # fmt: skip
# Of a file; a theme has some twenty lines.
_MOST_BYTES: Final = 1 << 16


def own_themes(folder: Path) -> tuple[list[Theme], list[str]]:
    """The themes in ``folder``, by the names of their files, and a sentence on each that is wrong.

    A file is TOML: ``primary = "#7fb4ca"`` and others of Textual's colours, ``dark = true``, and
    a table ``[variables]``. What it leaves out Textual derives.
    """
    found, refused = [], []
    for path in sorted(folder.glob("*.toml")):
        try:
            found.append(_read_theme(path))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            refused.append(f"{printable(path.name)}: {printable(str(error))}.")
    return found, refused


def theme_names(folder: Path) -> list[str]:
    """Every theme that the app can show: those that ship, and the person's own in ``folder``."""
    own, _ = own_themes(folder)
    return sorted({theme.name for theme in (*THEMES, *own)} | set(BUILTIN_THEMES))


def _read_theme(path: Path) -> Theme:
    """Raises ValueError for what is no theme, with the reason, and OSError."""
    if not _NAME.fullmatch(path.stem):
        raise ValueError("its name may have letters, digits, - and _ only")
    if path.stem in {theme.name for theme in THEMES} | set(BUILTIN_THEMES):
        raise ValueError("a theme that ships has this name")
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is too large for a theme")
    from core.toml import parse_toml

    given = parse_toml(path.read_text(encoding="utf-8"))
    if unknown := set(given) - {*_COLOURS, "dark", "variables"}:
        raise ValueError(f"{min(unknown)} is no colour of a theme")
    if "primary" not in given:
        raise ValueError("primary is missing")
    variables = given.get("variables", {})
    if not isinstance(variables, dict) or not isinstance(given.get("dark", True), bool):
        raise ValueError("dark is true or false, and variables is a table")
    for name, colour in (*given.items(), *variables.items()):
        if name not in ("dark", "variables"):
            _check_colour(name, colour)
    return Theme(name=path.stem, **given)


def _check_colour(name: str, colour: Any) -> None:
    try:
        Color.parse(colour)
    except (ColorParseError, TypeError, AttributeError):
        raise ValueError(f"{name} is no colour") from None
