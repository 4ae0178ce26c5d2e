"""The shares of the encoder and of the linear classifier in the logits of documents."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier.linear.fitting import Losses

_PRIOR = np.array([10.0, 25.0])
"""The precisions of the prior, normal around the linear classifier alone: few documents decide little."""

_LEAST = 0.05
"""An encoder with a smaller share changes no answer: it is left out."""


class Shares(NamedTuple):
    """The factors of both logits."""

    encoder: float
    linear: float


def choose(
    encoder: NDArray[np.float64],
    linear: NDArray[np.float64],
    targets: NDArray[np.float64],
    weights: NDArray[np.float64],
    losses: Losses,
) -> Shares:
    """Returns the shares, 0 or more, with the lowest loss on held-out documents, and near (0, 1) on few of them.

    An encoder that hardly helps gets 0.

    Args:
        encoder: The logits of the encoder, [documents, classes], as the next two.
        linear: The logits of the linear classifier.
        targets: Targets, 0 and 1.
        weights: The weight of each document, [documents].
        losses: The loss of documents.
    """

    def total(shares: NDArray[np.float64]) -> float:
        found = losses(shares[0] * encoder + shares[1] * linear, targets) @ weights
        return float(found + (_PRIOR / 2 * np.square(shares - [0, 1])).sum())

    def lowest(most: float) -> Shares:
        """Minimizes with at most so much of the encoder."""
        start, bounds = np.array([min(0.5, most), 0.5]), [(0, most), (0, np.inf)]
        found = scipy.optimize.minimize(total, start, method="L-BFGS-B", bounds=bounds)
        return Shares(*(round(float(share), 6) for share in found.x))

    best = lowest(np.inf)
    return best if best.encoder >= _LEAST else lowest(0.0)


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
