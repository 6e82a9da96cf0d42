"""Stand-ins for outside services: real servers on this machine, with invented content."""
