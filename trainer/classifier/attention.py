"""Attention over the steps of sequences, and its weights as explanations."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from trainer.classifier.segments import TokenWeights

WORDS, SEGMENTS = "attention", "segment_attention"
"""Names of the attention layers over words and, in hierarchical models, over segments."""


@keras.saving.register_keras_serializable("seqloom")
class AdditiveAttention(keras.layers.Layer):
    """The masked mean of states, weighted by a small network whose hidden layer has `units`.

    Follows Bahdanau et al. (2015), Neural Machine Translation by Jointly Learning to Align and Translate, appendix
    A.1.2, with a learnt vector instead of a decoder's state, as in Yang et al. (2016), Hierarchical Attention
    Networks for Document Classification, section 2.2.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden = keras.layers.Dense(units, activation="tanh", name="hidden")
        self.score = keras.layers.Dense(1, use_bias=False, name="score")

    def build(self, states_shape: tuple[int | None, ...], *_: Any) -> None:
        """Builds the network."""
        self.hidden.build(states_shape)
        self.score.build((*states_shape[:-1], self.units))
        self.built = True

    def call(self, states: tf.Tensor, steps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Weights states.

        Args:
            states: Float [batch, time, width].
            steps: Which of them are real, bool [batch, time]; at least one per sequence.

        Returns:
            The weighted mean, float [batch, width], and the weights, float32 [batch, time], which sum to 1 and are 0
            where `steps` is false.
        """
        scores = tf.cast(tf.squeeze(self.score(self.hidden(states)), -1), tf.float32)
        weights = tf.nn.softmax(tf.where(steps, scores, tf.float32.min))
        return tf.einsum("bt,btw->bw", tf.cast(weights, states.dtype), states), weights

    def compute_mask(self, *_: Any) -> None:
        """Returns None: the outputs need no mask."""

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "units": self.units}


def explained(model: keras.Model) -> keras.Model | None:
    """Returns a model that shares a model's weights and also returns its attention; None without attention.

    The outputs are the logits, float [batch, classes], and the weights of tokens, float32 [batch, time], which sum to 1
    in each document.
    """
    layers = {layer.name: layer for layer in model.layers}
    if WORDS not in layers:
        return None
    weights = layers[WORDS].output[1]
    if SEGMENTS in layers:
        tokens, _ = model.inputs
        weights = TokenWeights(name="token_weights")(tokens, layers["mask"].output, weights, layers[SEGMENTS].output[1])
    return keras.Model(model.inputs, [model.output, weights], name="explained")
