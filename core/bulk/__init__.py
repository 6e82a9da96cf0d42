"""Curation of Parquet too large for one machine: the same verdicts, here or on a Ray cluster."""
