"""The corpus: every tweet in one DuckDB file."""
