"""Followers of a run's journal: Weights & Biases, TensorBoard, and whatever else is one file."""
