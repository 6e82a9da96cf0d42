"""Sweeps: many runs over a space of settings, to find those that a set of tweets learns best by."""
