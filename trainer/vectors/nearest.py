"""A table of vectors with exact search."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.vectors.lookup import ABSENT

_SCORES = 1 << 24
"""Maximum number of similarities in memory."""


class VectorTable(tf.Module):
    """Vectors of words.

    Args:
        vectors: float32 [rows, dimensions].
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        super().__init__(name="vectors")
        self.vectors = tf.Variable(vectors, trainable=False, dtype=tf.float32)
        self.size = len(vectors)
        self._scale = tf.math.reciprocal_no_nan(tf.norm(self.vectors, axis=1))

    def take(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns vectors, float32 [..., dimensions], of rows, int64; zeros for `ABSENT`."""
        taken = tf.gather(self.vectors, tf.maximum(rows, 0))
        return tf.where(tf.expand_dims(rows == ABSENT, -1), 0.0, taken)

    def nearest(self, queries: tf.Tensor, excluded: tf.Tensor, k: tf.Tensor | int) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the vectors with the greatest cosine by comparing with all vectors.

        Args:
            queries: float32 [n, dimensions].
            excluded: Rows to exclude, int64 [n, m], padded with `ABSENT`.
            k: Number of results, at most `size`.

        Returns:
            Cosines, float32 [n, k], decreasing, and rows, int64 [n, k], the lower first among equal cosines. Cosines
            of excluded rows are minus infinity.
        """
        queries, number = unit(queries), tf.shape(queries)[0]
        size = tf.minimum(max(_SCORES // self.size, 1), tf.maximum(number, 1))
        blocks = tf.maximum(-(-number // size), 1)
        similarity = tf.TensorArray(tf.float32, blocks, infer_shape=False)
        rows = tf.TensorArray(tf.int32, blocks, infer_shape=False)
        for block in tf.range(blocks):
            part = slice(block * size, (block + 1) * size)
            scores = tf.matmul(queries[part], self.vectors, transpose_b=True) * self._scale
            best = tf.math.top_k(_without(scores, excluded[part]), k)
            similarity = similarity.write(block, best.values)
            rows = rows.write(block, best.indices)
        return similarity.concat(), tf.cast(rows.concat(), tf.int64)


def unit(vectors: tf.Tensor) -> tf.Tensor:
    """Scales vectors, [..., dimensions], to length 1, except zeros."""
    return tf.math.divide_no_nan(vectors, tf.norm(vectors, axis=-1, keepdims=True))


def cosine(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Returns the cosines of pairs of vectors, float32 [n, dimensions] each: float32 [n], 0 for zeros."""
    return tf.reduce_sum(unit(a) * unit(b), axis=-1)


def _without(scores: tf.Tensor, excluded: tf.Tensor) -> tf.Tensor:
    """Sets the scores of excluded rows to minus infinity."""
    places = tf.where(excluded != ABSENT)
    cells = tf.stack([places[:, 0], tf.gather_nd(excluded, places)], axis=1)
    return tf.tensor_scatter_nd_update(scores, cells, tf.fill([tf.shape(cells)[0]], -math.inf))
