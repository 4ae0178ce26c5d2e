"""The training engine of any objective: its loop, steps, checkpoints, settings and learning check."""
