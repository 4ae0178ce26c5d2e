"""The linear chain over the tags of a sentence: from scores of single tags and of pairs to the tags' probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_SPREAD = 80.0
"""The largest difference of two scores of pairs; its exponential is a normal float32."""


def log_marginals(scores: tf.Tensor, steps: tf.Tensor, pairs: tf.Tensor, *, backward: bool = True) -> tf.Tensor:
    """Returns the logarithms of the tags' probabilities in a conditional random field.

    They are exact sums over all sequences of tags, by the forward-backward algorithm (Lafferty et al. 2001,
    Conditional Random Fields, section 3).

    Args:
        scores: Scores of tags, float32 [batch, time, tags].
        steps: Which steps are real, bool [batch, time], padding on the right.
        pairs: Scores of a tag, the row, followed by another, the column, float32 [tags, tags].
        backward: Whether a tag depends on the steps after its own; if not, the probabilities at a step are those of a
            sentence that ends there.

    Returns:
        Float32 [batch, time, tags]; any finite values at padded steps.
    """
    highest = tf.reduce_max(pairs)
    factors = tf.exp(tf.maximum(pairs - highest, -_SPREAD))
    by_step, real = tf.transpose(scores, [1, 0, 2]), tf.transpose(steps)[..., tf.newaxis]
    found = by_step + _messages(by_step, real, factors)
    if backward:
        found += _messages(by_step[::-1], real[::-1], tf.transpose(factors))[::-1]
    return tf.nn.log_softmax(tf.transpose(found, [1, 0, 2]))


def best_tags(scores: tf.Tensor, steps: tf.Tensor, pairs: tf.Tensor, *, backward: bool = True) -> tf.Tensor:
    """Returns the tags of the most probable sequence, int64 [batch, time], with the arguments of `log_marginals`.

    As in the algorithm of Viterbi, each tag of each step has the score of the best sequence with it. Without the
    backward pass, the tag at a step is the last one of the best sequence that ends there.
    """
    by_step, real = tf.transpose(scores, [1, 0, 2]), tf.transpose(steps)[..., tf.newaxis]
    found = by_step + _best_messages(by_step, real, pairs)
    if backward:
        found += _best_messages(by_step[::-1], real[::-1], tf.transpose(pairs))[::-1]
    return tf.transpose(tf.argmax(found, axis=-1))


@keras.saving.register_keras_serializable("seqloom")
class Chain(keras.layers.Layer):
    """The chain whose scores of tags are a weighted sum of several.

    Args:
        factors: The factor of each.
        backward: As in `log_marginals`.
    """

    def __init__(self, factors: tuple[float, ...], backward: bool, **kwargs: Any) -> None:
        super().__init__(trainable=False, **{**kwargs, "dtype": "float32"})
        self.factors, self.backward = tuple(factors), backward
        self.supports_masking = True

    def build(self, scores_shape: list[tuple[int | None, ...]], *_: Any) -> None:
        """Creates the scores of pairs."""
        tags = scores_shape[0][-1]
        self.pairs = self.add_weight(shape=(tags, tags), initializer="zeros", name="pairs")
        self.built = True

    def fill(self, pairs: NDArray[np.float32]) -> None:
        """Sets the scores of pairs, [tags, tags]."""
        self.pairs.assign(pairs)

    def call(self, scores: list[tf.Tensor], steps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Applies the chain to float [batch, time, tags] each and a mask, bool [batch, time].

        Returns:
            Log-probabilities, float32 [batch, time, tags], and the tags of the best sequence, int64 [batch, time].
        """
        total = tf.add_n([tf.cast(part, tf.float32) * by for part, by in zip(scores, self.factors, strict=True)])
        pairs = tf.convert_to_tensor(self.pairs)
        logs, best = (function(total, steps, pairs, backward=self.backward) for function in (log_marginals, best_tags))
        return logs, best

    def compute_output_spec(self, scores: list[keras.KerasTensor], *_: Any) -> tuple[keras.KerasTensor, ...]:
        """Returns the shapes and types of the outputs."""
        shape = scores[0].shape
        return keras.KerasTensor(shape, "float32"), keras.KerasTensor(shape[:-1], "int64")

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        config = {**super().get_config(), "factors": self.factors, "backward": self.backward}
        config.pop("trainable", None)
        return config


def _messages(scores: tf.Tensor, real: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Sums over the sequences before each step.

    Args:
        scores: Float [time, batch, tags].
        real: Bool [time, batch, 1]; a step that is not real tells the next one nothing.
        factors: Factors of a tag, the row, and the next step's, float [tags, tags].

    Returns:
        What each step learns of the tags before it, as scores up to a constant, [time, batch, tags]; 0 at the first.
    """

    def tell(reached: tf.Tensor) -> tf.Tensor:
        return tf.math.log(tf.matmul(tf.nn.softmax(reached), factors))

    return _pass_on(tell, scores, real)


def _best_messages(scores: tf.Tensor, real: tf.Tensor, pairs: tf.Tensor) -> tf.Tensor:
    """Returns the same for the best of the sequences; scores of pairs, float [tags, tags], instead of factors."""

    def tell(reached: tf.Tensor) -> tf.Tensor:
        best = tf.reduce_max(reached[:, :, tf.newaxis] + pairs, axis=1)
        return best - tf.reduce_max(best, axis=-1, keepdims=True)

    return _pass_on(tell, scores, real)


def _pass_on(tell: Callable[[tf.Tensor], tf.Tensor], scores: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """Passes from step to step what a step tells the next one, given its own scores and what it was told."""
    nothing = tf.zeros_like(scores[0])

    def step(known: tf.Tensor, found: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        own, is_real = found
        return tf.where(is_real, tell(own + known), nothing)

    # What the last step tells is dropped: a scan over no steps fails.
    return tf.concat([nothing[tf.newaxis], tf.scan(step, (scores, real), nothing)[:-1]], axis=0)
