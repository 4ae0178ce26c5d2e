"""The runners of a pipeline."""
