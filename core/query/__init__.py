"""SQL over the corpus and the runs: queries, their results, saved ones, completion, changes."""
