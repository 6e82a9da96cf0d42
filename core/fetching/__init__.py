"""Posts from the X API: planned, paid for after a yes, and never paid for twice.

Nothing here is imported before it is used: tweepy and the corpus come with the first plan."""
