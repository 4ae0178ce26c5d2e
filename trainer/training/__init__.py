"""The training loop of tasks with targets, its checkpoints and its settings."""
