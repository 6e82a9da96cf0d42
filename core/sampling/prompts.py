"""The prompts that a person has used, newest last."""

from __future__ import annotations

from core.home import Home
from core.recent import Recent


def prompts(home: Home) -> list[str]:
    """At most 500."""
    return _recent(home).texts()


def remember_prompt(home: Home, prompt: str) -> None:
    """Adds a prompt, unless it is the one before or empty."""
    _recent(home).remember(" ".join(prompt.split()))


def _recent(home: Home) -> Recent:
    return Recent(home.root / "prompts.jsonl", "prompt")
