"""Base models: which are at hand, where their files lie, and how many tokens a text is to them.

Importing this package loads neither torch nor transformers."""
