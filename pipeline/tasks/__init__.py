"""The tasks of the pipeline: one object per task."""
