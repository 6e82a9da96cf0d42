"""Dialogs that more than one section opens."""
