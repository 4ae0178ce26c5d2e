"""The loss of targets with one of several classes."""

from __future__ import annotations

import tensorflow as tf


def cross_entropy(target: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Cross-entropy of each target.

    Args:
        target: Class ids, int64 [...], e.g. [batch] or [batch, time].
        logits: Float [..., classes].
        smoothing: Share of the probability spread evenly over all classes (Szegedy et al. 2016, Rethinking the
            Inception Architecture, section 7).

    Returns:
        The losses in nats, float [...].
    """
    classes = logits.shape[-1]
    wanted = tf.one_hot(target, classes, on_value=1 - smoothing + smoothing / classes, off_value=smoothing / classes)
    return tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
