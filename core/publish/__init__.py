"""A run's model on its way out: its card, other programs' formats, the hub, pictures."""
