"""From tokens to word vectors and masks."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.recurrent.settings import WordSettings
from trainer.vectors import embedding


@keras.saving.register_keras_serializable("seqloom")
class LengthMask(keras.layers.Layer):
    """Marks the real steps of right-padded sequences."""

    def call(self, tokens: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """Returns bool [batch, time], true before `length`, from ids [batch, time] and lengths [batch]."""
        return tf.sequence_mask(length, tf.shape(tokens)[1])


@keras.saving.register_keras_serializable("seqloom")
class WordDropout(keras.layers.Layer):
    """Replaces words by `<unk>` in training, so that no single word identifies a document.

    Follows Iyyer et al. (2015), Deep Unordered Composition, section 4.3, which drops words instead.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, tokens: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns ids, int64 [batch, time], from ids [batch, time]."""
        if not training or self.rate == 0:
            return tokens
        dropped = keras.random.uniform(tf.shape(tokens), seed=self.seed_generator) < self.rate
        return tf.where(dropped, tf.constant(f.UNK, tokens.dtype), tokens)

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "rate": self.rate}


class Embedded(NamedTuple):
    """Documents as word vectors, symbolic tensors of Keras.

    Attributes:
        inputs: The inputs of the model: `tokens`, int64 [batch, time], and `length`, int64 [batch].
        steps: Which steps are real, bool [batch, time].
        words: The ids after word dropout, int64 [batch, time].
        vectors: Their vectors, float [batch, time, width].
    """

    inputs: list[keras.KerasTensor]
    steps: keras.KerasTensor
    words: keras.KerasTensor
    vectors: keras.KerasTensor


def embed(settings: WordSettings, vocabulary_size: int, vectors: NDArray[np.float32] | None = None) -> Embedded:
    """Looks up the vectors of tokens.

    Args:
        settings: The settings of the word vectors.
        vocabulary_size: Number of ids, including reserved ones.
        vectors: Initial word vectors, float32 [vocabulary_size, width]; None: random ones of the width in the settings.
    """
    tokens = keras.Input([None], dtype="int64", name=f.TOKENS)
    length = keras.Input([], dtype="int64", name=f.LENGTH)
    steps = LengthMask(name="mask")(tokens, length)
    words = WordDropout(settings.word_dropout, name="word_dropout")(tokens)
    embedded = embedding.layer(settings.embedding, vocabulary_size, vectors)(words)
    embedded = keras.layers.SpatialDropout1D(settings.spatial_dropout, name="spatial_dropout")(embedded)
    return Embedded([tokens, length], steps, words, embedded)
