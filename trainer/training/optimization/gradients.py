"""Gradients of tables, as all of their rows or as those of a batch's words alone, and their norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

Gradient: TypeAlias = "tf.Tensor | tf.IndexedSlices"


def dense(gradient: Gradient) -> tf.Tensor:
    """Returns a gradient of the variable's shape, a word's rows summed."""
    return tf.convert_to_tensor(gradient)


def distinct_rows(gradient: Gradient) -> Gradient:
    """Sums the rows that a word has at each of its places, so that it has one.

    A norm or a square over the rows of places would be none of the gradient: (a + b)^2 is not a^2 + b^2.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def clip(gradients: Sequence[Gradient], limit: float | None) -> tuple[list[Gradient], tf.Tensor]:
    """Scales gradients so that their global norm is at most a limit (Pascanu et al. 2013, section 3.2).

    Args:
        gradients: Dense, or of distinct rows.
        limit: The highest norm; None: any.

    Returns:
        The gradients, and their norm before, float [].
    """
    norm = tf.linalg.global_norm(gradients)
    if limit is None:
        return list(gradients), norm
    clipped, _ = tf.clip_by_global_norm(gradients, limit, use_norm=norm)
    return clipped, norm
