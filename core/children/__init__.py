"""The processes that learn, sample and track: how they are started."""
