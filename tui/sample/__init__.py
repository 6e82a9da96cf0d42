"""5 Sample: a prompt, some settings, and what the model generates."""
