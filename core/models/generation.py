"""How a model generates when nothing else is asked: the one set of defaults.

``generation_config.json`` of a trained model, ``mynah sample``, the Sample section and the samples
taken during training all use these.
"""

from __future__ import annotations

from typing import Final

# Below 1: a small model tuned for minutes gives the less likely words too much weight.
TEMPERATURE: Final = 0.8
# Nucleus sampling: the smallest set of likeliest tokens with this share of the mass
# (Holtzman et al. 2020, arXiv 1904.09751).
TOP_P: Final = 0.95
# 0 is off
TOP_K: Final = 0
# 0 is off
MIN_P: Final = 0.0
# 1 is off
REPETITION_PENALTY: Final = 1.0
# A tweet of 280 characters has about 70 tokens; links and emoji take more.
MAX_TOKENS: Final = 96
