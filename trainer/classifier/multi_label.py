"""Documents with any number of labels: a sigmoid for each class decides of it alone."""

from __future__ import annotations

import tensorflow as tf

from trainer.data import features as f
from trainer.training.objective import Outcome

TARGETS = {f.LABELS: tf.TensorSpec([None, None], tf.int64)}
"""What documents are labelled with."""


def multi_hot(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Marks the labels of documents.

    Args:
        labels: Class ids, int64 [batch, most labels]; a negative one is none.
        classes: Number of classes.

    Returns:
        Bool [batch, classes].
    """
    return tf.reduce_any(tf.one_hot(labels, classes, on_value=True, off_value=False, dtype=tf.bool), axis=1)


def objective(batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
    """Judges the logits of a batch, float [batch, classes], by `labels`.

    A document's loss is the mean over the classes of their binary cross-entropies, as Keras' BinaryCrossentropy, also
    in what smoothing does: each class' target moves by this share toward one half. A document is right where exactly
    its labels have a probability of one half or more.
    """
    wanted = multi_hot(batch[f.LABELS], logits.shape[-1])
    targets = tf.cast(wanted, logits.dtype) * (1 - smoothing) + smoothing / 2
    losses = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits), axis=-1)
    return Outcome(losses, tf.ones_like(losses), tf.reduce_all(tf.equal(logits >= 0, wanted), axis=-1))
