"""The commands that ask a published model."""
