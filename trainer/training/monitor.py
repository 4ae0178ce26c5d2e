"""TensorBoard curves, histograms and samples during training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from trainer.jobs import progress

MOST_VALUES = 100_000
"""The largest number of a variable's values in a histogram, evenly spaced: a table has millions."""

Samples = Callable[[], str]
"""Formats some documents with predicted and true classes as Markdown."""


class Monitor:
    """Writes to TensorBoard's default writer.

    Args:
        model: The model whose weights become histograms, one per epoch.
        samples: Formats what is written after each epoch; None: nothing.
    """

    def __init__(self, model: keras.Model, samples: Samples | None = None) -> None:
        self._model, self._samples = model, samples

    def step(self, step: int, figures: Mapping[str, float]) -> None:
        """Writes the figures of the epoch so far, by name, after a step numbered from 1 over all epochs."""
        for name, value in figures.items():
            tf.summary.scalar(f"step/{name}", value, step=step)

    def epoch(self, epoch: int) -> None:
        """Writes weights and samples after an epoch, numbered from 1."""
        for variable in self._model.trainable_variables:
            values = tf.reshape(variable.value, [-1])
            sampled = values[:: max(1, math.ceil(values.shape[0] / MOST_VALUES))]
            tf.summary.histogram(f"weights/{variable.path}", sampled, step=epoch)
        if self._samples is not None:
            progress.working("samples")
            tf.summary.text("samples", self._samples(), step=epoch)
