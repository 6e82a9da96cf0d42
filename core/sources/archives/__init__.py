"""Archives of a whole account, as X, Twitter, Mastodon, Bluesky and the Community Archive give."""
