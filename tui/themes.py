"""mynah's own colours, beside those that Textual brings (``textual-ansi`` among them)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

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
    ANSI_DARK,
)
