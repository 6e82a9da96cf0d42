"""Posts from the X API: estimated, paid for after a yes, and never paid for twice.

Modules are imported where they are used, because the client loads tweepy.
"""
