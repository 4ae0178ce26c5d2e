"""Finds the model that a training starts from."""
