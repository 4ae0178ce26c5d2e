"""The interface of a task's training, its input, output and progress, and the entry point that the Trainer calls."""
