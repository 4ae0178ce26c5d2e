"""The document classifier: word vectors, an encoder that makes one vector of them, class logits."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer import features as f
from trainer.classifier.encoders import ENCODERS
from trainer.classifier.pooling import BigramSum
from trainer.classifier.settings import ClassifierSettings
from trainer.recurrent import encoder
from trainer.training.cross_entropy import cross_entropy
from trainer.training.objective import Outcome

TARGETS = {f.LABEL: tf.TensorSpec([None], tf.int64)}
"""What documents are labelled with."""


def build(
    settings: ClassifierSettings, vocabulary_size: int, classes: int, vectors: NDArray[np.float32] | None = None
) -> keras.Model:
    """Builds the model.

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
    document = ENCODERS[settings.encoder](settings, embedded)
    if settings.bigrams:
        bigrams = BigramSum(settings.bigrams.buckets, settings.bigrams.width, name="bigrams")
        document = keras.layers.Concatenate(name="with_bigrams")([document, bigrams(embedded.words, embedded.steps)])
    document = keras.layers.Dropout(settings.dropout, name="dropout")(document)
    logits = keras.layers.Dense(classes, name="logits")(document)
    return keras.Model(embedded.inputs, logits, name="classifier")


def objective(batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
    """Judges the logits of a batch, float [batch, classes], by `label`."""
    label = batch[f.LABEL]
    losses = cross_entropy(label, logits, smoothing)
    return Outcome(losses, tf.ones_like(losses), tf.equal(tf.argmax(logits, -1), label))
