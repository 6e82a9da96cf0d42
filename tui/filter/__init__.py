"""2 Filter: the recipe, what it keeps, and what it does to each tweet."""
