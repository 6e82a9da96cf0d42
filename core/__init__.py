"""Everything mynah knows how to do. Never imports textual, never prints, never reads argv."""

__version__ = "0.1.0"
