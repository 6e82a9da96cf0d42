"""Base models: which are at hand, where their files lie, and how many tokens a text is to them.

Importing this package loads neither torch nor transformers.
"""

from core.models.catalogue import SCRATCH, SMOLLM2, Base, BaseInfo, at_hand, default_base, resolve
from core.models.prepare import prepare
from core.models.tokens import token_counter

__all__ = [
    "SCRATCH",
    "SMOLLM2",
    "Base",
    "BaseInfo",
    "at_hand",
    "default_base",
    "prepare",
    "resolve",
    "token_counter",
]
