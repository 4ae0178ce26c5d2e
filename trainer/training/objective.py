"""What a task makes of its logits: losses, and which answers are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from trainer.data import features as f

WEIGHTS = {f.WEIGHT: tf.TensorSpec([None], tf.float32)}
"""What documents count in the loss of training, where they have weights."""


class Outcome(NamedTuple):
    """Each target of a batch, all of one shape: [batch], or [batch, time] for targets at steps.

    Attributes:
        losses: Its loss in nats, float.
        weights: What it counts, float: 0 where there is no target, as at padded steps.
        correct: Whether the likeliest answer is right, bool.
    """

    losses: tf.Tensor
    weights: tf.Tensor
    correct: tf.Tensor


Objective = Callable[..., Outcome]
"""From a batch's features and its logits, and the keyword `smoothing`, to the outcome."""
