"""The document classifier: word vectors, an encoder that makes one vector of them, class logits."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier import ngrams as ngram_counts
from trainer.classifier.encoders import ENCODERS
from trainer.classifier.heads import Heads
from trainer.classifier.ngrams import NgramCounts, NgramLogits
from trainer.classifier.pooling import BigramSum
from trainer.classifier.settings import ClassifierSettings
from trainer.data import features as f
from trainer.recurrent import encoder
from trainer.supervised.cross_entropy import cross_entropy
from trainer.training.objective import Outcome

TARGETS = {f.LABEL: tf.TensorSpec([None], tf.int64)}
"""What documents are labelled with."""


def build(
    settings: ClassifierSettings,
    vocabulary_size: int,
    classes: int,
    vectors: NDArray[np.float32] | None = None,
    ngrams: NgramCounts | None = None,
) -> keras.Model:
    """Builds the model.

    Args:
        settings: The trainer section of the configuration.
        vocabulary_size: Ids in the vocabulary, reserved ones included.
        classes: Number of classes.
        vectors: What the word vectors start with, float32 [vocabulary_size, width]; None: random ones of the width
            that the settings name.
        ngrams: The n-grams that a second head reads, where the settings ask for one.

    Returns:
        A model from `tokens`, int64 [batch, time], and `length`, int64 [batch], to logits, float
        [batch, classes], with two heads in training [batch, heads, classes]. Steps at and after `length` have no
        influence.
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


def counts(settings: ClassifierSettings, train: tf.data.Dataset, classes: int) -> dict[str, NgramCounts]:
    """Counts the n-grams of the train split where the settings ask for them; what `build` takes."""
    if settings.ngrams is None:
        return {}
    return {"ngrams": ngram_counts.count(train, classes, **settings.ngrams.model_dump())}


def objective(batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
    """Judges the logits of a batch, float [batch, classes], by `label`, or each head's, float [batch, heads, classes].

    The loss of several heads is their mean one; what they answer together is what their logits are in the mean.
    """
    label = batch[f.LABEL]
    heads = logits if logits.shape.rank == 3 else logits[:, tf.newaxis]
    losses = tf.reduce_mean(cross_entropy(tf.repeat(label[:, tf.newaxis], heads.shape[1], axis=1), heads, smoothing), 1)
    return Outcome(losses, tf.ones_like(losses), tf.equal(tf.argmax(tf.reduce_mean(heads, 1), -1), label))
