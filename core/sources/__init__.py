"""Intake: every door a tweet can come through, each yielding canonical Polars batches."""
