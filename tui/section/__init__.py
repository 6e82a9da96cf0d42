"""What the sections share: their frame, which column shows, and where the focus may go."""
