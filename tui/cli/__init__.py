"""The command line: each command parses its arguments, calls core, and prints."""
