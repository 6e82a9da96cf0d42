"""The command line: each command parses its words, calls core, and prints."""
