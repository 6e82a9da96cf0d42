"""How well a run's model imitates its authors, and how much it copies: measured on four points."""
