"""The layer that scores the tags of each token by its attributes."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.tagger.linear import attributes


class ChainWeights(NamedTuple):
    """The weights of a linear chain.

    Attributes:
        keys: The attributes that it knows, ascending, int64 [n].
        scores: What each adds to the score of each tag, float32 [n, tags].
        pairs: The score of a tag, the row, followed by another, the column, float32 [tags, tags].
    """

    keys: NDArray[np.int64]
    scores: NDArray[np.float32]
    pairs: NDArray[np.float32]


@keras.saving.register_keras_serializable("seqloom")
class TagScores(keras.layers.Layer):
    """Scores of tags, linear in the attributes of tokens.

    Args:
        size: Number of attributes.
        tags: Number of tags.
        right: Whether a token sees those on its right.
    """

    def __init__(self, size: int, tags: int, right: bool, **kwargs: Any) -> None:
        super().__init__(trainable=False, **{**kwargs, "dtype": "float32"})
        self.size, self.tags, self.right = size, tags, right

    def build(self, *_: Any) -> None:
        """Creates the table; its last row is that of unknown attributes, which add nothing."""
        self.keys = self.add_weight(shape=(self.size + 1,), dtype="int64", name="keys", initializer="zeros")
        self.scores = self.add_weight(shape=(self.size + 1, self.tags), name="scores", initializer="zeros")
        self.built = True

    def fill(self, weights: ChainWeights) -> None:
        """Sets the weights."""
        keys, scores = table(weights)
        self.keys.assign(keys)
        self.scores.assign(scores)

    def call(self, words: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Returns float32 [batch, time, tags] from words, string [batch, time], and a mask, bool [batch, time]."""
        found = attributes.keys(words, steps, right=self.right)
        return look_up(found, tf.convert_to_tensor(self.keys), tf.convert_to_tensor(self.scores))

    def compute_output_shape(self, words_shape: tuple[int | None, ...], *_: Any) -> tuple[int | None, ...]:
        """Returns [batch, time, tags]."""
        return (*words_shape, self.tags)

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        config = {**super().get_config(), "size": self.size, "tags": self.tags, "right": self.right}
        config.pop("trainable", None)
        return config


def table(weights: ChainWeights) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the keys and the scores of a chain as `look_up` takes them."""
    return np.append(weights.keys, np.iinfo(np.int64).max), np.pad(weights.scores, [[0, 1], [0, 0]])


def look_up(found: tf.Tensor, keys: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """Adds up the scores of attributes.

    Args:
        found: The attributes of tokens, int64 [batch, time, attributes].
        keys: The known ones, ascending, int64 [n], and then a key that no attribute has.
        scores: Their scores, float32 [n + 1, tags]; the last ones are 0.

    Returns:
        Float32 [batch, time, tags].
    """
    flat = tf.reshape(found, [-1])
    place = tf.searchsorted(keys, flat)
    known = tf.equal(tf.gather(keys, place), flat)
    rows = tf.reshape(tf.where(known, place, tf.size(keys) - 1), tf.shape(found))
    return tf.reduce_sum(tf.gather(scores, rows), axis=2)
