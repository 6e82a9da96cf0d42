"""Themes that the widgets were looked at with, besides Textual's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

ANSI_DARK: Final[Theme] = replace(
    BUILTIN_THEMES["ansi-dark"],
    # Plain ANSI blue on black cannot be read in most terminals' palettes.
    primary="ansi_bright_blue",
    secondary="ansi_cyan",
    error="ansi_bright_red",
    success="ansi_bright_green",
    warning="ansi_bright_yellow",
    accent="ansi_bright_cyan",
)
"""Textual's ``ansi-dark`` with the bright half of the palette; registering it replaces that one."""
