"""Fine-tuning: what happens inside the training process. Everything else reads the run's folder."""
