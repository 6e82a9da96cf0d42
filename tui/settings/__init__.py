"""The page of settings, and what a value has to be before it is written."""
