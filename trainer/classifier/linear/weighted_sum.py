"""The weighted sum of the logits of the encoder and of the linear classifier."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier.linear.fitting import Losses
from trainer.supervised import shares
from trainer.supervised.shares import Shares


def choose(
    encoder: NDArray[np.float64],
    linear: NDArray[np.float64],
    targets: NDArray[np.float64],
    weights: NDArray[np.float64],
    losses: Losses,
) -> Shares:
    """Returns the shares with the lowest loss on held-out documents.

    Args:
        encoder: The logits of the encoder, [documents, classes], as the next two.
        linear: The logits of the linear classifier.
        targets: Targets, 0 and 1.
        weights: The weight of each document, [documents].
        losses: The loss of documents.
    """
    return shares.lowest(lambda both: float(losses(both[0] * encoder + both[1] * linear, targets) @ weights))


@keras.saving.register_keras_serializable("seqloom")
class WeightedSum(keras.layers.Layer):
    """The sum of several logits, each times a factor."""

    def __init__(self, factors: tuple[float, ...], **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.factors = tuple(factors)

    def call(self, logits: list[tf.Tensor]) -> tf.Tensor:
        """Returns float32 [batch, classes] from a list of float [batch, classes]."""
        return tf.add_n([tf.cast(part, tf.float32) * by for part, by in zip(logits, self.factors, strict=True)])

    def compute_output_shape(self, shapes: list[tuple[int | None, int]]) -> tuple[int | None, int]:
        """Returns [batch, classes]."""
        return shapes[0]

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        config = {**super().get_config(), "factors": self.factors}
        config.pop("trainable", None)
        return config
