"""The shared training and model code of tasks with targets."""
