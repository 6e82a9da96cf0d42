"""The keys of Vim in the SQL editor."""
