"""Random sampling of word2vec: subsampling of frequent words, and negatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.errors import JobError


def keep_probabilities(counts: NDArray[np.int64], subsample: float | None) -> NDArray[np.float32]:
    """Returns the probability with which an occurrence of each word is kept for training.

    With the word's share f of the corpus and the threshold t it is sqrt(t / f) + t / f, as in word2vec.c, gensim and
    fastText; the paper (Mikolov et al. 2013, "Distributed Representations of Words and Phrases", section 2.3) has
    only sqrt(t / f).

    Args:
        counts: Occurrences, int64 [words].
        subsample: The threshold t, a share of the corpus; None keeps all.

    Returns:
        Probabilities, float32 [words]; 1 for a word that does not occur.
    """
    keep = np.ones(len(counts), np.float32)
    if subsample is not None:
        occur = counts > 0
        above = counts[occur] / (subsample * counts.sum())
        keep[occur] = np.minimum((np.sqrt(above) + 1) / above, 1)
    return keep


def subsample(ids: tf.Tensor, keep: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws which occurrences of words are kept: bool, the shape of the ids.

    Args:
        ids: Rows of `keep`, int64, any shape.
        keep: Probabilities of `keep_probabilities`, float32 [words].
        seed: int32 [2]; the same seed gives the same draws.
    """
    # Draws are below 1, so that a probability of 1 keeps every occurrence.
    return tf.random.stateless_uniform(tf.shape(ids), seed) < tf.gather(keep, ids)


class NoiseTable:
    """Draws words by a power of their counts (Mikolov et al. 2013, "Distributed Representations", section 2.2).

    A draw takes constant time (Vose 1991, "A Linear Algorithm For Generating Random Numbers With a Given
    Distribution"): each word that occurs has a column of height 1, which it shares with at most one other word. One
    float64 determines both the column and the height in it.

    Args:
        counts: Occurrences, int64 [words]. A word of count 0 is never drawn.
        exponent: The power; 0.75 in the paper. 0 draws all words equally often.

    Raises:
        JobError: If no word occurs.
    """

    def __init__(self, counts: NDArray[np.int64], exponent: float) -> None:
        rows = np.flatnonzero(counts)
        if not len(rows):
            raise JobError(
                "The vocabulary has no words to draw negatives from.",
                where="Trainer",
                found=f"{len(counts)} words of count 0",
                fix="Add text, or lower transform.min_count.",
            )
        # Logarithms, so that powers of counts do not overflow.
        logarithms = exponent * np.log(counts[rows])
        weights = np.exp(logarithms - logarithms.max())
        own, other = _columns((weights * (len(rows) / weights.sum())).tolist())
        self._columns = tf.constant(len(rows), tf.float64)
        self._own, self._pairs = tf.constant(own), tf.constant(np.stack([rows, rows[other]], axis=1))

    def draw(self, shape: int | Sequence[int] | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws rows of the counts, int64 of a shape; the same seed, int32 [2], gives the same words."""
        place = tf.random.stateless_uniform(tf.reshape(shape, [-1]), seed, maxval=self._columns, dtype=tf.float64)
        column = tf.cast(place, tf.int64)
        filled = place - tf.cast(column, tf.float64) >= tf.gather(self._own, column)
        return tf.gather_nd(self._pairs, tf.stack([column, tf.cast(filled, tf.int64)], axis=-1))


def _columns(weights: list[float]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Fills columns of height 1 with at most two words, whose mean weight is 1.

    Returns:
        The part of its column that each word keeps, float64 [words], and the word in the rest, int64 [words].
    """
    own, other = np.ones(len(weights)), np.arange(len(weights))
    light = [word for word, weight in enumerate(weights) if weight < 1]
    heavy = [word for word, weight in enumerate(weights) if weight >= 1]
    while light and heavy:
        filled, giver = light.pop(), heavy.pop()
        own[filled], other[filled] = weights[filled], giver
        weights[giver] -= 1 - weights[filled]
        (light if weights[giver] < 1 else heavy).append(giver)
    # Words left over by rounding keep their full columns.
    return own, other
