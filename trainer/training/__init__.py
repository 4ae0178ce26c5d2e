"""Training of tasks with targets: the loop, its state on disk and its settings."""
