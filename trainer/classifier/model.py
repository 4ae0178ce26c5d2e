"""The document classifier: word vectors, an encoder to one vector per document, class logits."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.classifier.encoders import ENCODERS
from trainer.classifier.pooling import BigramSum
from trainer.classifier.settings import ClassifierSettings
from trainer.recurrent import encoder


def build(
    settings: ClassifierSettings,
    vocabulary_size: int,
    classes: int,
    vectors: NDArray[np.float32] | None = None,
) -> keras.Model:
    """Builds the model.

    Args:
        settings: The trainer section.
        vocabulary_size: Number of ids, including reserved ones.
        classes: Number of classes.
        vectors: Initial word vectors, float32 [vocabulary_size, width]; None: random ones of the width in the settings.

    Returns:
        A model from `tokens`, int64 [batch, time], and `length`, int64 [batch], to logits, float [batch, classes].
        Steps at and after `length` have no influence.
    """
    embedded = encoder.embed(settings, vocabulary_size, vectors)
    document = ENCODERS[settings.encoder](settings, embedded)
    if settings.bigrams:
        bigrams = BigramSum(settings.bigrams.buckets, settings.bigrams.width, name="bigrams")
        document = keras.layers.Concatenate(name="with_bigrams")([document, bigrams(embedded.words, embedded.steps)])
    document = keras.layers.Dropout(settings.dropout, name="dropout")(document)
    logits = keras.layers.Dense(classes, name="logits")(document)
    return keras.Model(embedded.inputs, logits, name="classifier")
