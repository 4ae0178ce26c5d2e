"""What word2vec draws at random: words of the corpus that are left out, and words that serve as negatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.errors import JobError


def keep_probabilities(counts: NDArray[np.int64], subsample: float | None) -> NDArray[np.float32]:
    """How probable it is that an occurrence of each word is kept for training.

    With f the word's share of the corpus and t the threshold, the paper (Mikolov et al. 2013, "Distributed
    Representations of Words and Phrases", section 2.3) has 1 - sqrt(t / f) as the probability that a word is left
    out. The program released with it, word2vec.c, keeps a word with (sqrt(f / t) + 1) * t / f, which is
    sqrt(t / f) + t / f: more of the frequent words than in the paper. This is the program's, as gensim's and
    fastText's are.

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
    """Draws which occurrences are kept.

    Args:
        ids: Rows of `keep`, int64, any shape.
        keep: What `keep_probabilities` gives, float32 [words].
        seed: int32 [2]; the same seed gives the same draws.

    Returns:
        Whether each is kept, bool, the shape of the ids.
    """
    # Draws are below 1, so that a probability of 1 keeps every occurrence.
    return tf.random.stateless_uniform(tf.shape(ids), seed) < tf.gather(keep, ids)


class NoiseTable:
    """Draws words by a power of their counts (Mikolov et al. 2013, "Distributed Representations", section 2.2).

    A draw takes the same time whatever the number of words (Vose 1991, "A Linear Algorithm For Generating Random
    Numbers With a Given Distribution"): each word that occurs has a column of the same height, and where its own
    weight does not fill it, another word's does. One float64 gives both the column and the height in it.

    Args:
        counts: Occurrences, int64 [words]. A word of count 0 is never drawn.
        exponent: The power; 0.75 in the paper. 0 draws all words alike.

    Raises:
        JobError: If no word occurs.
    """

    def __init__(self, counts: NDArray[np.int64], exponent: float) -> None:
        rows = np.flatnonzero(counts)
        if not len(rows):
            raise JobError(
                "The vocabulary has no words to draw negatives from.",
                where="Trainer, counts of the train split",
                found=f"{len(counts)} words, none of which occurs",
                expected="at least one word of the vocabulary in the train split",
                fix="Give more text, or lower transform.min_count.",
            )
        # Of logarithms, so that no power of a count overflows.
        logarithms = exponent * np.log(counts[rows])
        weights = np.exp(logarithms - logarithms.max())
        own, other = _columns((weights * (len(rows) / weights.sum())).tolist())
        self._columns = tf.constant(len(rows), tf.float64)
        self._own, self._pairs = tf.constant(own), tf.constant(np.stack([rows, rows[other]], axis=1))

    def draw(self, shape: int | Sequence[int] | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws words.

        Args:
            shape: How many, or a shape such as [steps, number].
            seed: int32 [2]; the same seed gives the same words.

        Returns:
            Rows of the counts, int64, of that shape.
        """
        place = tf.random.stateless_uniform(tf.reshape(shape, [-1]), seed, maxval=self._columns, dtype=tf.float64)
        column = tf.cast(place, tf.int64)
        filled = place - tf.cast(column, tf.float64) >= tf.gather(self._own, column)
        return tf.gather_nd(self._pairs, tf.stack([column, tf.cast(filled, tf.int64)], axis=-1))


def _columns(weights: list[float]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Fills columns of height 1 with two words at most.

    Args:
        weights: Weights of words, 1 in the mean.

    Returns:
        How much of its column each word keeps, float64 [words], and whose the rest is, int64 [words].
    """
    own, other = np.ones(len(weights)), np.arange(len(weights))
    light = [word for word, weight in enumerate(weights) if weight < 1]
    heavy = [word for word, weight in enumerate(weights) if weight >= 1]
    while light and heavy:
        filled, giver = light.pop(), heavy.pop()
        own[filled], other[filled] = weights[filled], giver
        weights[giver] -= 1 - weights[filled]
        (light if weights[giver] < 1 else heavy).append(giver)
    # What rounding left over keeps its whole column.
    return own, other
