"""Generating text with a fine-tuned model, and telling copies from new sentences.

Importing this loads neither torch nor transformers: they live in the child process."""
