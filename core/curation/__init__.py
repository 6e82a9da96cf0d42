"""Curation: a recipe gives every tweet a verdict, one reason if it is left out, and clean words."""

from core.curation.diff import diff_parts
from core.curation.fields import RuleField, rule_fields, rule_value, with_rule
from core.curation.materialise import materialise
from core.curation.reasons import REASON_TITLES, REASON_WORDS, REASONS
from core.curation.recipe import Recipe, load_recipe, recipe_names, save_recipe
from core.curation.stats import AccountStats, account_stats, total_stats
from core.curation.stream import curated_batches
from core.curation.verdict import curate

__all__ = [
    "REASONS",
    "REASON_TITLES",
    "REASON_WORDS",
    "AccountStats",
    "Recipe",
    "RuleField",
    "account_stats",
    "curate",
    "curated_batches",
    "diff_parts",
    "load_recipe",
    "materialise",
    "recipe_names",
    "rule_fields",
    "rule_value",
    "save_recipe",
    "total_stats",
    "with_rule",
]
