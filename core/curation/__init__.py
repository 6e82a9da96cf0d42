"""Curation: a recipe gives every tweet a verdict, one reason if it is left out, and clean words."""
