"""What is given to a training, and the entry point that the Trainer calls."""
