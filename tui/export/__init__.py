"""The Export dialog, and the export that it starts."""
