"""The weights of a model in a run: those that learn, and products with those that are frozen."""
