"""A run is a folder that its training process writes and everything else reads. No torch here."""
