"""The tweets of the chosen accounts, loaded once and curated as often as the recipe changes."""
