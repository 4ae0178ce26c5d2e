"""The loss against its definition in NumPy."""

import numpy as np
import tensorflow as tf

from trainer.supervised.cross_entropy import cross_entropy


def test_a_smoothed_loss_is_the_cross_entropy_with_the_smoothed_target() -> None:
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0]], np.float32)
    target = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    likelihoods = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -(target * np.log(likelihoods)).sum(axis=1)
    np.testing.assert_allclose(cross_entropy(tf.constant([0, 2]), tf.constant(logits), 0.3), expected, rtol=1e-5)
    steps = cross_entropy(tf.constant([[0, 2]]), tf.constant(logits[np.newaxis]), 0.3)
    np.testing.assert_allclose(steps, [expected], rtol=1e-5)
