"""Log-count ratios of n-grams, the initial weights of a linear classifier of documents, and its layer.

Follows Wang and Manning (2012), Baselines and Bigrams: Simple, Good Sentiment and Topic Classification, section 2: the
distinct n-grams of a document, weighted by how much more often documents of a class have them than others do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f

_BATCHES_PER_MERGE = 64
_FACTOR, _OTHER_FACTOR = -7046029254386353131, -4417276706812531889
"""Odd 64-bit multipliers, those of SplitMix64 and xxHash64, as signed integers."""

_RATE = 5.0
"""The factor by which the weights of n-grams learn faster than others, because few n-grams occur in a batch."""

_SMOOTHING = 1.0


class NgramCounts(NamedTuple):
    """Document counts of n-grams by class.

    Attributes:
        keys: The hashes of the n-grams, ascending, int64 [n].
        documents: The counts, int64 [n, classes].
    """

    keys: NDArray[np.int64]
    documents: NDArray[np.int64]

    def log_ratios(self) -> NDArray[np.float32]:
        """Returns ln of the add-one share of an n-gram in a class over that in all others, float32 [n, classes]."""
        own = self.documents + _SMOOTHING
        others = self.documents.sum(1, keepdims=True) - self.documents + _SMOOTHING
        ratios = np.log(own / own.sum(0)) - np.log(others / others.sum(0))
        return np.asarray(ratios, np.float32)


def hashes(tokens: tf.Tensor, steps: tf.Tensor, longest: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Hashes n-grams of all lengths to 64 bits, so that collisions among millions are very rare.

    Args:
        tokens: Ids, int64 [batch, time].
        steps: Which of them are real, bool [batch, time].
        longest: Length of the longest n-gram, in words.

    Returns:
        The hashes, int64 [batch, longest * time], and which of them are real, bool.
    """
    found, real, key = [], [], tf.zeros_like(tokens)
    for reach in range(longest):
        missing = [[0, 0], [0, reach]]
        # The last word of the n-gram that begins at each step.
        last = tf.pad(tokens, missing)[:, reach:]
        key = (tf.bitwise.bitwise_xor(key, last) + reach + 1) * _FACTOR
        key = tf.bitwise.bitwise_xor(key, tf.bitwise.right_shift(key, tf.constant(32, tf.int64))) * _OTHER_FACTOR
        found.append(key)
        real.append(tf.pad(steps, missing)[:, reach:])
    return tf.concat(found, 1), tf.concat(real, 1)


def count(
    batches: Iterable[f.Features], classes: int, *, longest: int, min_documents: int, max_size: int
) -> NgramCounts:
    """Counts the n-grams of labelled documents in batches of `trainer.data.reading.read`.

    N-grams in fewer than `min_documents` are dropped; of more than `max_size`, those in the most documents are kept.
    """
    total = NgramCounts(np.zeros(0, np.int64), np.zeros((0, classes), np.int64))
    waiting: list[NgramCounts] = []
    for batch in batches:
        waiting.append(_count_batch(batch, classes, longest))
        if len(waiting) == _BATCHES_PER_MERGE:
            total, waiting = _merge([total, *waiting]), []
    total = _merge([total, *waiting])
    frequency = total.documents.sum(1)
    kept = np.flatnonzero(frequency >= min_documents)
    # Ties are broken by hash, so that the result is deterministic.
    kept = np.sort(kept[np.argsort(-frequency[kept], kind="stable")[:max_size]])
    return NgramCounts(total.keys[kept], total.documents[kept])


@keras.saving.register_keras_serializable("seqloom")
class NgramLogits(keras.layers.Layer):
    """Class logits of documents: the sum of the weights of their distinct n-grams over the square root of their number.

    A weight is the n-gram's log-count ratio times a trained gain, initially 1.

    Args:
        size: Number of n-grams.
        classes: Number of classes.
        longest: Length of the longest n-gram, in words.
    """

    def __init__(self, size: int, classes: int, longest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.classes, self.longest = size, classes, longest

    def build(self, *_: Any) -> None:
        """Creates an empty table of n-grams and their weights."""
        fixed: dict[str, Any] = {"initializer": "zeros", "trainable": False}
        self.keys = self.add_weight(shape=(self.size,), dtype="int64", name="keys", **fixed)
        self.ratios = self.add_weight(shape=(self.size, self.classes), name="ratios", **fixed)
        self.gains = self.add_weight(shape=(self.size, self.classes), name="gains", initializer="zeros")
        self.built = True

    def start(self, counts: NgramCounts) -> None:
        """Fills the table."""
        self.keys.assign(counts.keys)
        self.ratios.assign(counts.log_ratios())

    def call(self, tokens: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Returns float [batch, classes] from ids [batch, time] and a mask, bool [batch, time]."""
        rows = self._rows(tokens, steps)
        known = tf.not_equal(rows, self.size)
        documents, rows = tf.where(known)[:, 0], tf.boolean_mask(rows, known)
        ratios, gains = tf.gather(self.ratios.value, rows), tf.gather(self.gains.value, rows)
        number = tf.math.count_nonzero(known, 1, keepdims=True, dtype=tf.int32)
        total = tf.math.unsorted_segment_sum(ratios * (1 + _RATE * gains), documents, tf.shape(tokens)[0])
        return total / tf.sqrt(tf.cast(tf.maximum(number, 1), total.dtype))

    def compute_output_shape(self, tokens_shape: tuple[int | None, ...], *_: Any) -> tuple[int | None, int]:
        """Returns [batch, classes]."""
        return tokens_shape[0], self.classes

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "size": self.size, "classes": self.classes, "longest": self.longest}

    def _rows(self, tokens: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Finds the rows of n-grams, sorted, int32 [batch, longest * time]; `size` for unknown and repeated ones."""
        keys, real = hashes(tokens, steps, self.longest)
        shape, keys = tf.shape(keys), tf.reshape(keys, [-1])
        place = tf.minimum(tf.searchsorted(self.keys.value, keys), self.size - 1)
        found = tf.equal(tf.gather(self.keys.value, place), keys) & tf.reshape(real, [-1])
        rows = tf.sort(tf.reshape(tf.where(found, place, self.size), shape))
        repeated = tf.pad(tf.equal(rows[:, 1:], rows[:, :-1]), [[0, 0], [1, 0]])
        return tf.where(repeated, self.size, rows)


def _count_batch(batch: f.Features, classes: int, longest: int) -> NgramCounts:
    """Counts one batch."""
    keys, real = (found.numpy() for found in _hashes(batch[f.TOKENS], batch[f.LENGTH], longest))
    last = np.iinfo(np.int64).max
    keys = np.sort(np.where(real, keys, last), axis=1)
    distinct = (keys != last) & np.pad(keys[:, 1:] != keys[:, :-1], [(0, 0), (1, 0)], constant_values=True)
    labels = np.asarray(batch[f.LABEL])[np.nonzero(distinct)[0]]
    return _merge([NgramCounts(keys[distinct], np.eye(classes, dtype=np.int64)[labels])])


@tf.function(reduce_retracing=True)
def _hashes(tokens: tf.Tensor, length: tf.Tensor, longest: int) -> tuple[tf.Tensor, tf.Tensor]:
    return hashes(tokens, tf.sequence_mask(length, tf.shape(tokens)[1]), longest)


def _merge(parts: list[NgramCounts]) -> NgramCounts:
    """Sums the counts of each n-gram."""
    keys, counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    # The keys of each part are ascending, so that a stable sort merges them.
    order = np.argsort(keys, kind="stable")
    keys, sums = keys[order], np.cumsum(counts[order], axis=0)
    ends = np.flatnonzero(np.diff(keys, append=keys[-1:] + 1))
    return NgramCounts(keys[ends], np.diff(sums[ends], axis=0, prepend=0))
