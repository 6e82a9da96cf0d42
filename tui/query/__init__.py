"""3 Query: SQL over the corpus and the runs."""
