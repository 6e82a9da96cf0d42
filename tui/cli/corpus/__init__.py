"""The commands that work on tweets: from a file into the corpus, and out of it again."""
