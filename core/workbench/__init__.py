"""The tweets of the chosen accounts, loaded once and curated as often as the recipe changes."""

from __future__ import annotations

from core.workbench.bench import Curation, Workbench
from core.workbench.comparison import ComparedRow, ComparedRows, Comparison, compare

__all__ = ["ComparedRow", "ComparedRows", "Comparison", "Curation", "Workbench", "compare"]
