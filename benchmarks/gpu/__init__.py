"""What a GPU does with a fine-tune and with samples; see ``__main__``."""
