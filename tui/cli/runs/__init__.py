"""The commands that work on runs: training, following, sampling."""
