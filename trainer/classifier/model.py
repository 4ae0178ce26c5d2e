"""The document classifier: word vectors, a recurrent layer, masked pooling, class logits."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer import features as f
from trainer.classifier.settings import ClassifierSettings
from trainer.recurrent import encoder
from trainer.training.objective import Outcome

TARGETS = {f.LABEL: tf.TensorSpec([None], tf.int64)}
"""What documents are labelled with."""


@keras.saving.register_keras_serializable("seqloom")
class BigramSum(keras.layers.Layer):
    """Sum of the vectors of a document's pairs of words over the root of their number, pairs hashed to a table.

    Phrases such as "waste of time" are read at once, where a recurrent layer would have to see them
    often. Follows Joulin et al. (2017), Bag of Tricks for Efficient Text Classification, section 2.2.

    Args:
        buckets: Rows of the table.
        width: Width of the vectors.
    """

    def __init__(self, buckets: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.buckets, self.width = buckets, width
        self.table = keras.layers.Embedding(buckets, width, name="table")

    def build(self, *_: Any) -> None:
        """Makes the table."""
        self.table.build(None)
        self.built = True

    def call(self, tokens: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Returns float [batch, width] from ids [batch, time] and a mask, bool [batch, time]."""
        # A pair is real where its second word is, for sequences are padded on the right.
        pairs = (tokens[:, :-1] * 1_000_003 + tokens[:, 1:] * 7_919) % self.buckets
        real = tf.cast(steps[:, 1:], self.compute_dtype)
        total = tf.einsum("btw,bt->bw", self.table(pairs), real)
        return total / tf.sqrt(tf.maximum(tf.reduce_sum(real, axis=1, keepdims=True), 1))

    def compute_output_shape(self, tokens_shape: tuple[int | None, ...], *_: Any) -> tuple[int | None, int]:
        """Returns [batch, width]."""
        return tokens_shape[0], self.width

    def get_config(self) -> dict[str, Any]:
        """Returns what rebuilds the layer."""
        return {**super().get_config(), "buckets": self.buckets, "width": self.width}


@keras.saving.register_keras_serializable("seqloom")
class MaskedPooling(keras.layers.Layer):
    """Maximum and mean over the real steps, joined."""

    def call(self, states: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Returns float [batch, 2 * units] from states [batch, time, units] and a mask, bool [batch, time]."""
        real = tf.expand_dims(steps, -1)
        maximum = tf.reduce_max(tf.where(real, states, states.dtype.min), axis=1)
        total = tf.reduce_sum(tf.where(real, states, 0), axis=1)
        return tf.concat([maximum, total / tf.reduce_sum(tf.cast(real, states.dtype), axis=1)], axis=-1)


def build(
    settings: ClassifierSettings, vocabulary_size: int, classes: int, vectors: NDArray[np.float32] | None = None
) -> keras.Model:
    """Builds the model.

    Word vectors stand beside the states in the pooling as in Lai et al. (2015), Recurrent Convolutional
    Neural Networks for Text Classification, section 3.1.

    Args:
        settings: The trainer section of the configuration.
        vocabulary_size: Ids in the vocabulary, reserved ones included.
        classes: Number of classes.
        vectors: What the word vectors start with, float32 [vocabulary_size, width]; None: random ones of the width
            that the settings name.

    Returns:
        A model from `tokens`, int64 [batch, time], and `length`, int64 [batch], to logits, float
        [batch, classes]. Steps at and after `length` have no influence.
    """
    embedded = encoder.embed(settings, vocabulary_size, vectors)
    if settings.pooling == "max+mean":
        states = encoder.states(settings, embedded)
        if settings.pool_words:
            states = keras.layers.Concatenate(name="words")([embedded.vectors, states])
        document = MaskedPooling(name="pooling")(states, embedded.steps)
    else:
        document = encoder.last_state(settings, embedded)
    if settings.bigrams:
        bigrams = BigramSum(settings.bigrams.buckets, settings.bigrams.width, name="bigrams")
        document = keras.layers.Concatenate(name="with_bigrams")([document, bigrams(embedded.words, embedded.steps)])
    document = keras.layers.Dropout(settings.dropout, name="dropout")(document)
    logits = keras.layers.Dense(classes, name="logits")(document)
    return keras.Model(embedded.inputs, logits, name="classifier")


def objective(batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
    """Judges the logits of a batch, float [batch, classes], by `label`."""
    label = batch[f.LABEL]
    losses = loss(label, logits, smoothing)
    return Outcome(losses, tf.ones_like(losses), tf.equal(tf.argmax(logits, -1), label))


def loss(label: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Cross-entropy of each document.

    Args:
        label: Classes, int64 [batch].
        logits: Float [batch, classes].
        smoothing: Share of the probability that all classes get alike, as in Szegedy et al. (2016),
            Rethinking the Inception Architecture, section 7.

    Returns:
        The loss in nats, float [batch].
    """
    classes = logits.shape[-1]
    target = tf.one_hot(label, classes, on_value=1 - smoothing + smoothing / classes, off_value=smoothing / classes)
    return tf.nn.softmax_cross_entropy_with_logits(target, logits)
