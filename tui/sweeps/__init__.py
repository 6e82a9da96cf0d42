"""The trials of a sweep in the app: a parallel plot, a table, and a sentence."""
