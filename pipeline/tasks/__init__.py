"""What each task is to the pipeline: one object a task."""
