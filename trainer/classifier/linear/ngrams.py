"""Hashes of n-grams of ids, and the layer that classifies documents by the distinct ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

LENGTH_BITS = 4
"""The lowest bits of a hash hold how many words follow the first one."""

_FACTOR, _OTHER_FACTOR = -7046029254386353131, -4417276706812531889
"""Odd 64-bit multipliers, those of SplitMix64 and xxHash64, as signed integers."""


class LinearWeights(NamedTuple):
    """A linear classifier of n-grams.

    Attributes:
        keys: The hashes of its n-grams, ascending, int64 [n].
        scales: The value of each n-gram in a document before that is scaled to unit length, float32 [n].
        weights: The weights of scaled values, float32 [n, classes].
        bias: Float32 [classes].
    """

    keys: NDArray[np.int64]
    scales: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def hashes(tokens: tf.Tensor, steps: tf.Tensor, longest: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Hashes n-grams of all lengths to 64 bits with their length, so that collisions among millions are very rare.

    Args:
        tokens: Ids, int64 [batch, time].
        steps: Which of them are real, bool [batch, time].
        longest: Length of the longest n-gram, in words, at most 8.

    Returns:
        The hashes, int64 [batch, longest * time], and which of them are real, bool.
    """
    found, real, key = [], [], tf.zeros_like(tokens)
    rest = tf.constant(-(1 << LENGTH_BITS), tf.int64)
    for reach in range(longest):
        missing = [[0, 0], [0, reach]]
        # The last word of the n-gram that begins at each step.
        last = tf.pad(tokens, missing)[:, reach:]
        key = (tf.bitwise.bitwise_xor(key, last) + reach + 1) * _FACTOR
        key = tf.bitwise.bitwise_xor(key, tf.bitwise.right_shift(key, tf.constant(32, tf.int64))) * _OTHER_FACTOR
        found.append(tf.bitwise.bitwise_and(key, rest) + reach)
        real.append(tf.pad(steps, missing)[:, reach:])
    return tf.concat(found, 1), tf.concat(real, 1)


@tf.function(reduce_retracing=True)
def distinct_hashes(
    tokens: tf.Tensor, length: tf.Tensor, longest: int, parts: tf.RaggedTensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the distinct hashes of each document in turn, int64 [n], and how many each has, int64 [batch].

    Args:
        tokens: Ids, int64 [batch, time].
        length: Their number, int64 [batch].
        longest: Length of the longest n-gram, in words.
        parts: The keys of the parts of each word by its id, int64 [words, parts], which count as hashes;
            None: none.
    """
    steps = tf.sequence_mask(length, tf.shape(tokens)[1])
    keys, real = hashes(tokens, steps, longest)
    keys = tf.where(real, keys, keys.dtype.max)
    if parts is not None:
        keys = tf.concat([keys, _of_parts(parts, tokens, steps, keys.dtype.max)], 1)
    keys = tf.sort(keys)
    distinct = tf.not_equal(keys, keys.dtype.max) & _first(keys)
    return tf.boolean_mask(keys, distinct), tf.math.count_nonzero(distinct, 1)


@keras.saving.register_keras_serializable("seqloom")
class LinearLogits(keras.layers.Layer):
    """Class logits of documents, linear in their distinct n-grams.

    Args:
        size: Number of n-grams, with parts of words.
        classes: Number of classes.
        longest: Length of the longest n-gram, in words.
        words: Number of words that have parts, by id.
        parts: Number of their parts.
    """

    def __init__(self, size: int, classes: int, longest: int, words: int = 0, parts: int = 0, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.size, self.classes, self.longest = size, classes, longest
        self.words, self.parts = words, parts

    def build(self, *_: Any) -> None:
        """Creates the table; its last row is that of unknown n-grams, with a scale of 0."""
        rows = self.size + 1
        self.keys = self.add_weight(shape=(rows,), dtype="int64", name="keys", initializer="zeros")
        self.scales = self.add_weight(shape=(rows,), name="scales", initializer="zeros")
        self.weights_of_values = self.add_weight(shape=(rows, self.classes), name="weights", initializer="zeros")
        self.bias = self.add_weight(shape=(self.classes,), name="bias", initializer="zeros")
        self.part_rows = self.add_weight(shape=(self.parts,), dtype="int32", name="part_rows", initializer="zeros")
        self.part_splits = self.add_weight(
            shape=(self.words + 1,), dtype="int64", name="part_splits", initializer="zeros"
        )
        self.built = True

    def fill(self, linear: LinearWeights, part_rows: NDArray[np.int64], part_splits: NDArray[np.int64]) -> None:
        """Sets the weights.

        Args:
            linear: The weights of n-grams.
            part_rows: The rows of the parts of all words in turn, [parts].
            part_splits: Where those of each word begin, and the end, [words + 1].
        """
        self.part_rows.assign(part_rows)
        self.part_splits.assign(part_splits)
        self.keys.assign(np.append(linear.keys, np.iinfo(np.int64).max))
        self.scales.assign(np.append(linear.scales, np.float32(0)))
        self.weights_of_values.assign(np.vstack([linear.weights, np.zeros([1, self.classes], np.float32)]))
        self.bias.assign(linear.bias)

    def call(self, tokens: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Returns float32 [batch, classes] from ids [batch, time] and a mask, bool [batch, time]."""
        rows = self._rows(tokens, steps)
        known = rows < self.size
        documents, rows = tf.where(known)[:, 0], tf.boolean_mask(rows, known)
        number = tf.shape(tokens)[0]
        scales = tf.gather(self.scales.value, rows)
        scaled = scales[:, tf.newaxis] * tf.gather(self.weights_of_values.value, rows)
        length = tf.sqrt(tf.math.unsorted_segment_sum(tf.square(scales), documents, number))
        total = tf.math.unsorted_segment_sum(scaled, documents, number)
        return tf.math.divide_no_nan(total, length[:, tf.newaxis]) + self.bias

    def compute_output_shape(self, tokens_shape: tuple[int | None, ...], *_: Any) -> tuple[int | None, int]:
        """Returns [batch, classes]."""
        return tokens_shape[0], self.classes

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        own = ("size", "classes", "longest", "words", "parts")
        config = {**super().get_config(), **{name: getattr(self, name) for name in own}}
        config.pop("trainable", None)
        return config

    def _rows(self, tokens: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Finds the rows of n-grams and parts, sorted, int32 [batch, n]; `size` for unknown and repeated ones."""
        keys, real = hashes(tokens, steps, self.longest)
        shape, keys = tf.shape(keys), tf.reshape(keys, [-1])
        place = tf.searchsorted(self.keys.value, keys)
        found = tf.equal(tf.gather(self.keys.value, place), keys) & tf.reshape(real, [-1])
        rows = tf.reshape(tf.where(found, place, self.size), shape)
        if self.parts:
            parts = tf.RaggedTensor.from_row_splits(self.part_rows.value, self.part_splits.value, validate=False)
            rows = tf.concat([rows, _of_parts(parts, tokens, steps, self.size)], 1)
        rows = tf.sort(rows)
        return tf.where(_first(rows), rows, self.size)


def _of_parts(parts: tf.RaggedTensor, tokens: tf.Tensor, steps: tf.Tensor, missing: int) -> tf.Tensor:
    """Looks up the parts of the words of documents, [batch, n], filled up with `missing`."""
    real = tf.RaggedTensor.from_row_lengths(tf.boolean_mask(tokens, steps), tf.math.count_nonzero(steps, 1))
    return tf.gather(parts, real).merge_dims(1, 2).to_tensor(missing)


def _first(values: tf.Tensor) -> tf.Tensor:
    """Returns which of sorted values, [batch, time], differ from the one before, bool."""
    return tf.pad(tf.not_equal(values[:, 1:], values[:, :-1]), [[0, 0], [1, 0]], constant_values=True)
