"""Dense gradients and gradients of single rows of a table, and their norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

Gradient: TypeAlias = "tf.Tensor | tf.IndexedSlices"


def distinct_rows(gradient: Gradient) -> Gradient:
    """Sums rows of the same word, so that norms and squares are those of the gradient."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def clip(gradients: Sequence[Gradient], limit: float | None) -> tuple[list[Gradient], tf.Tensor]:
    """Scales gradients, dense or of distinct rows, so that their global norm is at most a limit, if any.

    Follows Pascanu et al. (2013), section 3.2. Returns the gradients, and their norm before scaling, float [].
    """
    norm = tf.linalg.global_norm(gradients)
    if limit is None:
        return list(gradients), norm
    clipped, _ = tf.clip_by_global_norm(gradients, limit, use_norm=norm)
    return clipped, norm
