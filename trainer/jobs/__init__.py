"""The interface of a task's training, its input and output, and the entry point that the Trainer calls."""
