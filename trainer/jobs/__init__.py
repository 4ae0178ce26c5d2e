"""The input of a training, and the entry point that the Trainer calls."""
