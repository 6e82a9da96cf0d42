"""Plots of what tweets are like, for the app and for ``mynah profile``."""
