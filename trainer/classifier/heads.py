"""Several ways to the logits of a document in one model."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("seqloom")
class Heads(keras.layers.Layer):
    """Gives the mean logits of several heads, but in training those of each.

    Judged by its own loss, a head learns all that it can; by the loss of their mean, the one that is ahead would leave
    the other little to learn.
    """

    def call(self, logits: Sequence[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns float [batch, classes], in training [batch, heads, classes], from [batch, classes] of each head."""
        heads = tf.stack(logits, axis=1)
        return heads if training else tf.reduce_mean(heads, axis=1)

    def compute_output_shape(self, shapes: Sequence[tuple[int | None, int]]) -> tuple[int | None, int]:
        """Returns [batch, classes]."""
        return shapes[0]
