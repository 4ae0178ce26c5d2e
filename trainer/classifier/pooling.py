"""Layers that reduce the words of a document to one vector, independent of padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("seqloom")
class BigramSum(keras.layers.Layer):
    """The sum of the vectors of hashed word pairs over the square root of their number.

    Phrases such as "waste of time" are learned from few examples, unlike in a recurrent layer. Follows Joulin et al.
    (2017), Bag of Tricks for Efficient Text Classification, section 2.2.

    Args:
        buckets: Rows of the table.
        width: Width of the vectors.
    """

    def __init__(self, buckets: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.buckets, self.width = buckets, width
        self.table = keras.layers.Embedding(buckets, width, name="table")

    def build(self, *_: Any) -> None:
        """Builds the table."""
        self.table.build(None)
        self.built = True

    def call(self, tokens: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Returns float [batch, width] from ids [batch, time] and a mask, bool [batch, time]."""
        # A pair is real if its second word is, because padding is on the right.
        pairs = (tokens[:, :-1] * 1_000_003 + tokens[:, 1:] * 7_919) % self.buckets
        real = tf.cast(steps[:, 1:], self.compute_dtype)
        total = tf.einsum("btw,bt->bw", self.table(pairs), real)
        return total / tf.sqrt(tf.maximum(tf.reduce_sum(real, axis=1, keepdims=True), 1))

    def compute_output_shape(self, tokens_shape: tuple[int | None, ...], *_: Any) -> tuple[int | None, int]:
        """Returns [batch, width]."""
        return tokens_shape[0], self.width

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "buckets": self.buckets, "width": self.width}


@keras.saving.register_keras_serializable("seqloom")
class MaskedPooling(keras.layers.Layer):
    """Concatenates the reductions over the real steps that `of` lists (`max`, `mean`), in that order."""

    def __init__(self, of: Sequence[str] = ("max", "mean"), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.of = tuple(of)

    def call(self, states: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Returns float [batch, units of each] from states [batch, time, units] and a mask, bool [batch, time]."""
        real = tf.expand_dims(steps, -1)
        pooled = {"max": _maximum, "mean": _mean}
        return tf.concat([pooled[name](states, real) for name in self.of], axis=-1)

    def compute_mask(self, *_: Any) -> None:
        """Returns None: the output has no steps."""

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "of": self.of}


@keras.saving.register_keras_serializable("seqloom")
class ZeroPadding(keras.layers.Layer):
    """Sets the steps that are not real to zero."""

    def call(self, vectors: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Returns float [batch, time, width] from vectors of that shape and a mask, bool [batch, time]."""
        return tf.where(tf.expand_dims(steps, -1), vectors, 0)


def _maximum(states: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    return tf.reduce_max(tf.where(real, states, states.dtype.min), axis=1)


def _mean(states: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    # Sums of hundreds of steps are inexact in half precision.
    total = tf.reduce_sum(tf.cast(tf.where(real, states, 0), tf.float32), axis=1)
    return tf.cast(total / tf.reduce_sum(tf.cast(real, tf.float32), axis=1), states.dtype)
