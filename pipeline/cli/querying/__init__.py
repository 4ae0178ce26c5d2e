"""The commands that query a published model."""
