"""The tagger: word vectors, recurrent states at every step, tag logits."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.recurrent import encoder
from trainer.tagger.settings import TaggerSettings


def build(
    settings: TaggerSettings, vocabulary_size: int, tags: int, vectors: NDArray[np.float32] | None = None
) -> keras.Model:
    """Builds the model.

    In both directions it is the network of Huang et al. (2015), Bidirectional LSTM-CRF Models for Sequence Tagging,
    section 2.2: each token's tag is decided by itself, from what stands on both sides of it.

    Args:
        settings: The trainer section of the configuration.
        vocabulary_size: Ids in the vocabulary, reserved ones included.
        tags: Number of tags.
        vectors: What the word vectors start with, float32 [vocabulary_size, width]; None: random ones of the width
            that the settings name.

    Returns:
        A model from `tokens`, int64 [batch, time], and `length`, int64 [batch], to logits, float
        [batch, time, tags]. Steps at and after `length` have no influence on those before.
    """
    embedded = encoder.embed(settings, vocabulary_size, vectors)
    states = encoder.states(settings, embedded)
    states = keras.layers.Dropout(settings.dropout, name="dropout")(states)
    logits = keras.layers.Dense(tags, name="logits")(states)
    return keras.Model(embedded.inputs, logits, name="tagger")


def real_lengths(tokens: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Counts the tokens of padded sentences.

    A batch gives a sentence without tokens the length 1, for kernels accept no empty sequence; that it begins with
    `<pad>`, which no token yields, tells it from others.

    Args:
        tokens: Ids, int64 [batch, time].
        length: Lengths as batches have them, int64 [batch], at least 1.

    Returns:
        The true lengths, int64 [batch].
    """
    return tf.where(tokens[:, 0] == f.PAD, tf.zeros_like(length), length)


def real_steps(tokens: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Marks the tokens of padded sentences, bool [batch, time], by the arguments of `real_lengths`."""
    return tf.sequence_mask(real_lengths(tokens, length), tf.shape(tokens)[1])
