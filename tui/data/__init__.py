"""1 Data: who is in the corpus, their tweets, and how more are brought in."""
