"""The report of a run: how well it imitates, and what it copies."""
