"""The tagger: word vectors, recurrent states at every step, tag logits."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.recurrent import encoder
from trainer.recurrent.stack import stack
from trainer.tagger.settings import TaggerSettings


def build(
    settings: TaggerSettings, vocabulary_size: int, tags: int, vectors: NDArray[np.float32] | None = None
) -> keras.Model:
    """Builds the model.

    With both directions it is the network of Huang et al. (2015), Bidirectional LSTM-CRF Models for Sequence Tagging,
    section 2.2: each token's tag is predicted separately, from its left and right context.

    Args:
        settings: The trainer section.
        vocabulary_size: Number of ids, including reserved ones.
        tags: Number of tags.
        vectors: Initial word vectors, float32 [vocabulary_size, width]; None: random ones of the width in the settings.

    Returns:
        A model from `tokens`, int64 [batch, time], and `length`, int64 [batch], to logits, float [batch, time, tags].
        Steps at and after `length` have no influence on earlier ones.
    """
    embedded = encoder.embed(settings, vocabulary_size, vectors)
    states = stack(settings, embedded.vectors, embedded.steps)
    states = keras.layers.Dropout(settings.dropout, name="dropout")(states)
    logits = keras.layers.Dense(tags, name="logits")(states)
    return keras.Model(embedded.inputs, logits, name="tagger")


def real_lengths(tokens: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Returns the true lengths, int64 [batch], of sentences, from padded ids [batch, time] and a batch's lengths.

    In a batch a sentence without tokens has length 1, because kernels reject empty sequences; such a sentence begins
    with `<pad>`, which no token has.
    """
    return tf.where(tokens[:, 0] == f.PAD, tf.zeros_like(length), length)


def real_steps(tokens: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Marks the tokens of padded sentences, bool [batch, time], with the arguments of `real_lengths`."""
    return tf.sequence_mask(real_lengths(tokens, length), tf.shape(tokens)[1])
