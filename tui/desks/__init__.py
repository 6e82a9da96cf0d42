"""Desks: each looks after one kind of long work for the app, and posts messages about it."""
