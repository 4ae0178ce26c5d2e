"""The document classifier: word vectors, an encoder to one vector per document, class logits."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier.encoders import ENCODERS
from trainer.classifier.ngrams import NgramCounts, NgramLogits
from trainer.classifier.pooling import BigramSum
from trainer.classifier.settings import ClassifierSettings
from trainer.recurrent import encoder


@keras.saving.register_keras_serializable("seqloom")
class Heads(keras.layers.Layer):
    """Returns the mean logits of several heads, but in training those of each.

    With a loss of its own each head learns all it can; with the loss of the mean, the faster head would leave the other
    little to learn.
    """

    def call(self, logits: Sequence[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns float [batch, classes], in training [batch, heads, classes], from [batch, classes] of each head."""
        heads = tf.stack(logits, axis=1)
        return heads if training else tf.reduce_mean(heads, axis=1)

    def compute_output_shape(self, shapes: Sequence[tuple[int | None, int]]) -> tuple[int | None, int]:
        """Returns [batch, classes]."""
        return shapes[0]


def build(
    settings: ClassifierSettings,
    vocabulary_size: int,
    classes: int,
    vectors: NDArray[np.float32] | None = None,
    ngrams: NgramCounts | None = None,
) -> keras.Model:
    """Builds the model.

    Args:
        settings: The trainer section.
        vocabulary_size: Number of ids, including reserved ones.
        classes: Number of classes.
        vectors: Initial word vectors, float32 [vocabulary_size, width]; None: random ones of the width in the settings.
        ngrams: The n-grams of a second head, if the settings have one.

    Returns:
        A model from `tokens`, int64 [batch, time], and `length`, int64 [batch], to logits, float [batch, classes], with
        two heads in training [batch, heads, classes]. Steps at and after `length` have no influence.
    """
    embedded = encoder.embed(settings, vocabulary_size, vectors)
    document = ENCODERS[settings.encoder](settings, embedded)
    if settings.bigrams:
        bigrams = BigramSum(settings.bigrams.buckets, settings.bigrams.width, name="bigrams")
        document = keras.layers.Concatenate(name="with_bigrams")([document, bigrams(embedded.words, embedded.steps)])
    document = keras.layers.Dropout(settings.dropout, name="dropout")(document)
    logits = keras.layers.Dense(classes, name="logits")(document)
    if settings.ngrams is not None and ngrams is not None and len(ngrams.keys):
        linear = NgramLogits(len(ngrams.keys), classes, settings.ngrams.longest, dtype="float32", name="ngrams")
        logits = Heads(name="heads")([logits, linear(embedded.words, embedded.steps)])
        linear.start(ngrams)
    return keras.Model(embedded.inputs, logits, name="classifier")
