"""Optimizers, gradients and the schedule of the learning rate."""
