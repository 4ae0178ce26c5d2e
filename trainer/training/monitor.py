"""TensorBoard curves, histograms and samples during training."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

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
            tf.summary.histogram(f"weights/{variable.path}", variable.value, step=epoch)
        if self._samples is not None:
            tf.summary.text("samples", self._samples(), step=epoch)
